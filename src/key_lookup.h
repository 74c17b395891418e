/*-------------------------------------------------------------------------
 *
 * key_lookup.h
 *		API keys: what a row of the key table stands for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_KEY_LOOKUP_H
#define SRC_KEY_LOOKUP_H

#include "postgres.h"

#include "src/context.h"

typedef enum WaKeyState
{
	WA_KEY_UNKNOWN,
	WA_KEY_REVOKED,
	WA_KEY_DISABLED, /* switched off */
	WA_KEY_FOUND     /* none of these; it may have expired */
} WaKeyState;

/*
 * Reads the API key with this digest, as committed at this moment.  Returns true and fills
 * *principal, whose list of sessions is in the current memory context, or returns false if the
 * key is unknown or revoked.  The caller checks whether it has expired.
 */
extern bool wa_key_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal);

/*
 * Why a key is not accepted, for the counts of denied requests.  Fills the kind, the organization
 * and the id of *principal unless the key is unknown, and all of it if it was found.
 */
extern WaKeyState wa_key_state(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal);

/* As wa_key_read() for the key of an organization with this id. */
extern bool wa_key_read_by_id(const pg_uuid_t *org_id, const pg_uuid_t *id, WaPrincipal *principal);

#endif
