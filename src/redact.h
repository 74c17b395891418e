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

/* Install the log hook; called once, at load by shared_preload_libraries. */
extern void wa_redact_init(void);

/* This session is a sealed login's: no literal in its statements is anybody's secret. */
extern void wa_redact_show_statements(void);

/* Whether a text holds something that looks like a credential; NULL holds none. */
extern bool wa_holds_secret(const char *text);

#endif
