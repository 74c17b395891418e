/*-------------------------------------------------------------------------
 *
 * redact.h
 *		Credentials never reach the server log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WA_REDACT_H
#define WA_REDACT_H

/* Install the log hook; called once, at load by shared_preload_libraries. */
extern void wa_redact_init(void);

#endif /* WA_REDACT_H */
