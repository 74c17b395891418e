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

/* The length of the longest IPv6 address as text.  Longer texts are ignored. */
#define WA_ADDRESS_MAX 45

/* Installs the shared memory hooks.  Called once, at load by shared_preload_libraries. */
extern void wa_usage_init(void);

/*
 * Records that an API key was accepted just now.  "address" is where the request came from, as
 * the caller says, or NULL; a text that is no address is ignored.  Raises no error and writes
 * only to shared memory.
 */
extern void wa_usage_note(const WaPrincipal *key, const text *address);

#endif
