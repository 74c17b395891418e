/*-------------------------------------------------------------------------
 *
 * key_rate.h
 *		The requests of keys that have a limit are counted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_KEY_RATE_H
#define SRC_KEY_RATE_H

#include "postgres.h"

#include "src/common/token_bucket.h"
#include "src/compatibility.h"
#include "src/context.h"

/* Installs the shared memory hooks.  Called once, at load by shared_preload_libraries. */
extern void wa_key_rate_init(void);

/*
 * Counts a request of a key that has a rate, and returns what is left.  The request is not taken if
 * the key has made too many.
 */
extern WakBucketState wa_key_rate_take(const WaPrincipal *key);

/* Raises 53400 for a request that was not taken.  The error's detail begins with the seconds to wait. */
pg_noreturn extern void wa_key_rate_refuse(const WaPrincipal *key, WakBucketState state);

/* Microseconds as whole seconds, rounded up. */
extern int wa_key_rate_seconds(int64 us);

#endif
