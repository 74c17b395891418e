/*-------------------------------------------------------------------------
 *
 * context.c
 *		Who this transaction acts for, and what it may do.
 *
 * The identity of a transaction lives in this file's static memory and nowhere
 * else: no setting, table or temporary object that SQL can write is ever
 * believed.  It is bound by wa.authenticate() (a credential) or wa.act_for()
 * (a system process), and it ends with the transaction.
 *
 * Invariants:
 * - Set once.  The first identity that a transaction binds is the only one that
 *   it can bind until it ends, even if a savepoint is rolled back in between.
 * - What a subtransaction adds dies with it, a binding as well as a permission
 *	 that was asked for later: it is handed to the parent at subcommit and taken
 *	 back at subabort.
 * - A binding covers the permissions that it was asked for, and no other that
 *	 the credential has, unless it was not asked for any; presenting the credential
 *	 again can add to it.  A statement that gets into the wrong request, by a
 *	 name that somebody prepared anew, finds no more than the request needed.
 * - Nothing survives commit, abort or prepare.
 * - A commit that writes rests on the credential like a statement does: what the
 *	 transaction has required of it is verified once more.  So it is when a query that
 *	 writes or locks has run, or whoever waited for a row with a credential that has ended
 *	 meanwhile could keep it from those who wait behind them.  A savepoint that took the
 *	 binding away does not change that.  What the transaction itself has changed does
 *	 not count against it, or nobody could end a credential with that credential.
 * - Before a binding is used, pending invalidations are taken in; if anything
 *   that the credential rests on changed, or its time has come, it is looked up
 *   again.  A running transaction thus learns of a revocation, a sign-out or a
 *   change of role at its next statement.
 *
 * The getters are PARALLEL RESTRICTED, so that they never run in a worker
 * process, whose copy of this memory is empty, and STABLE, so that no plan
 * holds their answer.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "src/common/memory.h"
#include "src/compatibility.h"
#include "src/context.h"
#include "src/credential.h"
#include "src/event_writers.h"
#include "src/row_lookup.h"
#include "src/secret.h"
#include "src/usage.h"

/*
 * What was bound, as a value to compare: a credential's digest, or the
 * organization that a system process acts for.
 */
typedef struct Identity
{
	WaPrincipalKind kind; /* NONE: nothing was bound yet; of a credential
								 * always KEY, whatever it turned out to be */
	uint8 value[WA_DIGEST_LENGTH];
} Identity;

/*
 * A subtransaction that has bound or asked for something, and what was there
 * before it did.  The innermost is first; each level is there at most once.
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
	Identity first;        /* of this transaction; outlives savepoints */
	WakKind credential;    /* what kind of credential it was, if it was one */
	WaPrincipal principal; /* kind NONE: nobody is bound now */
	WaPermissions asked;   /* all that the binding may cover */
	WaPermissions held;    /* all that the credential has, asked for or not */
	bool served;           /* a statement of the client's has run, other than to bind */
	bool relied_on;        /* something has asked who is bound, and was told */
	bool owner_told;       /* it was told that this is an owner */
	WaPermissions used;    /* what was required of the binding so far */
	uint64 generation;     /* of what it was read from when it was verified */
	Addition *additions;   /* in TopTransactionContext; NULL: none */
} Context;

static Context context;

PG_FUNCTION_INFO_V1(wa_authenticate);
PG_FUNCTION_INFO_V1(wa_act_for);
PG_FUNCTION_INFO_V1(wa_current_org);
PG_FUNCTION_INFO_V1(wa_current_key);
PG_FUNCTION_INFO_V1(wa_current_user_id);
PG_FUNCTION_INFO_V1(wa_current_sign_in);
PG_FUNCTION_INFO_V1(wa_current_expiry);
PG_FUNCTION_INFO_V1(wa_member_role);
PG_FUNCTION_INFO_V1(wa_current_permissions);
PG_FUNCTION_INFO_V1(wa_has_permission);
PG_FUNCTION_INFO_V1(wa_holds_permission);
PG_FUNCTION_INFO_V1(wa_is_socket);
PG_FUNCTION_INFO_V1(wa_require_org);
PG_FUNCTION_INFO_V1(wa_require_permission);
PG_FUNCTION_INFO_V1(wa_org_for);

/* ---------------------------------------------------------------------
 * The end of a transaction
 * ---------------------------------------------------------------------
 */

static void
unbind(void)
{
	wak_wipe(&context.principal, sizeof(context.principal));
	context.principal.kind = WA_PRINCIPAL_NONE;
	context.asked = 0;
	context.held = 0;
	context.relied_on = false;
	context.owner_told = false;
	context.served = false;
	context.used = 0;
}

/* It would be committed by nobody knows whom, at any time. */
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
			unbind();
			context.additions = NULL;
			wak_wipe(&context.first, sizeof(context.first));
			context.first.kind = WA_PRINCIPAL_NONE;
			break;
		case XACT_EVENT_PRE_COMMIT:
			/* deferred triggers have run, but other callbacks may query */
			wa_context_verify_written();
			break;
		case XACT_EVENT_PRE_PREPARE:
			check_not_bound();
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			/* a worker process knows of no binding, and writes nothing */
			break;
	}
}

/*
 * The parent has what its subtransaction added.  What was there before it stays known
 * where that can still be taken back.
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
 * What the subtransaction added is gone.  What the credential can do may have
 * been read from rows that are gone as well, so that it is verified again.
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

/* ---------------------------------------------------------------------
 * Errors.  Whatever is wrong with a credential, its owner hears the same.
 * ---------------------------------------------------------------------
 */

pg_noreturn static void
refuse_credential(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
					errmsg("credential is not valid")));
}

/*
 * Programs tell this from a credential that is not valid by the constraint-name field, and
 * by this file (gateway/db/own_error.c).
 */
pg_noreturn static void
refuse_nobody(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
					errmsg("no credential is bound to this transaction"),
					errhint("Call wa.authenticate() first, in the same transaction."),
					err_generic_string(PG_DIAG_CONSTRAINT_NAME, "credential")));
}

/* The permission's name also travels in the error's constraint-name field. */
pg_noreturn static void
refuse_permission(WaPermissions missing)
{
	const char *name = wa_permission_name(missing);

	bool was_not_asked =
		context.principal.kind != WA_PRINCIPAL_NONE && (context.asked & missing) == 0;

	ereport(
		ERROR,
		(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission \"%s\" is required", name),
		 was_not_asked && missing == WA_PERMISSION_READ
			 ? errdetail("UPDATE and DELETE with a condition, and RETURNING, read as well.")
			 : 0,
		 was_not_asked ? errhint("wa.authenticate() was called for other permissions only.") : 0,
		 err_generic_string(PG_DIAG_CONSTRAINT_NAME, name)));
}

/* What the transaction has required is not there any more: a permission, or the rank. */
pg_noreturn static void
refuse_lost(const WaPrincipal *fresh)
{
	WaPermissions missing = context.used & ~(fresh->permissions & context.asked);

	if (missing != 0)
		refuse_permission(missing & -missing);
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("only an owner can do this"),
					err_generic_string(PG_DIAG_CONSTRAINT_NAME, "owner")));
}

/*
 * These functions raise where they could return NULL: a caller that passes one
 * by mistake must not take the answer for permission.
 */
static void
check_not_null(FunctionCallInfo fcinfo, const char *what)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", what)));
}

/* ---------------------------------------------------------------------
 * Binding
 * ---------------------------------------------------------------------
 */

/* Refuse an identity that is not the one this transaction already has. */
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

/* Take over what the credential can do now, as far as it was asked for. */
static void
cover(const WaPrincipal *principal, uint64 generation)
{
	context.principal = *principal;
	context.held = principal->permissions;
	context.principal.permissions &= context.asked;
	context.generation = generation;
}

/*
 * Note what is there before this subtransaction adds to it, unless it has already.
 * What the transaction itself adds ends with all the rest.
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

/* A repeated call with the same identity adds what it asks for. */
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
 * What a transaction can be bound for by a credential of this kind, whatever the
 * key or person behind it may do.  That of a socket is there to listen; that the
 * key may manage as well only decides which events it is shown.
 */
static WaPermissions
bindable(WakKind kind)
{
	return kind == WAK_TICKET ? WA_PERMISSION_EVENTS : WA_PERMISSIONS_ALL;
}

/*
 * wa.authenticate(secret, needs, address) returns the id of the key or person.
 * With needs the transaction gets those permissions and no other, with an empty
 * set none, and without it (NULL) all that there are.  The address is where the request came from, for the record of uses.
 */
Datum
wa_authenticate(PG_FUNCTION_ARGS)
{
	Identity identity = {WA_PRINCIPAL_KEY, {0}};
	WaPrincipal principal;
	WaPermissions asked;
	uint64 generation;
	WaSecret *secret;
	pg_uuid_t *result;

	if (PG_ARGISNULL(0))
		refuse_credential();
	secret = PG_GETARG_SECRET_P(0);
	memcpy(identity.value, secret->digest, WA_DIGEST_LENGTH);
	check_set_once(&identity);

	generation = wa_row_generation();
	if (!wa_credential_lookup((WakKind) secret->kind, identity.value, &principal))
		refuse_credential();
	asked = bindable((WakKind) secret->kind);
	if (!PG_ARGISNULL(1))
	{
		WaPermissions needed = PG_GETARG_PERMISSIONS(1);
		WaPermissions missing = needed & ~(principal.permissions & asked);

		if (missing != 0)
			refuse_permission(missing & -missing);
		asked = needed;
	}
	bind_identity(&identity, &principal, asked, generation);
	context.credential = (WakKind) secret->kind;
	/* its next statement may read events */
	if ((asked & WA_PERMISSION_EVENTS) != 0)
		wa_event_writers_observe();
	if (principal.kind == WA_PRINCIPAL_KEY)
		wa_usage_note(&principal, PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2));

	result = palloc(sizeof(pg_uuid_t));
	*result = principal.id;
	PG_RETURN_UUID_P(result);
}

/*
 * wa.act_for(org): a system process binds one organization for one
 * transaction.  Who may is a matter of EXECUTE.
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

/* ---------------------------------------------------------------------
 * Use
 * ---------------------------------------------------------------------
 */

/* Whether what was verified when the binding was made may have changed. */
static bool
must_verify_again(uint64 generation)
{
	return context.generation != generation ||
		   (context.principal.expires_at != DT_NOEND &&
			context.principal.expires_at <= GetCurrentTimestamp());
}

/*
 * The principal that this transaction acts for now, verified, or NULL when
 * nobody is bound.  Raises an error if the credential was revoked or expired since.
 */
static const WaPrincipal *
current_principal(void)
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
			refuse_credential();
		cover(&fresh, generation);
	}
	return &context.principal;
}

static const WaPrincipal *
required_principal(void)
{
	const WaPrincipal *principal = current_principal();

	if (principal == NULL)
		refuse_nobody();
	return principal;
}

static const WaPrincipal *
permitted_principal(Oid permission)
{
	const WaPrincipal *principal = required_principal();
	WaPermissions needed = wa_permission_bit(permission);

	if ((principal->permissions & needed) == 0)
		refuse_permission(needed);
	context.used |= needed;
	return principal;
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

	/* who is bound has no use for another binding */
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

void
wa_context_require(WaPermissions used)
{
	WaPermissions missing = used & ~required_principal()->permissions;

	if (missing != 0)
		refuse_permission(missing & -missing);
}

static bool
is_owner(const WaPrincipal *principal)
{
	return principal->role != NULL && strcmp(principal->role, "owner") == 0;
}

/* Whether all that the transaction has required is there. */
static bool
covers_used(const WaPrincipal *principal)
{
	return (context.used & ~(principal->permissions & context.asked)) == 0 &&
		   (!context.owner_told || is_owner(principal));
}

/* Whether what the transaction has required is known to be there, without a look. */
static bool
is_verified(void)
{
	return context.principal.kind != WA_PRINCIPAL_NONE && !must_verify_again(wa_row_generation()) &&
		   covers_used(&context.principal);
}

/*
 * What has not been written needs nobody.  Of what this transaction has changed itself
 * both are good enough: the credential as it has left it (it may have made it), and as it
 * was before.
 */
void
wa_context_verify_written(void)
{
	WaPrincipal fresh;

	if (context.first.kind != WA_PRINCIPAL_KEY ||
		!TransactionIdIsValid(GetTopTransactionIdIfAny()) || is_verified())
		return;
	if (wa_credential_lookup(context.credential, context.first.value, &fresh) &&
		covers_used(&fresh))
		return;
	if (!wa_credential_lookup_without_own(context.credential, context.first.value, &fresh))
		refuse_credential();
	if (!covers_used(&fresh))
		refuse_lost(&fresh);
}

static Datum
uuid_datum(const pg_uuid_t *id)
{
	pg_uuid_t *copy = palloc(sizeof(pg_uuid_t));

	*copy = *id;
	return UUIDPGetDatum(copy);
}

/* wa.current_org(): the bound organization, or NULL. */
Datum
wa_current_org(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = current_principal();

	if (principal == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(uuid_datum(&principal->org_id));
}

/* wa.current_key(): the bound API key, or NULL. */
Datum
wa_current_key(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = current_principal();

	if (principal == NULL || principal->kind != WA_PRINCIPAL_KEY)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(uuid_datum(&principal->id));
}

/* wa.current_user_id(): the bound person, or NULL. */
Datum
wa_current_user_id(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = current_principal();

	if (principal == NULL || principal->kind != WA_PRINCIPAL_USER)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(uuid_datum(&principal->id));
}

/* wa.current_sign_in(): the sign-in behind the bound person's token, or NULL. */
Datum
wa_current_sign_in(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = current_principal();

	if (principal == NULL || principal->kind != WA_PRINCIPAL_USER)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(uuid_datum(&principal->sign_in_id));
}

/* wa.current_expiry(): when the bound credential ends; infinity: never; NULL: nobody is bound. */
Datum
wa_current_expiry(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = current_principal();

	if (principal == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(principal->expires_at);
}

/* wa.member_role(): the bound person's role in the organization, or NULL. */
Datum
wa_member_role(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = current_principal();

	if (principal == NULL || principal->role == NULL)
		PG_RETURN_NULL();
	context.owner_told |= is_owner(principal);
	PG_RETURN_TEXT_P(cstring_to_text(principal->role));
}

/* wa.current_permissions(): what the bound credential may do, or NULL. */
Datum
wa_current_permissions(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = current_principal();

	if (principal == NULL)
		PG_RETURN_NULL();
	PG_RETURN_PERMISSIONS(principal->permissions);
}

/* wa.has_permission(permission): NULL when nobody is bound. */
Datum
wa_has_permission(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = current_principal();

	if (principal == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BOOL((principal->permissions & wa_permission_bit(PG_GETARG_OID(0))) != 0);
}

/*
 * wa.holds_permission(permission): whether the credential has it, also when
 * the binding was asked for another one only.  NULL when nobody is bound.
 */
Datum
wa_holds_permission(PG_FUNCTION_ARGS)
{
	if (current_principal() == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BOOL((context.held & wa_permission_bit(PG_GETARG_OID(0))) != 0);
}

/*
 * wa.is_socket(): whether the transaction acts with the credential of a realtime
 * socket and not with that of the key or person behind it.
 */
Datum
wa_is_socket(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = current_principal();

	PG_RETURN_BOOL(principal != NULL && principal->kind != WA_PRINCIPAL_SYSTEM &&
				   context.credential == WAK_TICKET);
}

/* wa.require_org(): the bound organization, or an error. */
Datum
wa_require_org(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(uuid_datum(&required_principal()->org_id));
}

/* wa.require_permission(permission): an error unless it is there. */
Datum
wa_require_permission(PG_FUNCTION_ARGS)
{
	check_not_null(fcinfo, "permission");
	permitted_principal(PG_GETARG_OID(0));
	PG_RETURN_VOID();
}

/*
 * wa.org_for(permission): the bound organization for one who has the
 * permission, or an error.  What row security policies compare with.
 */
Datum
wa_org_for(PG_FUNCTION_ARGS)
{
	check_not_null(fcinfo, "permission");
	PG_RETURN_DATUM(uuid_datum(&permitted_principal(PG_GETARG_OID(0))->org_id));
}
