/*-------------------------------------------------------------------------
 *
 * seal.c
 *		Sealed roles run registered statements and nothing else.
 *
 * The logins of the gateway, the worker and the connectors each run a few dozen
 * known statements.  The server refuses every other statement, so that somebody
 * who steals such a login, or injects SQL through it, can do no more.  Each of
 * these places is checked:
 *
 * - Parse analysis, which every statement of the simple and the extended
 *   protocol passes.  The whole text must be registered.  The parameters must
 *   have the types that it was registered with: the client declares these
 *   types, and they decide which functions and casts the text means.  For the
 *   same reason the search path must be pg_catalog alone, and every object in
 *   the analyzed tree must be the server's or the extension's.  This check runs
 *   once per connection and prepared statement, so it costs a request nothing.
 * - Actions of the analysis itself.  It looks up names and converts literals
 *   before the text can be refused.  Conversion to a domain runs the domain's
 *   checks, which anybody may have written.  So functions are executed for a
 *   sealed role only by the planner and the executor, whose statements were
 *   analyzed and accepted.  Schemas are searched by name only for a registered
 *   text.  Errors of the analysis could reveal which roles, schemas and types
 *   exist, by 'x'::regrole in the text or the number of a type among its
 *   parameters.  So the sender is told only one of two refusals.  The log has
 *   the reason.
 * - Execution.  A prepared statement runs only under the name that its text
 *   begins with, so that no statement can be prepared under another one's name.
 *   An empty text is neither analyzed nor executed.  Nothing runs while an
 *   empty text is prepared under the name of a binding statement.
 * - Utility statements: none is allowed, not even BEGIN.  One request is one
 *   implicit transaction.
 * - Fast-path function calls, which have no text: none is allowed.
 * - Startup options, which no statement hook sees: a short list is allowed.  It
 *   is checked when the client authenticates.
 *
 * session_watch.c limits the transaction and the memory that a session can
 * hold.
 *
 * Each check uses the current user and not the session's user.  So the
 * statements that our own SECURITY DEFINER functions run as their owner are not
 * restricted.  Any other function cannot run SQL for a sealed role, because its
 * statements are not registered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_namespace.h"
#include "commands/prepare.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "libpq/auth.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "nodes/execnodes.h"
#include "optimizer/planner.h"
#include "parser/analyze.h"
#include "parser/parse_param.h"
#include "replication/walsender.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/portal.h"
#include "utils/tuplestore.h"

#include "src/compatibility.h"
#include "src/context.h"
#include "src/redact.h"
#include "src/seal.h"
#include "src/session_watch.h"
#include "src/statement_list.h"
#include "src/statement_tree.h"

static post_parse_analyze_hook_type next_parse_hook = NULL;
static ProcessUtility_hook_type next_utility_hook = NULL;
static planner_hook_type next_planner_hook = NULL;
static ExecutorStart_hook_type next_executor_hook = NULL;
static ExecutorRun_hook_type next_run_hook = NULL;
static object_access_hook_type next_access_hook = NULL;
static emit_log_hook_type next_report_hook = NULL;
static ClientAuthentication_hook_type next_authentication_hook = NULL;

/* The most prepared statements that a sealed session can keep: several times what it needs. */
#define PREPARED_MAX 256

/* The roles that sealed this session's login when it connected. */
static WaSealedRoles login_seal = 0;

/* wa.verify_functions: for tests, checks the statements of our own functions as well. */
static bool verify_functions = false;

/* The options that a sealed login may set when it connects. */
static const char *const startup_options[] = {
	"application_name",
	"client_encoding",
};

/*
 * The constraint name of the error for a statement that is not registered.  Programs learn by
 * this name and this source file that they are of another version than the database
 * (gateway/db/own_error.c).
 */
#define UNREGISTERED "statement"

static int
errunregistered(void)
{
	return err_generic_string(PG_DIAG_CONSTRAINT_NAME, UNREGISTERED);
}

typedef struct Refusal
{
	const char *message;
	const char *hint;
} Refusal;

static const Refusal unregistered = {
	"this statement is not registered for a sealed role",
	"Members of wa_gateway, wa_worker and wa_connector can run the statements in wa.statement only.",
};
static const Refusal other_parameters = {
	"this statement is registered with other parameters",
	"Number and types of its parameters must be those in wa.statement.",
};

pg_noreturn static void
refuse(const Refusal *refusal)
{
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("%s", refusal->message),
					errhint("%s", refusal->hint), errunregistered()));
}

pg_noreturn static void
refuse_statement(void)
{
	refuse(&unregistered);
}

/*
 * The roles that seal the current user.  A session that was sealed when it connected stays
 * sealed: taking the roles of a stolen login away does not free its open sessions.  What the
 * session may run follows its current roles.  In a transaction that has failed the catalogs
 * cannot be read, so the result is then the login's roles at connection.  The server itself
 * then allows only the end of the transaction.
 */
static WaSealedRoles
current_seal(void)
{
	WaSealedRoles earlier = 0;

	if (!IsTransactionState())
		return login_seal;
	if (login_seal != 0 && GetUserId() == GetSessionUserId())
		earlier = WA_SEALED_EARLIER;
	return wa_sealed_roles_of(GetUserId()) | earlier;
}

/* ---- Parse analysis ---- */

/*
 * The statement parameters that parse analysis keeps, in two structures of the server that no
 * header declares.  The first is for parameters whose types may be inferred, when a client
 * sends a statement.  The second is for known types, when the statement is analyzed again
 * because something that it uses has changed.
 */
typedef struct InferredParameters
{
	Oid **types;
	int *count;
} InferredParameters;

typedef struct KnownParameters
{
	const Oid *types;
	int count;
} KnownParameters;

/* The hook by which each kind of parse state is recognized. */
static ParseParamRefHook inferred_hook = NULL;
static ParseParamRefHook known_hook = NULL;

/* Learns the hooks, and checks that the structures behind them are as declared here. */
static void
learn_parse_states(void)
{
	ParseState *inferred = make_parsestate(NULL);
	ParseState *known = make_parsestate(NULL);
	Oid *types = palloc0(sizeof(Oid));
	int count = 1;
	const InferredParameters *inferred_state;
	const KnownParameters *known_state;

	setup_parse_variable_parameters(inferred, &types, &count);
	inferred_state = inferred->p_ref_hook_state;
	inferred_hook = inferred->p_paramref_hook;
	setup_parse_fixed_parameters(known, types, count);
	known_state = known->p_ref_hook_state;
	known_hook = known->p_paramref_hook;
	if (inferred_hook == NULL || known_hook == NULL || inferred_hook == known_hook ||
		inferred_state->types != &types || inferred_state->count != &count ||
		known_state->types != types || known_state->count != count)
		elog(FATAL, "wa_apikeys does not know this server's parse states");
	free_parsestate(inferred);
	free_parsestate(known);
	pfree(types);
}

static bool
are_parameters_of(const WaStatement *statement, const Oid *types, int count)
{
	return count == statement->parameter_count &&
		   (count == 0 || memcmp(types, statement->parameters, count * sizeof(Oid)) == 0);
}

/*
 * Whether the parameters of an analyzed statement have exactly these types.  Parameters that a
 * client declares and the text does not use count as well.
 */
static bool
has_parameters(const ParseState *pstate, const WaStatement *statement)
{
	if (pstate->p_paramref_hook == NULL)
		return are_parameters_of(statement, NULL, 0);
	if (pstate->p_paramref_hook == inferred_hook)
	{
		const InferredParameters *state = pstate->p_ref_hook_state;

		return are_parameters_of(statement, *state->types, *state->count);
	}
	if (pstate->p_paramref_hook == known_hook)
	{
		const KnownParameters *state = pstate->p_ref_hook_state;

		return are_parameters_of(statement, state->types, state->count);
	}
	return false;
}

static void
check_registered(const ParseState *pstate, WaSealedRoles roles)
{
	const WaStatement *statement = NULL;

	if (pstate->p_sourcetext != NULL && IsTransactionState())
		statement = wa_statement_find(roles, pstate->p_sourcetext);
	if (statement == NULL)
		refuse_statement();
	if (!has_parameters(pstate, statement))
		refuse(&other_parameters);
}

/* Whether the path is pg_catalog, with at most the session's temporary tables behind it. */
static bool
path_is_pinned(void)
{
	List *path = fetch_search_path(true);
	bool pinned = path != NIL && linitial_oid(path) == PG_CATALOG_NAMESPACE;

	for (int i = 1; i < list_length(path); i++)
		pinned &= isTempNamespace(list_nth_oid(path, i));
	list_free(path);
	return pinned;
}

static void
check_path(void)
{
	if (!path_is_pinned())
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the search path of a sealed role must be pg_catalog"),
						errhint("ALTER ROLE \"%s\" SET search_path = pg_catalog, pg_temp;",
								GetUserNameFromId(GetSessionUserId(), false))));
}

static void
check_tree(Query *query)
{
	char *foreign = wa_foreign_object(query);

	if (foreign != NULL)
		ereport(
			ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("this statement uses %s", foreign),
			 errdetail(
				 "What a sealed role runs may use the server's objects and those of wa_apikeys only.")));
}

/* The number of this session's prepared statements. */
static int64
count_prepared(void)
{
	LOCAL_FCINFO(fcinfo, 0);
	FmgrInfo function;
	ReturnSetInfo result = {.type = T_ReturnSetInfo,
							.econtext = CreateStandaloneExprContext(),
							.allowedModes = SFRM_Materialize};
	int64 count;

	fmgr_info(F_PG_PREPARED_STATEMENT, &function);
	InitFunctionCallInfoData(*fcinfo, &function, 0, InvalidOid, NULL, (Node *) &result);
	FunctionCallInvoke(fcinfo);
	count = tuplestore_tuple_count(result.setResult);
	tuplestore_end(result.setResult);
	FreeExprContext(result.econtext, true);
	return count;
}

/*
 * Each prepared statement takes memory until the session ends.  They are counted again only
 * after as many have been parsed as there was room for.
 */
static void
check_room(void)
{
	static int64 room = PREPARED_MAX;

	if (room == 0)
		room = PREPARED_MAX - count_prepared();
	if (room <= 0)
	{
		room = 0;
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many prepared statements"),
				 errdetail("A sealed session can keep %d.", PREPARED_MAX)));
	}
	room--;
}

/* Whether one of the extension's functions is running: as its owner, with its search path. */
static bool
is_our_function(void)
{
	Oid user = GetUserId();

	return IsTransactionState() && user != GetSessionUserId() && path_is_pinned() &&
		   (user == get_role_oid("wa_owner", true) || user == get_role_oid("wa_claim", true));
}

/* Whether the statement of the client's last message was accepted or is already running. */
static bool is_accepted = false;

/* The server resets the message context before it reads the next message. */
static void
forget_accepted(void *argument)
{
	is_accepted = false;
}

static void
note_accepted(void)
{
	static MemoryContextCallback callback = {.func = forget_accepted};

	if (is_accepted || login_seal == 0)
		return;
	is_accepted = true;
	MemoryContextRegisterResetCallback(MessageContext, &callback);
}

static void
check_statement(ParseState *pstate, Query *query, JumbleState *jumble)
{
	WaSealedRoles roles;

	if (next_parse_hook)
		next_parse_hook(pstate, query, jumble);

	roles = current_seal();
	if (roles != 0)
	{
		wa_session_watch();
		check_registered(pstate, roles);
		check_path();
		check_tree(query);
		check_room();
		note_accepted();
	}
	else if (verify_functions && is_our_function())
		check_tree(query);
}

/*
 * Turns any error into a refusal that is the same for all errors.  The caller of the hook frees
 * what is set here, because its memory context is the current one.
 */
static void
make_refusal(ErrorData *edata, const Refusal *refusal)
{
	if (strcmp(edata->message, refusal->message) != 0)
		edata->detail_log = psprintf("Its analysis ended with: %s.", edata->message);
	edata->sqlerrcode = ERRCODE_INSUFFICIENT_PRIVILEGE;
	edata->message = pstrdup(refusal->message);
	edata->hint = pstrdup(refusal->hint);
	edata->detail = edata->context = edata->internalquery = NULL;
	edata->schema_name = edata->table_name = edata->column_name = NULL;
	edata->datatype_name = NULL;
	edata->constraint_name = pstrdup(UNREGISTERED);
	edata->cursorpos = edata->internalpos = 0;
	edata->funcname = "refuse";
	edata->filename = "seal.c";
	edata->lineno = __LINE__;
}

/*
 * Whether this is an error that analysis can raise for a registered text, because of the types
 * of its parameters or because something that it uses is gone.  Errors while values are bound
 * to a statement are different and are for the client: a value that is not valid for its type,
 * or a portal whose name is taken.
 */
static bool
is_of_analysis(const ErrorData *edata)
{
	int code = edata->sqlerrcode;

	return code == ERRCODE_INTERNAL_ERROR ||
		   strcmp(edata->message, other_parameters.message) == 0 ||
		   (ERRCODE_TO_CATEGORY(code) == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION &&
			code != ERRCODE_INSUFFICIENT_PRIVILEGE && code != ERRCODE_DUPLICATE_CURSOR);
}

/* Called when an error is reported.  The transaction has failed, so nothing is looked up here. */
static void
report(ErrorData *edata)
{
	if (edata->elevel == ERROR && login_seal != 0 && debug_query_string != NULL && !is_accepted)
	{
		if (!wa_statement_was_listed(login_seal, debug_query_string))
			make_refusal(edata, &unregistered);
		else if (is_of_analysis(edata))
			make_refusal(edata, &other_parameters);
	}
	if (next_report_hook)
		next_report_hook(edata);
}

/* ---- Execution ---- */

/* Whether a text begins with a comment that is this name. */
static bool
is_named(const char *text, const char *name)
{
	size_t len = strlen(name);

	return strncmp(text, "/* ", 3) == 0 && strncmp(text + 3, name, len) == 0 &&
		   strncmp(text + 3 + len, " */", 3) == 0;
}

/* How deeply planner calls are nested.  The planner plans only what was analyzed and accepted. */
static int planning = 0;

static void
refuse_second_statement(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_STATE),
					errmsg("this transaction has served a statement already"),
					errdetail("A transaction of a sealed role is good for one.")));
}

/*
 * The planner may ask for a permission.  A client's statement that is planned where another one
 * has been served must not be told that the identity of that one lacks a permission.
 */
static PlannedStmt *
plan(Query *query, const char *text, int options, ParamListInfo params)
{
	PlannedStmt *result = NULL;

	if (planning == 0 && ActivePortal == NULL && wa_context_has_served() && current_seal() != 0)
		refuse_second_statement();
	note_accepted();
	planning++;
	PG_TRY();
	{
		result = next_planner_hook ? next_planner_hook(query, text, options, params)
								   : standard_planner(query, text, options, params);
	}
	PG_FINALLY();
	{
		planning--;
	}
	PG_END_TRY();
	return result;
}

/* A statement that binds an identity, or says that nobody is bound. */
typedef struct Binding
{
	const char *name;
	/* The statement of this name was looked at and is whole.  This is forgotten when it ends. */
	bool is_known_whole;
	MemoryContextCallback ending;
} Binding;

static Binding bindings[] = {{.name = "authenticate"}, {.name = "act_for"}, {.name = "unbound"}};

static void
forget_whole(void *argument)
{
	((Binding *) argument)->is_known_whole = false;
}

/* Whether a prepared statement, if it exists, was sent by the client and is not empty. */
static bool
is_whole(const PreparedStatement *statement)
{
	return statement == NULL ||
		   (!statement->from_sql && statement->plansource->raw_parse_tree != NULL);
}

/*
 * The same for the statement with the name of a binding.  A name is free for another statement
 * only after the first one has ended, and its memory with it.
 */
static bool
is_binding_whole(Binding *binding)
{
	const PreparedStatement *statement;

	if (binding->is_known_whole)
		return true;
	statement = FetchPreparedStatement(binding->name, false);
	if (statement != NULL && is_whole(statement))
	{
		binding->is_known_whole = true;
		binding->ending.func = forget_whole;
		binding->ending.arg = binding;
		MemoryContextRegisterResetCallback(statement->plansource->context, &binding->ending);
	}
	return is_whole(statement);
}

/*
 * Whether a prepared statement may run: under its own name, and only while no empty text is
 * prepared under the name of a binding statement.  Executing an empty text would do nothing and
 * pass no hook.  The statements after it would then run under the identity that an unfinished
 * pipeline has left.
 */
static bool
may_run(Portal portal)
{
	if (!is_named(portal->sourceText, portal->prepStmtName) ||
		!is_whole(FetchPreparedStatement(portal->prepStmtName, false)))
		return false;
	for (size_t i = 0; i < lengthof(bindings); i++)
		if (!is_binding_whole(&bindings[i]))
			return false;
	return true;
}

/* Whether a statement only binds an identity, or says that nobody is bound. */
static bool
is_binding(const char *text)
{
	for (size_t i = 0; i < lengthof(bindings); i++)
		if (is_named(text, bindings[i].name))
			return true;
	return false;
}

/* Whether a query was sent by the client, and is not a function's. */
static bool
is_of_client(const QueryDesc *query)
{
	return ActivePortal != NULL && query->sourceText == ActivePortal->sourceText;
}

/* The seal is asked for last, because every execution passes here. */
static void
check_name(Portal portal)
{
	if (portal->prepStmtName != NULL && !may_run(portal) && current_seal() != 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("this statement was prepared under another name than its own"),
			 errdetail(
				 "A sealed session can prepare a statement without a name, or under the name that its text begins with."),
			 errunregistered()));
}

/* Called before each execution, also of the statements in functions. */
static void
check_execution(QueryDesc *query, int flags)
{
	note_accepted();
	if (is_of_client(query))
		check_name(ActivePortal);
	wa_session_watch();

	if (next_executor_hook)
		next_executor_hook(query, flags);
	else
		standard_ExecutorStart(query, flags);
}

/*
 * Called when a query runs, for the first time or again.  A transaction may run one statement
 * after a binding, which is what a request of our programs consists of.  So if a Sync or a
 * binding statement is lost, the statement of the next request does not run under the identity
 * of the request before.  Nor does a long statement, such as one that waits for events, keep
 * the locks of another one.  The check is here and not where a query is made ready to run: a
 * client can make many ready before it binds.
 */
static void
check_run(WA_RUN_PARAMETERS)
{
	note_accepted();
	if (is_of_client(query) && !query->already_executed &&
		!wa_context_serve(is_binding(query->sourceText)) && current_seal() != 0)
		refuse_second_statement();

	if (next_run_hook)
		next_run_hook(WA_RUN_ARGUMENTS);
	else
		standard_ExecutorRun(WA_RUN_ARGUMENTS);
}

/*
 * Parse analysis has already refused utility statements.  This refuses those that were analyzed
 * as another user.
 */
static void
check_utility(PlannedStmt *pstmt, const char *text, bool read_only_tree,
			  ProcessUtilityContext context, ParamListInfo params, QueryEnvironment *environment,
			  DestReceiver *destination, QueryCompletion *completion)
{
	if (current_seal() != 0)
		refuse_statement();

	if (next_utility_hook)
		next_utility_hook(pstmt, text, read_only_tree, context, params, environment, destination,
						  completion);
	else
		standard_ProcessUtility(pstmt, text, read_only_tree, context, params, environment,
								destination, completion);
}

/*
 * Whether a text is being analyzed, or there is no text.  A fast-path call has no text.  The
 * commit of an extended-protocol transaction has none either.  Deferred triggers that run as a
 * sealed login's own user can then call no functions, but our tables have no such triggers.
 */
static bool
is_before_execution(void)
{
	return debug_query_string == NULL || (ActivePortal == NULL && planning == 0);
}

static void
check_search(void)
{
	WaSealedRoles roles = current_seal();

	if (roles != 0 && wa_statement_find(roles, debug_query_string) == NULL)
		refuse_statement();
}

/*
 * Called before a function is executed, or a schema is searched because a text names it.  The
 * server's own lists of schemas to search pass here too, without a text or with a registered
 * one.
 */
static void
check_access(ObjectAccessType access, Oid class, Oid object, int sub_object, void *argument)
{
	if (MyProcPort != NULL && is_before_execution())
	{
		if (access == OAT_FUNCTION_EXECUTE && current_seal() != 0)
			refuse_statement();
		if (access == OAT_NAMESPACE_SEARCH && debug_query_string != NULL && IsTransactionState())
			check_search();
	}
	if (next_access_hook)
		next_access_hook(access, class, object, sub_object, argument);
}

/* ---- Startup ---- */

static bool
is_startup_option(const char *name)
{
	for (size_t i = 0; i < lengthof(startup_options); i++)
		if (pg_strcasecmp(name, startup_options[i]) == 0)
			return true;
	return false;
}

/* The first item in the startup packet that is not allowed, or NULL. */
static const char *
forbidden_startup_option(Port *port)
{
	if (am_walsender)
		return "replication";
	if (port->cmdline_options != NULL && port->cmdline_options[0] != '\0')
		return "options";
	/* The list is name, value, name, value, and so on. */
	for (int i = 0; i < list_length(port->guc_options); i += 2)
	{
		const char *name = list_nth(port->guc_options, i);

		/* The server shows its clients' application names to others, and in its log. */
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
	wa_session_watch_begin();
	wa_redact_show_statements();
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
	wa_session_watch_init();
	learn_parse_states();
	DefineCustomBoolVariable(
		"wa.verify_functions",
		"Refuses objects that are not the extension's in the statements that its functions run.",
		"For tests.", &verify_functions, false, PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
	next_parse_hook = post_parse_analyze_hook;
	post_parse_analyze_hook = check_statement;
	next_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = check_utility;
	next_access_hook = object_access_hook;
	object_access_hook = check_access;
	next_executor_hook = ExecutorStart_hook;
	ExecutorStart_hook = check_execution;
	next_run_hook = ExecutorRun_hook;
	ExecutorRun_hook = check_run;
	next_planner_hook = planner_hook;
	planner_hook = plan;
	next_report_hook = emit_log_hook;
	emit_log_hook = report;
	next_authentication_hook = ClientAuthentication_hook;
	ClientAuthentication_hook = check_startup;
}
