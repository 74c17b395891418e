/*
 * realtime.h
 *		Events to WebSockets, as they are committed.
 *
 * A socket is opened with a ticket or with a credential in a header.  The database makes a
 * credential of the socket's own from either, which is worth what the key or the person
 * behind it is worth at each moment; every batch of events is read under one, so that no
 * mistake here can show an organization what is not its own.
 *
 *	open.c		from the request to the socket
 *	wanted.c	what a socket was opened for
 *	member.c	a socket that is open, and the key or person that it belongs to
 *	feed.c		sockets that get the same events, and the reading for them
 *	wait.c		the one database connection that waits for something to happen
 *	forget.c	sockets' credentials that are given back
 *	notices.c	what is said besides events
 */
#ifndef REALTIME_REALTIME_H
#define REALTIME_REALTIME_H

#include "db/db.h"
#include "http/http.h"

typedef struct Realtime Realtime;

/* Told of each event that live sockets get: how long ago it was written, by two clocks. */
typedef void (*RealtimeObserver)(int64_t delay_us, void *context);

typedef struct RealtimeConfig
{
	DbConfig db;              /* whose server is waited at; its connections are not used */
	int timeout_ms;           /* of one statement in the database */
	int heartbeat_ms;         /* as the HTTP server's limits have it */
	int sockets_max;          /* of this process; more: 503 */
	int key_sockets_max;      /* of one key or person, in this process; more: 429 */
	RealtimeObserver observe; /* NULL: nobody wants to know */
	void *observe_context;
} RealtimeConfig;

/* Descriptors that waiting takes besides the pool's own. */
#define REALTIME_DESCRIPTORS 2

/*
 * NULL when memory cannot be had or a statement is not built in.  The caller owns it, and
 * frees it after the HTTP server and before the database.
 */
extern Realtime *realtime_open(struct event_base *base, Db *db, const RealtimeConfig *config);
extern void realtime_free(Realtime *realtime);

/*
 * Takes over a request for a socket, with the ticket or the credential that was found in
 * it; an ApiRealtime, whose context is the Realtime.
 */
extern void realtime_take(void *context, HttpRequest *request, const char *credential, size_t len,
						  bool is_ticket);

/*
 * The sockets are closed; calls done(context) when their credentials were given back, or
 * after REALTIME_DRAIN_MS: what is left then ends by its age.
 */
#define REALTIME_DRAIN_MS 2000

extern void realtime_drain(Realtime *realtime, void (*done)(void *context), void *context);

/* Sockets that are open. */
extern int realtime_sockets(const Realtime *realtime);

#endif
