/*-------------------------------------------------------------------------
 *
 * request_outcome.c
 *		How the request of an API key ended, for its counts; see request_outcome.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "src/guesses.h"
#include "src/key_lookup.h"
#include "src/request_outcome.h"

/* The request of this transaction to which nothing was denied yet. */
static bool is_allowed = false;
static pg_uuid_t allowed_org;
static pg_uuid_t allowed_key;

void
wa_request_begin(WakKind kind, const WaPrincipal *principal)
{
	if (principal->kind != WA_PRINCIPAL_KEY || kind == WAK_TICKET)
		return;
	is_allowed = true;
	allowed_org = principal->org_id;
	allowed_key = principal->id;
}

void
wa_request_end(void)
{
	if (is_allowed)
		wa_usage_count(&allowed_org, &allowed_key, WA_ALLOWED);
	is_allowed = false;
}

void
wa_request_deny(WakKind kind, const WaPrincipal *principal, WaOutcome outcome)
{
	is_allowed = false;
	if (principal->kind == WA_PRINCIPAL_KEY && kind != WAK_TICKET)
		wa_usage_count(&principal->org_id, &principal->id, outcome);
}

void
wa_request_deny_invalid(WakKind kind, const uint8 digest[WA_DIGEST_LENGTH], const WaSecret *secret)
{
	WaPrincipal key = {.kind = WA_PRINCIPAL_NONE};

	is_allowed = false;
	if (!wak_is_key(kind))
		return;
	switch (wa_key_state(digest, &key))
	{
		case WA_KEY_UNKNOWN:
			if (secret != NULL)
				wa_guesses_count(secret);
			break;
		case WA_KEY_REVOKED:
			wa_request_deny(kind, &key, WA_DENIED_REVOKED);
			break;
		case WA_KEY_DISABLED:
			wa_request_deny(kind, &key, WA_DENIED_DISABLED);
			break;
		case WA_KEY_FOUND:
			wa_request_deny(kind, &key, WA_DENIED_EXPIRED);
			break;
	}
}
