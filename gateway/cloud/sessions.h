/*
 * sessions.h
 *		The sessions that this process leases, and how they are connected.
 *
 *	OPENING ──credentials──▶ CHECKING ──the number works──▶ WORKING ──▶ (looked at again and again)
 *	   │                        │                              │
 *	   └────────────────────────┴──────────▶ FAILED ◀──────────┘
 *
 * Other credentials, or a restart, begin with OPENING again.
 */
#ifndef CLOUD_SESSIONS_H
#define CLOUD_SESSIONS_H

#include "cloud/cloud.h"
#include "cloud/pace.h"

#define SESSIONS_MAX 1000 /* leased at once; other processes take the rest */

typedef enum SessionState
{
	SESSION_OPENING,  /* its credentials are asked for */
	SESSION_CHECKING, /* Meta is asked about its number */
	SESSION_WORKING,  /* its messages are sent */
	SESSION_FAILED    /* nothing is done until a person has acted */
} SessionState;

typedef struct Sessions Sessions;
typedef struct CloudSession CloudSession;

/* What others may read of a session, and its pace, which they keep. */
typedef struct SessionView
{
	ConnectorId org;
	ConnectorId id;
	SessionState state;
	const CloudCredentials *credentials; /* CHECKING, WORKING */
	uint64_t connection;                 /* another number: it was begun anew meanwhile */
	Pace pace;
} SessionView;

/*
 * Takes and renews leases every second, and connects the sessions.  changed(context) is called when
 * a session has another state or is gone, from the loop.  The cloud is borrowed.  NULL: out of
 * memory.
 */
extern Sessions *sessions_start(const Cloud *cloud, void (*changed)(void *context), void *context);

/* The session, if it is leased; valid until the loop's next turn. */
extern SessionView *sessions_find(const Sessions *sessions, const ConnectorId *id);

/* Something about the number or its account has changed: Meta is asked about the number soon. */
extern void sessions_look(SessionView *session);

/* Meta has said something that only a person can mend: the session fails, for this reason. */
extern void sessions_fail(SessionView *session, const char *reason);

/* Ends the connections and the renewal of leases. */
extern void sessions_stop(Sessions *sessions);

/*
 * Gives the leases back, so that another process need not wait until they expire.  Then it calls
 * released(context).
 */
extern void sessions_release(Sessions *sessions, void (*released)(void *context), void *context);

/* Ends all at once.  The argument may be NULL. */
extern void sessions_free(Sessions *sessions);

#endif
