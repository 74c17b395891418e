/*
 * realtime.h
 *		Sends events to WebSockets when they are committed.
 *
 * A socket is opened with a ticket or with a credential in a header.  From either the
 * database makes a separate credential for the socket.  It is valid only as long as the key
 * or the person behind it may read the events.  Every batch of events is read under such a
 * credential, so a mistake in this code cannot show an organization the events of another
 * one.
 *
 *	open.c		turns a request into an open socket
 *	wanted.c	what a socket was opened for
 *	member.c	open sockets, and the keys or persons that they belong to
 *	feed.c		reads events for sockets that get the same events
 *	wait.c		the one database connection that waits for changes
 *	forget.c	gives the credentials of closed sockets back
 *	notices.c	the frames that a socket gets besides events
 */
#ifndef REALTIME_REALTIME_H
#define REALTIME_REALTIME_H

#include "db/db.h"
#include "http/http.h"

typedef struct Realtime Realtime;

/*
 * Called for each event that live sockets get, with the time since it was written, which
 * compares two clocks.
 */
typedef void (*RealtimeObserver)(int64_t delay_us, void *context);

typedef struct RealtimeConfig
{
	DbConfig db;              /* the server of the connection that waits; the pool's are not used */
	int timeout_ms;           /* of one statement in the database */
	int heartbeat_ms;         /* the same as in the HTTP server's limits */
	int sockets_max;          /* of this process, else 503; of an organization half, else 429 */
	int key_sockets_max;      /* of one key or person in this process; a further one gets a 429 */
	RealtimeObserver observe; /* NULL: events are not measured */
	void *observe_context;
} RealtimeConfig;

/* The descriptors that waiting needs besides those of the pool. */
#define REALTIME_DESCRIPTORS 2

/*
 * Returns NULL when memory is out or a statement is not built in.  The caller owns the
 * result, and frees it after the HTTP server and before the database.
 */
extern Realtime *realtime_open(struct event_base *base, Db *db, const RealtimeConfig *config);
extern void realtime_free(Realtime *realtime);

/*
 * Takes over a request for a socket, with the ticket or the credential that was found in
 * it.  It is an ApiRealtime; its context is the Realtime.
 */
extern void realtime_take(void *context, HttpRequest *request, const char *credential, size_t len,
						  bool is_ticket);

/*
 * Closes the sockets.  Calls done(context) when their credentials were given back, or after
 * REALTIME_DRAIN_MS; the credentials left then expire in the database.
 */
#define REALTIME_DRAIN_MS 2000

extern void realtime_drain(Realtime *realtime, void (*done)(void *context), void *context);

/* The number of open sockets. */
extern int realtime_sockets(const Realtime *realtime);

#endif
