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

/*
 * Read the API key with this digest, as committed at this moment.  Fills
 * *principal and returns true, or returns false for a key that is unknown or
 * revoked.  Whether it has expired is left to the caller.
 */
extern bool wa_key_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal);

/* The same for the key of an organization with this id. */
extern bool wa_key_read_by_id(const pg_uuid_t *org_id, const pg_uuid_t *id, WaPrincipal *principal);

#endif
