/*-------------------------------------------------------------------------
 *
 * credential.c
 *		From a credential to the principal that it stands for.
 *
 * Each kind of credential has a file that reads it (key_lookup.c, user_token.c,
 * socket_credential.c).  A small cache in each backend keeps verified
 * credentials of all kinds, so that most requests need no look-up.
 *
 * Invariants:
 * - An entry counts only if its generation is the current one (row_lookup.c).
 * - A transaction that has written anything caches nothing: it may have read
 *   its own changes, which may still be rolled back.
 * - A socket's credential is not cached.  Sockets are opened and closed all the
 *   time, and each closed one would make every backend read all its other
 *   credentials again.
 * - Only positive results are cached, so that guessed credentials take no
 *   entries.
 * - The table is direct mapped and of fixed size.  A newer credential replaces
 *   an older one with the same first digest bytes.  The digest covers the whole
 *   credential with its prefix, so credentials of two kinds never have the same
 *   one.
 * - The lists of sessions and networks of a cached key are in pieces of memory
 *   of their own, because few keys have them.  They are freed when the slot is
 *   emptied.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "src/credential.h"
#include "src/key_lookup.h"
#include "src/socket_credential.h"
#include "src/row_lookup.h"
#include "src/secret.h"
#include "src/user_token.h"
#include "src/uuid_datum.h"

/*
 * The size of the cache: 1024 credentials, about 130 kB in each backend that uses it, and up to
 * 600 bytes for each key's list of networks and 512 for its list of sessions.
 */
#define CACHE_SLOTS 1024

typedef struct CachedCredential
{
	uint64 generation; /* 0: the slot is empty */
	uint8 digest[WA_DIGEST_LENGTH];
	WaPrincipal principal;
} CachedCredential;

static CachedCredential *cache = NULL;

PG_FUNCTION_INFO_V1(wa_credential_org);

/*
 * Reads what the credential stands for.  Sign-ins, devices, invitations and tickets that have
 * opened no socket have functions of their own that take them.  They bind nobody.
 */
static bool
read_credential(WakKind kind, const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal)
{
	switch (kind)
	{
		case WAK_TEST_KEY:
		case WAK_API_KEY:
		case WAK_IMPORTED_KEY:
			return wa_key_read(digest, principal);
		case WAK_USER_TOKEN:
			return wa_user_token_read(digest, principal);
		case WAK_TICKET:
			return wa_realtime_read(digest, principal);
		case WAK_SIGN_IN:
		case WAK_DEVICE:
		case WAK_INVITATION:
			return false;
	}
	return false;
}

static CachedCredential *
slot_of(const uint8 digest[WA_DIGEST_LENGTH])
{
	uint32 prefix;

	if (cache == NULL)
		cache = MemoryContextAllocZero(TopMemoryContext, CACHE_SLOTS * sizeof(CachedCredential));
	memcpy(&prefix, digest, sizeof(prefix));
	return &cache[prefix % CACHE_SLOTS];
}

static void
empty(CachedCredential *slot)
{
	const pg_uuid_t *sessions = slot->principal.sessions;
	const WaNetworks *networks = slot->principal.networks;

	slot->generation = 0;
	slot->principal.sessions = NULL;
	slot->principal.networks = NULL;
	if (sessions != NULL)
		pfree((void *) sessions);
	if (networks != NULL)
		pfree((void *) networks);
}

static void
keep(CachedCredential *slot, const uint8 digest[WA_DIGEST_LENGTH], const WaPrincipal *principal,
	 uint64 generation)
{
	size_t size = Max(principal->session_count, 1) * sizeof(pg_uuid_t);
	pg_uuid_t *sessions = NULL;
	WaNetworks *networks = NULL;

	empty(slot);
	/* If there is memory for the first list only, it stays in the slot, which is empty. */
	if (principal->sessions != NULL)
	{
		sessions = MemoryContextAllocZero(TopMemoryContext, size);
		memcpy(sessions, principal->sessions, principal->session_count * sizeof(pg_uuid_t));
		slot->principal.sessions = sessions;
	}
	if (principal->networks != NULL)
		networks = wa_networks_copy(principal->networks, TopMemoryContext);
	memcpy(slot->digest, digest, WA_DIGEST_LENGTH);
	slot->principal = *principal;
	slot->principal.sessions = sessions;
	slot->principal.networks = networks;
	slot->generation = generation;
}

static bool
is_in_time(const WaPrincipal *principal)
{
	return principal->expires_at == DT_NOEND || principal->expires_at > GetCurrentTimestamp();
}

bool
wa_credential_lookup(WakKind kind, const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal)
{
	uint64 current = wa_row_generation();
	CachedCredential *slot = slot_of(digest);

	if (slot->generation == current && memcmp(slot->digest, digest, WA_DIGEST_LENGTH) == 0)
		*principal = slot->principal;
	else
	{
		if (!read_credential(kind, digest, principal))
			return false;
		if (kind != WAK_TICKET && !TransactionIdIsValid(GetTopTransactionIdIfAny()))
			keep(slot, digest, principal, current);
	}

	return is_in_time(principal);
}

bool
wa_credential_lookup_without_own(WakKind kind, const uint8 digest[WA_DIGEST_LENGTH],
								 WaPrincipal *principal)
{
	volatile bool found = false;

	wa_row_begin_without_own();
	PG_TRY();
	{
		found = read_credential(kind, digest, principal);
	}
	PG_FINALLY();
	{
		wa_row_end_without_own();
	}
	PG_END_TRY();
	return found && is_in_time(principal);
}

/* wa.credential_org(secret): the organization of a credential that is valid, or NULL. */
Datum
wa_credential_org(PG_FUNCTION_ARGS)
{
	const WaSecret *secret = PG_GETARG_SECRET_P(0);
	WaPrincipal principal;

	if (!wa_credential_lookup((WakKind) secret->kind, secret->digest, &principal))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(wa_uuid_datum(&principal.org_id));
}
