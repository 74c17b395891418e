/*-------------------------------------------------------------------------
 *
 * usage.h
 *		When each API key was last used, and from where.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_USAGE_H
#define SRC_USAGE_H

#include "postgres.h"

#include "src/context.h"

/* Characters of an address as text, the longest form of IPv6; longer ones are ignored. */
#define WA_ADDRESS_MAX 45

/* Install the shared memory hooks; called once, at load by shared_preload_libraries. */
extern void wa_usage_init(void);

/*
 * Note that an API key was accepted just now.  The address is where the request
 * came from as the caller says, or NULL; one that can't be read is ignored.
 * Raises nothing, and writes to shared memory only.
 */
extern void wa_usage_note(const WaPrincipal *key, const text *address);

#endif
