/*-------------------------------------------------------------------------
 *
 * key_lookup.h
 *		From an API key's digest to the principal that it stands for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WA_KEY_LOOKUP_H
#define WA_KEY_LOOKUP_H

#include "postgres.h"

#include "src/context.h"

/* Register the invalidation callback; called once, at load. */
extern void wa_key_lookup_init(void);

/*
 * The key table's generation in this backend, after every change that other
 * backends have committed until now was taken note of.  As long as it stays
 * the same, whatever wa_key_lookup() said still holds, but for expiry.
 */
extern uint64 wa_key_generation(void);

/*
 * Find the live key with this digest, as committed at this moment, whatever
 * snapshot the transaction uses.  Fills *principal and returns true, or
 * returns false for a key that is unknown, revoked or expired: the caller is
 * not told which, so that it can't tell anyone.
 */
extern bool wa_key_lookup(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal);

#endif /* WA_KEY_LOOKUP_H */
