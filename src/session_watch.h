/*-------------------------------------------------------------------------
 *
 * session_watch.h
 *		What a sealed session can hold: its transaction and its memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WA_SESSION_WATCH_H
#define WA_SESSION_WATCH_H

/* Define the setting and the callbacks; called once, at load by preload. */
extern void wa_session_watch_init(void);

/* This session's login is sealed; called once, when the client authenticates. */
extern void wa_session_watch_begin(void);

/*
 * Look after the session: wind up its clock where it has stopped, and end the
 * session where it holds too much memory.  Costs nearly nothing, in a session that
 * is not sealed nothing.
 */
extern void wa_session_watch(void);

#endif /* WA_SESSION_WATCH_H */
