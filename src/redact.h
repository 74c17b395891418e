/*-------------------------------------------------------------------------
 *
 * redact.h
 *		Credentials never reach the server log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_REDACT_H
#define SRC_REDACT_H

#include "postgres.h"

/* Installs the log hook.  Called once, at load by shared_preload_libraries. */
extern void wa_redact_init(void);

/* Called in the session of a sealed login: the literals in its statements are not secret. */
extern void wa_redact_show_statements(void);

/* Whether a text contains something that looks like a credential.  NULL contains none. */
extern bool wa_holds_secret(const char *text);

#endif
