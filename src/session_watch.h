/*-------------------------------------------------------------------------
 *
 * session_watch.h
 *		Limits on what a sealed session can hold: its transaction and its memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_SESSION_WATCH_H
#define SRC_SESSION_WATCH_H

/* Defines the settings and the callbacks.  Called once, at load by shared_preload_libraries. */
extern void wa_session_watch_init(void);

/* Called once in the session of a sealed login, when the client authenticates. */
extern void wa_session_watch_begin(void);

/* Arms the timeout of a sealed session if it has stopped.  Costs nearly nothing. */
extern void wa_session_watch(void);

#endif
