/*-------------------------------------------------------------------------
 *
 * guesses.h
 *		How often keys were presented that nobody has.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_GUESSES_H
#define SRC_GUESSES_H

#include "postgres.h"

#include "src/secret.h"

/* Installs the shared memory hooks.  Called once, at load by shared_preload_libraries. */
extern void wa_guesses_init(void);

/* Counts a key that is unknown.  Raises no error and writes only to shared memory. */
extern void wa_guesses_count(const WaSecret *secret);

#endif
