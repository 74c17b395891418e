/*-------------------------------------------------------------------------
 *
 * seal.c
 *		Sealed roles run registered statements and nothing else.
 *
 * The logins of the gateway, the worker and the connectors each run a few
 * dozen known statements.  Whoever steals such a login, or injects SQL through
 * it, finds that the server refuses every other one.  There are four doors:
 *
 *	- parse analysis, which every statement of the simple and the extended
 *	  protocol passes: the whole text must be registered.  It runs once per
 *	  connection and prepared statement, so that a request pays nothing for it.
 *	- utility statements: BEGIN, COMMIT and ROLLBACK only.
 *	- fast-path function calls, which have no text: none.
 *	- startup options, which no statement hook sees: a short list, checked when
 *	  the client authenticates.
 *
 * Each door asks for the current user, not for the session's: what our own
 * SECURITY DEFINER functions run as their owner is free.  A function that is
 * not one of those cannot run SQL for a sealed role, because its statements
 * are not registered either.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "libpq/auth.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "replication/walsender.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/acl.h"

#include "src/compatibility.h"
#include "src/redact.h"
#include "src/seal.h"
#include "src/statement_list.h"

static post_parse_analyze_hook_type next_parse_hook = NULL;
static ProcessUtility_hook_type next_utility_hook = NULL;
static object_access_hook_type next_access_hook = NULL;
static ClientAuthentication_hook_type next_authentication_hook = NULL;

/* The roles that sealed this session's login when it connected. */
static WaSealedRoles login_seal = 0;

/* What a sealed login may choose when it connects. */
static const char *const startup_options[] = {
	"application_name",
	"client_encoding",
};

pg_noreturn static void
refuse_statement(void)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
		 errmsg("this statement is not registered for a sealed role"),
		 errhint(
			 "Members of wa_gateway, wa_worker and wa_connector can run the statements in wa.statement only.")));
}

/*
 * The roles that seal the current user.  In a transaction that has failed the
 * catalogs can't be read; there the answer is that of the login.  The server
 * itself lets nothing by then but the end of the transaction.
 */
static WaSealedRoles
current_seal(void)
{
	return IsTransactionState() ? wa_sealed_roles_of(GetUserId()) : login_seal;
}

/* BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK; not their chained forms. */
static bool
is_transaction_control(Node *statement)
{
	TransactionStmt *transaction;

	if (!IsA(statement, TransactionStmt))
		return false;
	transaction = (TransactionStmt *) statement;
	switch (transaction->kind)
	{
		case TRANS_STMT_BEGIN:
		case TRANS_STMT_START:
			return transaction->options == NIL;
		case TRANS_STMT_COMMIT:
		case TRANS_STMT_ROLLBACK:
			return !transaction->chain;
		default:
			return false;
	}
}

static void
check_statement(ParseState *pstate, Query *query, JumbleState *jumble)
{
	WaSealedRoles roles;

	if (next_parse_hook)
		next_parse_hook(pstate, query, jumble);

	roles = current_seal();
	if (roles == 0)
		return;
	if (query->commandType == CMD_UTILITY && is_transaction_control(query->utilityStmt))
		return;
	if (pstate->p_sourcetext == NULL || !IsTransactionState() ||
		!wa_statement_is_registered(roles, pstate->p_sourcetext))
		refuse_statement();
}

/*
 * Utility statements are refused at parse analysis already; this is for those
 * that come from a place that analyzed them as somebody else.
 */
static void
check_utility(PlannedStmt *pstmt, const char *text, bool read_only_tree,
			  ProcessUtilityContext context, ParamListInfo params, QueryEnvironment *environment,
			  DestReceiver *destination, QueryCompletion *completion)
{
	if (!is_transaction_control(pstmt->utilityStmt) && current_seal() != 0)
		refuse_statement();

	if (next_utility_hook)
		next_utility_hook(pstmt, text, read_only_tree, context, params, environment, destination,
						  completion);
	else
		standard_ProcessUtility(pstmt, text, read_only_tree, context, params, environment,
								destination, completion);
}

/*
 * A function is about to be executed.  Within a statement the server knows its
 * text; a fast-path call has none.  Nor has the commit of an extended-protocol
 * transaction: deferred triggers of a sealed login that run as its own user can
 * call no functions, and our tables have none.
 */
static void
check_function_call(ObjectAccessType access, Oid class, Oid object, int sub_object, void *argument)
{
	if (access == OAT_FUNCTION_EXECUTE && debug_query_string == NULL && MyProcPort != NULL &&
		current_seal() != 0)
		refuse_statement();
	if (next_access_hook)
		next_access_hook(access, class, object, sub_object, argument);
}

static bool
is_startup_option(const char *name)
{
	for (size_t i = 0; i < lengthof(startup_options); i++)
		if (pg_strcasecmp(name, startup_options[i]) == 0)
			return true;
	return false;
}

/* The first thing in the startup packet that is not allowed, or NULL. */
static const char *
forbidden_startup_option(Port *port)
{
	if (am_walsender)
		return "replication";
	if (port->cmdline_options != NULL && port->cmdline_options[0] != '\0')
		return "options";
	/* a list of name, value, name, value */
	for (int i = 0; i < list_length(port->guc_options); i += 2)
	{
		const char *name = list_nth(port->guc_options, i);

		/* the server shows the names of its clients to others, and in its log */
		if (!is_startup_option(name) || wa_holds_secret(list_nth(port->guc_options, i + 1)))
			return name;
	}
	return NULL;
}

static void
check_startup(Port *port, int status)
{
	Oid role;
	const char *forbidden;

	if (next_authentication_hook)
		next_authentication_hook(port, status);
	if (status != STATUS_OK)
		return;

	role = get_role_oid(port->user_name, true);
	if (OidIsValid(role))
		login_seal = wa_sealed_roles_of(role);
	if (login_seal == 0)
		return;
	forbidden = forbidden_startup_option(port);
	if (forbidden != NULL)
		ereport(FATAL, (errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
						errmsg("role \"%s\" is sealed: startup option \"%s\" is not allowed",
							   port->user_name, forbidden)));
}

void
wa_seal_init(void)
{
	wa_statement_list_init();
	next_parse_hook = post_parse_analyze_hook;
	post_parse_analyze_hook = check_statement;
	next_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = check_utility;
	next_access_hook = object_access_hook;
	object_access_hook = check_function_call;
	next_authentication_hook = ClientAuthentication_hook;
	ClientAuthentication_hook = check_startup;
}
