/*-------------------------------------------------------------------------
 *
 * session_watch.h
 *		What a sealed session can hold: its transaction and its memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_SESSION_WATCH_H
#define SRC_SESSION_WATCH_H

/* Define the setting and the callbacks; called once, at load by preload. */
extern void wa_session_watch_init(void);

/* This session's login is sealed; called once, when the client authenticates. */
extern void wa_session_watch_begin(void);

/* Wind up the clock of a sealed session where it has stopped.  Costs nearly nothing. */
extern void wa_session_watch(void);

#endif
