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

#include "src/client_address.h"
#include "src/context.h"

/* Installs the shared memory hooks.  Called once, at load by shared_preload_libraries. */
extern void wa_usage_init(void);

/*
 * Records that an API key was accepted just now.  "from" is where the request came from, as the
 * caller says.  Raises no error and writes only to shared memory.
 */
extern void wa_usage_note(const WaPrincipal *key, const WaClientAddress *from);

#endif
