/*-------------------------------------------------------------------------
 *
 * reach.c
 *		The sessions that the bound credential reaches.
 *
 * An API key may be restricted to some sessions of its organization, and a test
 * key reaches only those of the sandbox: a key with both restrictions reaches
 * what both allow.  The policies wa_reach (schema/57-policies-sessions.sql) ask
 * these functions for each row of a table whose rows belong to a session.
 * People, system processes, other keys and transactions that are bound to nobody
 * reach every session.
 *
 * Which sessions are of the sandbox says their column "connector", and the row
 * is read as it is committed now.  The row of a new session is not there yet
 * when its policy is asked, so that policy passes the column.
 *
 * What belongs to no session, such as an event about a key, is out of reach of
 * a restricted key.
 *
 * An event is written for everybody who wants it, whoever has caused it.  So
 * the statement that writes it sees the webhooks of all sessions (event_log.c).
 * It is not the client's, and nothing of what it sees is returned.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/uuid.h"

#include "src/client_address.h"
#include "src/compatibility.h"
#include "src/context.h"
#include "src/credential.h"
#include "src/permissions.h"
#include "src/reach.h"
#include "src/row_lookup.h"
#include "src/secret.h"

enum
{
	WEBHOOK_ORG_ID,
	WEBHOOK_ID,
	WEBHOOK_SESSION_ID
};

static WaLookupTable webhooks = {
	.name = "webhook",
	.index = "webhook_pkey",
	.key_count = 2,
	.columns = {"org_id", "id", "session_id"},
};

enum
{
	SESSION_ORG_ID,
	SESSION_ID,
	SESSION_CONNECTOR
};

static WaLookupTable sessions = {
	.name = "session",
	.index = "session_pkey",
	.key_count = 2,
	.columns = {"org_id", "id", "connector"},
};

/* The kind of connector whose sessions have simulated telephones. */
#define SANDBOX "sandbox"

/* How many wa_reach_begin_all() have no wa_reach_end_all() yet. */
static int all_reached = 0;

PG_FUNCTION_INFO_V1(wa_reaches);
PG_FUNCTION_INFO_V1(wa_reaches_session);
PG_FUNCTION_INFO_V1(wa_reaches_webhook);
PG_FUNCTION_INFO_V1(wa_credential_reaches);
PG_FUNCTION_INFO_V1(wa_is_restricted_to_sessions);
PG_FUNCTION_INFO_V1(wa_count_denied_session);

void
wa_reach_begin_all(void)
{
	all_reached++;
}

void
wa_reach_end_all(void)
{
	all_reached--;
}

/* The bound principal if it is restricted to some sessions, otherwise NULL. */
static const WaPrincipal *
restricted_principal(void)
{
	const WaPrincipal *principal = all_reached > 0 ? NULL : wa_context_principal();

	return principal != NULL && (principal->sessions != NULL || principal->is_test) ? principal
																					: NULL;
}

static bool
is_sandbox(const text *connector)
{
	return VARSIZE_ANY_EXHDR(connector) == strlen(SANDBOX) &&
		   memcmp(VARDATA_ANY(connector), SANDBOX, strlen(SANDBOX)) == 0;
}

/* Whether an organization has this session in the sandbox. */
static bool
is_in_sandbox(const pg_uuid_t *org_id, const pg_uuid_t *session)
{
	Datum keys[] = {UUIDPGetDatum(org_id), UUIDPGetDatum(session)};
	WaLookupRow row;

	return wa_row_find(&sessions, keys, &row) &&
		   is_sandbox(DatumGetTextPP(row.values[SESSION_CONNECTOR]));
}

static bool
lists(const WaPrincipal *principal, const pg_uuid_t *session)
{
	return principal->sessions == NULL || wa_principal_lists(principal, session);
}

static bool
reaches(const WaPrincipal *principal, const pg_uuid_t *session)
{
	return lists(principal, session) &&
		   (!principal->is_test || is_in_sandbox(&principal->org_id, session));
}

/* wa.reaches(session): whether the bound credential reaches it; NULL is no session. */
Datum
wa_reaches(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = restricted_principal();

	PG_RETURN_BOOL(principal == NULL ||
				   (!PG_ARGISNULL(0) && reaches(principal, PG_GETARG_UUID_P(0))));
}

/* wa.reaches_session(session, connector): the same for the row of a session itself. */
Datum
wa_reaches_session(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = restricted_principal();

	PG_RETURN_BOOL(principal == NULL ||
				   (lists(principal, PG_GETARG_UUID_P(0)) &&
					(!principal->is_test || is_sandbox(PG_GETARG_TEXT_PP(1)))));
}

/*
 * wa.reaches_webhook(org, webhook): whether the bound credential reaches the session that the
 * webhook is for.
 */
Datum
wa_reaches_webhook(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = restricted_principal();
	Datum keys[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};
	WaLookupRow row;

	if (principal == NULL)
		PG_RETURN_BOOL(true);
	PG_RETURN_BOOL(wa_row_find(&webhooks, keys, &row) && !row.nulls[WEBHOOK_SESSION_ID] &&
				   reaches(principal, DatumGetUUIDP(row.values[WEBHOOK_SESSION_ID])));
}

/*
 * wa.credential_reaches(secret, needs, address, session): whether a credential that is valid has
 * the permission, can be used from there, and reaches the session; NULL is any.
 */
Datum
wa_credential_reaches(PG_FUNCTION_ARGS)
{
	const WaSecret *secret;
	WaPermissions needs;
	WaClientAddress from;
	WaPrincipal principal;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	secret = PG_GETARG_SECRET_P(0);
	needs = wa_permission_bit(PG_GETARG_OID(1));
	wa_client_address_read(PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2), &from);
	if (!wa_credential_lookup((WakKind) secret->kind, secret->digest, &principal))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL((needs & ~principal.permissions) == 0 &&
				   wa_networks_have(principal.networks, &from) &&
				   (PG_ARGISNULL(3) || reaches(&principal, PG_GETARG_UUID_P(3))));
}

/*
 * wa.is_restricted_to_sessions(): whether the bound credential is restricted to some sessions,
 * be it by a list or because it is a test key.
 */
Datum
wa_is_restricted_to_sessions(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(restricted_principal() != NULL);
}

/*
 * wa.count_denied_session(session): counts a request that is refused, if the bound key is
 * restricted and does not reach the session.  NULL is one that none of these keys reaches.
 */
Datum
wa_count_denied_session(PG_FUNCTION_ARGS)
{
	const WaPrincipal *principal = restricted_principal();

	if (principal != NULL && (PG_ARGISNULL(0) || !reaches(principal, PG_GETARG_UUID_P(0))))
		wa_context_deny_session();
	PG_RETURN_VOID();
}
