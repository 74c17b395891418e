/*
 * realtime_stage.h
 *		Sockets whose database and clients are the test's own.
 *
 * The database is that of db_stage.h.  What floors below and beside are told is only noted:
 * these functions replace the program's, so that a test that links this links it in front
 * of the rest.  A test that is not about waiting (wait.c) replaces that, too.
 */
#ifndef REALTIME_STAGE_H
#define REALTIME_STAGE_H

#include "realtime/realtime_internal.h"

/* A credential that lives for so long is no concern of any timer. */
#define STAGE_FOR_LONG (2 * EXPIRY_SWEEP_MS + 60000)

/* A socket that a client has opened. */
typedef struct StageSocket
{
	Member *member; /* NULL: it is closed, or its client has left */
	int code;       /* with which it was closed; 0: it was not */
	int sends;      /* how often something was sent to it */
} StageSocket;

extern void stage_start(void);
extern void stage_stop(void);

/* In which organization sockets are opened, and things happen, from now on; at first 1. */
extern void stage_enter(uint8_t org);

/*
 * Opens a socket of this key or person that wants these types, NULL for all; its credential
 * ends in so many milliseconds.
 */
extern void stage_open(StageSocket *socket, const char *credential, uint8_t holder, bool is_key,
					   const char *types, int64_t ends_ms);

/* ... and answers until it is live. */
extern void stage_open_live(StageSocket *socket, const char *credential, const char *types);

/* Its client leaves. */
extern void stage_leave(StageSocket *socket);

/* Something has happened. */
extern void stage_wake(void);

/* Whose credential the read under way has; NULL: nothing is read. */
extern const char *stage_reader(void);

/*
 * Answers the read under way: so many events, after which there are no more; or a refusal.
 * And all that are under way or begin then, without events.
 */
extern void stage_answer_events(int count);
extern void stage_settle(void);
extern void stage_refuse(const char *sqlstate);

#endif /* REALTIME_STAGE_H */
