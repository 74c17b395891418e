/*-------------------------------------------------------------------------
 *
 * context.c
 *		Who this transaction acts for, and what it may do.
 *
 * The identity of a transaction is kept in this file's static memory and
 * nowhere else.  No setting, table or temporary object that SQL can write is
 * trusted.  The identity is bound by wa.authenticate() (a credential) or
 * wa.act_for() (a system process), and it ends with the transaction.
 *
 * Invariants:
 * - Set once.  The first identity that a transaction binds is the only one that
 *   it can bind until it ends, even if a savepoint is rolled back in between.
 * - What a subtransaction adds ends with it: a binding, and also a permission
 *   that was asked for later.  It is handed to the parent at subcommit and
 *   taken back at subabort.
 * - A binding covers the permissions that it was asked for and no others, even
 *   if the credential has more.  A binding that asks for no particular
 *   permissions covers all of the credential's.  Presenting the credential
 *   again can add permissions.  So a statement that runs in the wrong request,
 *   because somebody prepared another statement under its name, has no more
 *   permissions than that request needed.
 * - Nothing survives commit, abort or prepare.
 * - A transaction that has written verifies its credential once more at commit:
 *   the permissions that it has required must still be there.  The same check
 *   runs at the end of each query that writes or locks.  Otherwise somebody
 *   with an ended credential could wait for a row, get its lock and block those
 *   who wait behind.  Rolling back the savepoint that made the binding does not
 *   avoid this check.  The transaction's own changes do not count against it;
 *   otherwise no credential could end itself.
 * - The same check refuses a key that has been restricted to fewer sessions
 *   since it was bound, wherever the transaction has written.
 * - A key that is restricted to networks is compared with the client's address
 *   whenever it is looked up.
 * - A transaction that presents a key is counted once as a request of it: when it
 *   ends, or at once when something is denied to it.  A transaction in which more
 *   is denied has a count for each.  A socket's credential is not counted.
 * - Before a binding is used, pending invalidations are processed.  If anything
 *   that the credential depends on has changed, or the credential's time is
 *   over, it is looked up again.  So a running transaction learns of a
 *   revocation, a sign-out or a change of role at its next statement.
 *
 * The getters are PARALLEL RESTRICTED, so that they never run in a worker
 * process, whose copy of this memory is empty.  They are STABLE, so that no
 * plan stores their result.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "src/client_address.h"
#include "src/common/memory.h"
#include "src/compatibility.h"
#include "src/context.h"
#include "src/credential.h"
#include "src/event_writers.h"
#include "src/key_lookup.h"
#include "src/key_rate.h"
#include "src/own_permissions.h"
#include "src/request_outcome.h"
#include "src/row_lookup.h"
#include "src/secret.h"
#include "src/usage.h"
#include "src/uuid_datum.h"

/*
 * What was bound, in a form that can be compared: the digest of a credential, or the
 * organization that a system process acts for.
 */
typedef struct Identity
{
	WaPrincipalKind kind; /* NONE: nothing was bound yet; KEY for every credential */
	uint8 value[WA_DIGEST_LENGTH];
} Identity;

/*
 * A subtransaction that has bound or asked for something, and the state from before.  The
 * innermost one comes first in the list.  Each level appears at most once.
 */
typedef struct Addition
{
	SubTransactionId level;
	bool bound_before;
	WaPermissions asked_before;
	struct Addition *outer;
} Addition;

typedef struct Context
{
	Identity first;           /* of this transaction; survives the rollback of savepoints */
	WaClientAddress from;     /* the client's address at the latest call; survives that, too */
	bool counted;             /* as a request of its key; survives that, too */
	WakBucketState rate;      /* what was left of the key's rate then */
	WakKind credential;       /* the kind of credential, if a credential was bound */
	WaPrincipal principal;    /* kind NONE: nobody is bound now */
	WaPermissions asked;      /* all permissions that the binding may cover */
	WaPermissions held;       /* all permissions of the credential, asked for or not */
	bool served;              /* the client has run a statement that does not only bind */
	bool relied_on;           /* the bound identity was asked for and returned */
	bool owner_told;          /* wa.member_role() has returned "owner" */
	WaPermissions used;       /* all permissions that were required of the binding so far */
	bool narrowed;            /* since it was bound, the credential has lost a session */
	WaPermissions read_along; /* that the present query needs because a change reads */
	uint64 generation;        /* the generation of the rows when they were last verified */
	Addition *additions;      /* in TopTransactionContext; NULL if there are none */
} Context;

static Context context;

/* How often a binding of this backend has lost a session. */
static uint64 narrowings = 0;

/* The list of sessions of context.principal. */
static pg_uuid_t reached[WA_SESSIONS_MAX];

PG_FUNCTION_INFO_V1(wa_authenticate);
PG_FUNCTION_INFO_V1(wa_authenticate_for);
PG_FUNCTION_INFO_V1(wa_act_for);
PG_FUNCTION_INFO_V1(wa_current_address);
PG_FUNCTION_INFO_V1(wa_current_rate);
PG_FUNCTION_INFO_V1(wa_current_rate_left);
PG_FUNCTION_INFO_V1(wa_current_rate_full_in);
PG_FUNCTION_INFO_V1(wa_member_role);
PG_FUNCTION_INFO_V1(wa_has_own_permission);
PG_FUNCTION_INFO_V1(wa_holds_permission);
PG_FUNCTION_INFO_V1(wa_is_socket);
PG_FUNCTION_INFO_V1(wa_require_org);
PG_FUNCTION_INFO_V1(wa_require_permission);
PG_FUNCTION_INFO_V1(wa_require_own_permission);
PG_FUNCTION_INFO_V1(wa_org_for);
PG_FUNCTION_INFO_V1(wa_org_for_own);
PG_FUNCTION_INFO_V1(wa_org_for_any_key);
PG_FUNCTION_INFO_V1(wa_org_for_own_any_key);

/* ---- The end of a transaction ---- */

static void
unbind(void)
{
	wak_wipe(&context.principal, sizeof(context.principal));
	context.principal.kind = WA_PRINCIPAL_NONE;
	context.asked = 0;
	context.held = 0;
	context.relied_on = false;
	context.owner_told = false;
	context.narrowed = false;
	context.served = false;
	context.used = 0;
}

/* Nobody knows who would commit a prepared transaction, or when. */
static void
check_not_bound(void)
{
	if (context.first.kind != WA_PRINCIPAL_NONE)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot PREPARE a transaction that was bound to an identity")));
}

static void
transaction_changed(XactEvent event, void *argument)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			wa_request_end();
			unbind();
			context.additions = NULL;
			wak_wipe(&context.first, sizeof(context.first));
			context.first.kind = WA_PRINCIPAL_NONE;
			wak_wipe(&context.from, sizeof(context.from));
			context.counted = false;
			context.read_along = 0;
			break;
		case XACT_EVENT_PRE_COMMIT:
			/* Deferred triggers have run, but other callbacks may still run queries. */
			wa_context_verify_written();
			break;
		case XACT_EVENT_PRE_PREPARE:
			check_not_bound();
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			/* A worker process has no binding and writes nothing. */
			break;
	}
}

/*
 * The parent takes over what its subtransaction added.  The state from before is kept as long
 * as the parent can still be rolled back.
 */
static void
hand_up(Addition *addition, SubTransactionId parent)
{
	if (parent == TopSubTransactionId ||
		(addition->outer != NULL && addition->outer->level == parent))
		context.additions = addition->outer;
	else
		addition->level = parent;
}

/*
 * What the subtransaction added is gone.  The permissions of the credential may have been read
 * from rows that are gone as well, so the credential is verified again.
 */
static void
take_back(const Addition *addition)
{
	context.additions = addition->outer;
	if (!addition->bound_before)
	{
		unbind();
		return;
	}
	context.asked = addition->asked_before;
	context.principal.permissions &= context.asked;
	context.used &= context.asked;
	context.generation = 0;
}

static void
subtransaction_changed(SubXactEvent event, SubTransactionId level, SubTransactionId parent,
					   void *argument)
{
	/* The query that was explained has ended with an error. */
	if (event == SUBXACT_EVENT_ABORT_SUB)
		context.read_along = 0;
	if (context.additions == NULL || context.additions->level != level)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		take_back(context.additions);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		hand_up(context.additions, parent);
}

void
wa_context_init(void)
{
	RegisterXactCallback(transaction_changed, NULL);
	RegisterSubXactCallback(subtransaction_changed, NULL);
}

/* ---- Errors.  The owner of a credential gets the same message, whatever is wrong with it. ---- */

pg_noreturn static void
refuse_credential(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
					errmsg("credential is not valid")));
}

/* The credential that was bound has ended. */
pg_noreturn static void
refuse_ended(void)
{
	wa_request_deny_invalid(context.credential, context.first.value, NULL);
	refuse_credential();
}

/* Whoever has the whole key may know why it is refused. */
static void
check_address(WakKind kind, const WaPrincipal *principal, const WaClientAddress *from)
{
	if (wa_networks_have(principal->networks, from))
		return;
	wa_request_deny(kind, principal, WA_DENIED_ADDRESS);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("key cannot be used from this address"),
			 from->family == 0 ? errhint("Pass the client's address to wa.authenticate().") : 0,
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "address")));
}

/*
 * Programs tell this error from an invalid credential by two fields: the constraint name and
 * this source file (gateway/db/own_error.c).
 */
pg_noreturn static void
refuse_nobody(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
					errmsg("no credential is bound to this transaction"),
					errhint("Call wa.authenticate() first, in the same transaction."),
					err_generic_string(PG_DIAG_CONSTRAINT_NAME, "credential")));
}

/* One that was dropped meanwhile has no name any more. */
static const char *
name_of_permission(WaPermissions single_bit)
{
	const char *name;

	if ((single_bit & WA_PERMISSIONS_BUILT_IN) != 0)
		return wa_permission_name(single_bit);
	name = wa_own_permission_name(single_bit);
	return name != NULL ? name : "(dropped)";
}

/* The error's constraint-name field has the permission's name too. */
pg_noreturn static void
refuse_permission(WaPermissions missing)
{
	const char *name = name_of_permission(missing);

	bool was_not_asked =
		context.principal.kind != WA_PRINCIPAL_NONE && (context.asked & missing) == 0;

	ereport(
		ERROR,
		(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission \"%s\" is required", name),
		 (context.read_along & missing) != 0
			 ? errdetail("UPDATE and DELETE with a condition, and RETURNING, read as well.")
			 : 0,
		 was_not_asked ? errhint("wa.authenticate() was called for other permissions only.") : 0,
		 err_generic_string(PG_DIAG_CONSTRAINT_NAME, name)));
}

/* The bound credential lacks the permission, or was not asked for it. */
pg_noreturn static void
deny_permission(WaPermissions missing)
{
	wa_request_deny(context.credential, &context.principal, WA_DENIED_PERMISSION);
	refuse_permission(missing & -missing);
}

static bool
is_owner(const WaPrincipal *principal)
{
	return principal->role != NULL && strcmp(principal->role, "owner") == 0;
}

pg_noreturn static void
refuse_narrowed(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the API key was restricted to fewer sessions while this transaction ran"),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "sessions")));
}

/* Something that the transaction had is gone: a permission, the role of owner, or a session. */
pg_noreturn static void
refuse_lost(const WaPrincipal *fresh)
{
	WaPermissions missing = context.used & ~(fresh->permissions & context.asked);

	if (missing != 0)
	{
		wa_request_deny(context.credential, fresh, WA_DENIED_PERMISSION);
		refuse_permission(missing & -missing);
	}
	if (context.owner_told && !is_owner(fresh))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("only an owner can do this"),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "owner")));
	wa_request_deny(context.credential, fresh, WA_DENIED_SESSION);
	refuse_narrowed();
}

/*
 * These functions raise an error where they could return NULL: a caller that passes NULL by
 * mistake must not take the result for a permission.
 */
static void
check_not_null(FunctionCallInfo fcinfo, const char *what)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", what)));
}

/* ---- Binding ---- */

/* Refuses an identity that differs from the one that this transaction already has. */
static void
check_set_once(const Identity *identity)
{
	if (context.first.kind == WA_PRINCIPAL_NONE)
		return;
	if (context.first.kind != identity->kind ||
		!wak_equal(context.first.value, identity->value, WA_DIGEST_LENGTH))
		ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_STATE),
						errmsg("this transaction is already bound to another identity"),
						errdetail("The identity of a transaction is set once.")));
}

bool
wa_principal_lists(const WaPrincipal *principal, const pg_uuid_t *session)
{
	for (int i = 0; i < principal->session_count; i++)
		if (memcmp(&principal->sessions[i], session, sizeof(pg_uuid_t)) == 0)
			return true;
	return false;
}

/* Whether this principal reaches all sessions that the binding does. */
static bool
reaches_as_much(const WaPrincipal *principal)
{
	const WaPrincipal *bound = &context.principal;

	if (bound->kind == WA_PRINCIPAL_NONE || principal->sessions == NULL)
		return true;
	if (bound->sessions == NULL)
		return false;
	for (int i = 0; i < bound->session_count; i++)
		if (!wa_principal_lists(principal, &bound->sessions[i]))
			return false;
	return true;
}

/*
 * Takes over the credential's current sessions, and its current permissions, limited to those
 * that were asked for.
 */
static void
cover(const WaPrincipal *principal, uint64 generation)
{
	if (!reaches_as_much(principal))
	{
		context.narrowed = true;
		narrowings++;
	}
	context.principal = *principal;
	if (principal->sessions != NULL)
	{
		memmove(reached, principal->sessions, principal->session_count * sizeof(pg_uuid_t));
		context.principal.sessions = reached;
	}
	context.principal.networks = NULL;
	context.held = principal->permissions;
	context.principal.permissions &= context.asked;
	context.generation = generation;
}

/*
 * Records the state before this subtransaction adds to it, unless that has been done already.
 * The top transaction needs no record: what it adds ends with it.
 */
static void
note_addition(void)
{
	SubTransactionId level = GetCurrentSubTransactionId();
	Addition *addition;

	if (level == TopSubTransactionId ||
		(context.additions != NULL && context.additions->level == level))
		return;
	addition = MemoryContextAlloc(TopTransactionContext, sizeof(Addition));
	addition->level = level;
	addition->bound_before = context.principal.kind != WA_PRINCIPAL_NONE;
	addition->asked_before = context.asked;
	addition->outer = context.additions;
	context.additions = addition;
}

/* A repeated call with the same identity adds the permissions that it asks for. */
static void
bind_identity(const Identity *identity, const WaPrincipal *principal, WaPermissions asked,
			  uint64 generation)
{
	note_addition();
	context.first = *identity;
	context.asked |= asked;
	cover(principal, generation);
}

/*
 * The permissions that a credential of this kind can bind at most, whatever the key or person
 * behind it may do.  A socket's credential only listens.  If its key may manage too, that only
 * decides which events the socket gets.
 */
static WaPermissions
bindable(WakKind kind)
{
	return kind == WAK_TICKET ? WA_PERMISSION_EVENTS : WA_PERMISSIONS_ALL;
}

/*
 * Counts the transaction as a request of its key, at its first binding.  A socket's credential
 * is not counted: opening the socket was.
 */
static void
count_request(WakKind kind, const WaPrincipal *principal)
{
	if (context.first.kind != WA_PRINCIPAL_NONE || kind == WAK_TICKET ||
		principal->rate.per_minute == 0)
		return;
	context.rate = wa_key_rate_take(principal);
	if (!context.rate.taken)
	{
		wa_request_deny(kind, principal, WA_DENIED_RATE);
		wa_key_rate_refuse(principal, context.rate);
	}
	context.counted = true;
}

/* The permissions that a call of wa.authenticate() asks for, which the credential has. */
static WaPermissions
asked_permissions(WakKind kind, const WaPrincipal *principal, const WaPermissions *needs)
{
	WaPermissions missing;

	if (needs == NULL)
		return bindable(kind);
	missing = *needs & ~(principal->permissions & bindable(kind));
	if (missing != 0)
	{
		wa_request_deny(kind, principal, WA_DENIED_PERMISSION);
		refuse_permission(missing & -missing);
	}
	return *needs;
}

/*
 * Binds a credential for the permissions "needs", or for all that it has if that is NULL.
 * Returns the id of the key or person.  "agent" is the program that sent the request.
 */
static Datum
authenticate(const WaSecret *secret, const WaPermissions *needs, const text *address,
			 const text *agent)
{
	Identity identity = {WA_PRINCIPAL_KEY, {0}};
	WakKind kind = (WakKind) secret->kind;
	WaClientAddress from;
	WaPrincipal principal;
	WaPermissions asked;
	uint64 generation;

	memcpy(identity.value, secret->digest, WA_DIGEST_LENGTH);
	check_set_once(&identity);

	generation = wa_row_generation();
	if (!wa_credential_lookup(kind, identity.value, &principal))
	{
		wa_request_deny_invalid(kind, identity.value, secret);
		refuse_credential();
	}
	wa_client_address_read(address, &from);
	check_address(kind, &principal, &from);
	asked = asked_permissions(kind, &principal, needs);
	count_request(kind, &principal);
	if (context.first.kind == WA_PRINCIPAL_NONE)
		wa_request_begin(kind, &principal);
	bind_identity(&identity, &principal, asked, generation);
	context.credential = kind;
	context.from = from;
	/* The next statement may read events. */
	if ((asked & WA_PERMISSION_EVENTS) != 0)
		wa_event_writers_observe();
	if (principal.kind == WA_PRINCIPAL_KEY)
		wa_usage_note(&principal, &from, agent);

	return wa_uuid_datum(&principal.id);
}

/*
 * wa.authenticate(secret, needs, address, agent): the id of the key or person.  "needs" are the
 * permissions that the transaction gets: an empty set gives none, NULL gives all of the
 * credential's.  "address" is where the request came from, "agent" the program that sent it.
 */
Datum
wa_authenticate(PG_FUNCTION_ARGS)
{
	WaPermissions needs = PG_ARGISNULL(1) ? 0 : PG_GETARG_PERMISSIONS(1);

	if (PG_ARGISNULL(0))
		refuse_credential();
	return authenticate(PG_GETARG_SECRET_P(0), PG_ARGISNULL(1) ? NULL : &needs,
						PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2),
						PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3));
}

/* wa.authenticate_for(secret, needs, address): the same; "needs" can name own permissions. */
Datum
wa_authenticate_for(PG_FUNCTION_ARGS)
{
	WaPermissions needs = PG_ARGISNULL(1) ? 0 : wa_permissions_named(PG_GETARG_ARRAYTYPE_P(1));

	if (PG_ARGISNULL(0))
		refuse_credential();
	return authenticate(PG_GETARG_SECRET_P(0), PG_ARGISNULL(1) ? NULL : &needs,
						PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2), NULL);
}

/*
 * wa.act_for(org): a system process binds one organization for one transaction.  Only roles
 * with EXECUTE on it can call it.
 */
Datum
wa_act_for(PG_FUNCTION_ARGS)
{
	pg_uuid_t *org_id;
	Identity identity = {WA_PRINCIPAL_SYSTEM, {0}};
	WaPrincipal principal = {.kind = WA_PRINCIPAL_SYSTEM, .expires_at = DT_NOEND};

	check_not_null(fcinfo, "organization");
	org_id = PG_GETARG_UUID_P(0);
	memcpy(identity.value, org_id, sizeof(pg_uuid_t));
	check_set_once(&identity);
	principal.org_id = *org_id;
	bind_identity(&identity, &principal, 0, 0);
	PG_RETURN_VOID();
}

/* ---- Use ---- */

/* Whether the rows that were read when the binding was made may have changed. */
static bool
must_verify_again(uint64 generation)
{
	return context.generation != generation ||
		   (context.principal.expires_at != DT_NOEND &&
			context.principal.expires_at <= GetCurrentTimestamp());
}

const WaPrincipal *
wa_context_principal(void)
{
	uint64 generation;

	if (context.principal.kind == WA_PRINCIPAL_NONE)
		return NULL;
	context.relied_on = true;
	if (context.principal.kind == WA_PRINCIPAL_SYSTEM)
		return &context.principal;

	generation = wa_row_generation();
	if (must_verify_again(generation))
	{
		WaPrincipal fresh;

		if (!wa_credential_lookup(context.credential, context.first.value, &fresh))
			refuse_ended();
		check_address(context.credential, &fresh, &context.from);
		cover(&fresh, generation);
	}
	return &context.principal;
}

static const WaPrincipal *
required_principal(void)
{
	const WaPrincipal *principal = wa_context_principal();

	if (principal == NULL)
		refuse_nobody();
	return principal;
}

static const WaPrincipal *
permitted_principal(WaPermissions needed)
{
	const WaPrincipal *principal = required_principal();

	if ((principal->permissions & needed) == 0)
		deny_permission(needed);
	context.used |= needed;
	return principal;
}

/* The bit of the function's own permission.  NULL is a mistake of the caller. */
static WaPermissions
own_argument(FunctionCallInfo fcinfo)
{
	const text *name;

	check_not_null(fcinfo, "permission");
	name = PG_GETARG_TEXT_PP(0);
	return wa_own_permission_bit(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

bool
wa_context_is_relied_on(void)
{
	return context.relied_on;
}

bool
wa_context_serve(bool binds)
{
	bool is_first = !context.served;

	/* Somebody who is bound already needs no other binding. */
	context.served = !binds || context.principal.kind != WA_PRINCIPAL_NONE;
	return is_first;
}

bool
wa_context_has_served(void)
{
	return context.served;
}

WaPermissions
wa_context_used(void)
{
	return context.used;
}

uint64
wa_context_narrowings(void)
{
	return narrowings;
}

void
wa_context_require(WaPermissions used)
{
	WaPermissions missing = used & ~required_principal()->permissions;

	if (missing != 0)
		deny_permission(missing);
}

WaPermissions
wa_context_explain(WaPermissions read_along)
{
	WaPermissions before = context.read_along;

	context.read_along = read_along;
	return before;
}

void
wa_context_require_reach(uint64 narrowings_before)
{
	required_principal();
	if (narrowings == narrowings_before)
		return;
	wa_context_deny_session();
	refuse_narrowed();
}

void
wa_context_deny_session(void)
{
	wa_request_deny(context.credential, &context.principal, WA_DENIED_SESSION);
}

/* Whether all permissions and the role that were required, and all sessions, are there. */
static bool
covers_used(const WaPrincipal *principal)
{
	return (context.used & ~(principal->permissions & context.asked)) == 0 &&
		   (!context.owner_told || is_owner(principal)) && !context.narrowed &&
		   reaches_as_much(principal);
}

/* Whether that is known without another look at the tables. */
static bool
is_verified(void)
{
	return context.principal.kind != WA_PRINCIPAL_NONE && !must_verify_again(wa_row_generation()) &&
		   covers_used(&context.principal);
}

/*
 * A transaction that has written nothing needs no check.  If the transaction has changed its
 * own credential, either state is good enough: the one that it has left (it may have created
 * the credential), or the one before.
 */
void
wa_context_verify_written(void)
{
	WaPrincipal fresh;

	if (context.first.kind != WA_PRINCIPAL_KEY ||
		!TransactionIdIsValid(GetTopTransactionIdIfAny()) || is_verified())
		return;
	if (wa_credential_lookup(context.credential, context.first.value, &fresh) &&
		wa_networks_have(fresh.networks, &context.from) && covers_used(&fresh))
		return;
	if (!wa_credential_lookup_without_own(context.credential, context.first.value, &fresh))
		refuse_ended();
	check_address(context.credential, &fresh, &context.from);
	if (!covers_used(&fresh))
		refuse_lost(&fresh);
}

/* wa.current_address(): the client's address as wa.authenticate() was told it, or NULL. */
Datum
wa_current_address(PG_FUNCTION_ARGS)
{
	char shown[INET6_ADDRSTRLEN];

	if (wa_context_principal() == NULL || !wa_client_address_show(&context.from, shown))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(shown));
}

/* Whether somebody is bound whose request was counted. */
static bool
is_counted(void)
{
	return wa_context_principal() != NULL && context.counted;
}

/* wa.current_rate(): the requests a minute of the bound key, or NULL if they are not counted. */
Datum
wa_current_rate(PG_FUNCTION_ARGS)
{
	if (!is_counted() || context.principal.rate.per_minute == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(context.principal.rate.per_minute);
}

/* wa.current_rate_left(): how many requests the bound key could make at once, or NULL. */
Datum
wa_current_rate_left(PG_FUNCTION_ARGS)
{
	if (!is_counted())
		PG_RETURN_NULL();
	PG_RETURN_INT32(context.rate.left);
}

/* wa.current_rate_full_in(): the seconds until that is the whole burst, or NULL. */
Datum
wa_current_rate_full_in(PG_FUNCTION_ARGS)
{
	if (!is_counted())
		PG_RETURN_NULL();
	PG_RETURN_INT32(wa_key_rate_seconds(context.rate.full_us));
}

/* wa.member_role(): the bound person's role in the organization, or NULL. */
Datum
wa_member_role(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = wa_context_principal();

	if (principal == NULL || principal->role == NULL)
		PG_RETURN_NULL();
	context.owner_told |= is_owner(principal);
	PG_RETURN_TEXT_P(cstring_to_text(principal->role));
}

/* wa.has_own_permission(permission): the same for an own permission. */
Datum
wa_has_own_permission(PG_FUNCTION_ARGS)
{
	WaPermissions bit = own_argument(fcinfo);
	const WaPrincipal *principal = wa_context_principal();

	if (principal == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BOOL((principal->permissions & bit) != 0);
}

/*
 * wa.holds_permission(permission): whether the credential has it, even if the binding was asked
 * for others only.  NULL if nobody is bound.
 */
Datum
wa_holds_permission(PG_FUNCTION_ARGS)
{
	if (wa_context_principal() == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BOOL((context.held & wa_permission_bit(PG_GETARG_OID(0))) != 0);
}

/*
 * wa.is_socket(): whether the transaction is bound by the credential of a realtime socket, and
 * not by that of the key or person behind the socket.
 */
Datum
wa_is_socket(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = wa_context_principal();

	PG_RETURN_BOOL(principal != NULL && principal->kind != WA_PRINCIPAL_SYSTEM &&
				   context.credential == WAK_TICKET);
}

/* wa.require_org(): the bound organization, or an error. */
Datum
wa_require_org(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(wa_uuid_datum(&required_principal()->org_id));
}

/* wa.require_permission(permission): an error unless the binding has it. */
Datum
wa_require_permission(PG_FUNCTION_ARGS)
{
	check_not_null(fcinfo, "permission");
	permitted_principal(wa_permission_bit(PG_GETARG_OID(0)));
	PG_RETURN_VOID();
}

/* wa.require_own_permission(permission): the same for an own permission. */
Datum
wa_require_own_permission(PG_FUNCTION_ARGS)
{
	permitted_principal(own_argument(fcinfo));
	PG_RETURN_VOID();
}

/*
 * wa.org_for_any_key(permission): the bound organization if the binding has the permission,
 * otherwise an error.  The policies of our own tables compare with this.
 */
Datum
wa_org_for_any_key(PG_FUNCTION_ARGS)
{
	check_not_null(fcinfo, "permission");
	PG_RETURN_DATUM(
		wa_uuid_datum(&permitted_principal(wa_permission_bit(PG_GETARG_OID(0)))->org_id));
}

/* wa.org_for_own_any_key(permission): the same for an own permission. */
Datum
wa_org_for_own_any_key(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(wa_uuid_datum(&permitted_principal(own_argument(fcinfo))->org_id));
}

/* The organization of somebody who is no test key. */
static Datum
live_org(const WaPrincipal *principal)
{
	if (principal->is_test)
	{
		wa_request_deny(context.credential, principal, WA_DENIED_PERMISSION);
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("a test key cannot use this table"),
						errhint("wa.protect() opens a table to test keys if test_keys is true."),
						err_generic_string(PG_DIAG_CONSTRAINT_NAME, "test")));
	}
	return wa_uuid_datum(&principal->org_id);
}

/*
 * wa.org_for(permission): the same, but an error for a test key.  The policies of the tables of
 * applications compare with this.
 */
Datum
wa_org_for(PG_FUNCTION_ARGS)
{
	check_not_null(fcinfo, "permission");
	PG_RETURN_DATUM(live_org(permitted_principal(wa_permission_bit(PG_GETARG_OID(0)))));
}

/* wa.org_for_own(permission): the same for an own permission. */
Datum
wa_org_for_own(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(live_org(permitted_principal(own_argument(fcinfo))));
}
