/*
 * wait.c
 *		The one database connection that waits for something to happen.
 *
 * wa.wait_for_events() sleeps in the server until a transaction has committed that wrote
 * an event, or changed a credential, of an organization for which it was handed the
 * credential of a socket here, and says which.  It shows nothing else; what has happened
 * is read by each feed under its own credential.
 *
 * What was handed over is kept by the server for this connection, so that only what is
 * new has to be.  A wait that is under way is ended for that by a knock, which comes over
 * another connection.
 *
 * It has a connection of its own, because a pipeline is answered in order.  Both the
 * connection and the waiting are there only while there are sockets.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "realtime/wait.h"
#include "realtime/state.h"

/* One wait in the database, and the time in which it has to answer. */
#define WAIT_MS 5000
#define WAIT_TIMEOUT_MS (WAIT_MS + 4000)

/* The connection that waits is closed when there was no socket for so long. */
#define WAIT_IDLE_MS 30000

/* Until the next try when waiting failed. */
#define WAIT_RETRY_MS 250

/* After two answers within so short a time the next wait begins this much later: what
 * happens meanwhile is one wake-up instead of many. */
#define BUSY_MS 5
#define PAUSE_MS 2

/* Organizations that are handed over at once: parameters of event_wait. */
#define HANDED_MAX 8

struct Waiting
{
	Realtime *realtime;
	Db *db;                     /* NULL: no connection */
	DbRequest *request;         /* NULL: not waiting */
	DbRequest *knock;           /* NULL: none is under way */
	bool knocked;               /* the wait that is under way was knocked */
	bool wanted;                /* there are sockets */
	uint8_t name[DB_UUID_SIZE]; /* ours, which nobody can guess */
	int64_t answered_ms;
	int64_t lost_ms;     /* since when it fails; 0: it does not */
	struct event *timer; /* the next try, or the end of the connection */
};

static void on_waited(void *arg, const DbResult *result);

static void
start_timer(const Waiting *waiting, int ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_add(waiting->timer, &wait);
}

static bool
open_connection(Waiting *waiting)
{
	const Realtime *realtime = waiting->realtime;
	DbConfig config = realtime->config.db;

	if (waiting->db != NULL)
		return true;
	config.connections = 1;
	config.slow_connections = 0;
	config.costly_connections = 0;
	config.in_flight = 1;
	config.queue = 1;
	waiting->db = db_open(realtime->base, &config);
	return waiting->db != NULL;
}

/* The next organization that has a credential to hand over. */
static Org *
next_to_hand(const Realtime *realtime)
{
	Org *org;

	TAILQ_FOREACH(org, &realtime->unwatched, unwatched_link)
	{
		if (org->state == ORG_UNWATCHED && org_credential(org) != NULL)
			return org;
	}
	return NULL;
}

/*
 * They go to the end, so that one which is not taken keeps nobody waiting.
 */
static bool
add_sockets(Realtime *realtime, DbRequest *request)
{
	for (int i = 0; i < HANDED_MAX; i++)
	{
		Org *org = next_to_hand(realtime);
		const char *credential = org == NULL ? NULL : org_credential(org);

		if (credential == NULL ? !db_param_null(request)
							   : !db_param_text(request, credential, strlen(credential)))
			return false;
		if (org != NULL)
			org_enter(org, ORG_HANDED);
	}
	return true;
}

static bool
submit(Waiting *waiting)
{
	DbRequest *request;

	if (!open_connection(waiting))
		return false;
	request = db_request_new(waiting->realtime->statements.wait, DB_LANE_FAST, WAIT_TIMEOUT_MS,
							 on_waited, waiting);
	if (request == NULL || !db_param_uuid(request, waiting->name) ||
		!db_param_int32(request, WAIT_MS) || !add_sockets(waiting->realtime, request))
	{
		db_request_free(request);
		return false;
	}
	if (!db_submit(waiting->db, request))
		return false;
	waiting->request = request;
	waiting->knocked = false;
	return true;
}

/*
 * Those that were handed over and not taken: their sockets' credentials are asked about.
 */
static void
wake_refused(Realtime *realtime)
{
	Org *next;

	for (Org *org = TAILQ_FIRST(&realtime->unwatched); org != NULL; org = next)
	{
		next = TAILQ_NEXT(org, unwatched_link);
		if (org->state == ORG_HANDED)
		{
			org_enter(org, ORG_UNWATCHED);
			org_wake(org);
		}
	}
}

/*
 * result is NULL if nothing could be asked.  Sockets whose credentials nobody can ask about
 * must not stay open for long.
 */
static void
note_failure(Waiting *waiting, const DbResult *result)
{
	bool refused = result != NULL && result->outcome == DB_REFUSED;
	int64_t now = clock_monotonic_ms();

	if (waiting->lost_ms == 0)
	{
		waiting->lost_ms = now;
		log_line(LOG_LEVEL_WARNING, "waiting_for_events_failed",
				 log_text("sqlstate", refused ? result->sqlstate : ""),
				 log_text("message", refused ? result->message : ""));
	}
	orgs_unwatch_all(waiting->realtime);
	wake_refused(waiting->realtime);
	start_timer(waiting, WAIT_RETRY_MS);
	if (now - waiting->lost_ms > WAIT_LOST_MS)
		members_close_all(waiting->realtime, WEBSOCKET_TRY_LATER, "database cannot be reached");
	feeds_run(waiting->realtime);
}

static void
wait_again(Waiting *waiting)
{
	if (!submit(waiting))
		note_failure(waiting, NULL);
}

static void
take_change(Realtime *realtime, const DbResult *result, int row)
{
	uint8_t id[DB_UUID_SIZE];
	bool watched = false;
	Org *org = db_uuid(result, row, 0, id) ? org_find(realtime, id) : NULL;

	if (org == NULL)
		return; /* its last socket has left */
	db_bool(result, row, 1, &watched);
	org_enter(org, watched ? ORG_WATCHED : ORG_UNWATCHED);
	org_wake(org);
}

/*
 * Whether the server knew what was handed over before; then each organization that has
 * changed.  False when the answer is none.
 */
static bool
take_answer(Realtime *realtime, const DbResult *result)
{
	bool known;

	if (result->outcome != DB_ROWS || result->rows < 1 || !db_bool(result, 0, 1, &known))
		return false;
	if (!known)
		orgs_unwatch_all(realtime);
	for (int row = 1; row < result->rows; row++)
		take_change(realtime, result, row);
	wake_refused(realtime);
	return true;
}

static void
on_waited(void *arg, const DbResult *result)
{
	Waiting *waiting = arg;
	int64_t now = clock_monotonic_ms();
	bool busy = now - waiting->answered_ms < BUSY_MS;

	waiting->request = NULL;
	if (!waiting->wanted)
	{
		start_timer(waiting, WAIT_IDLE_MS);
		return;
	}
	if (!take_answer(waiting->realtime, result))
	{
		note_failure(waiting, result);
		return;
	}
	if (waiting->lost_ms > 0)
		log_line(LOG_LEVEL_INFO, "waiting_for_events_again");
	waiting->lost_ms = 0;
	waiting->answered_ms = now;
	if (busy)
		start_timer(waiting, PAUSE_MS);
	else
		wait_again(waiting);
	feeds_run(waiting->realtime);
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	Waiting *waiting = context;

	(void) fd;
	(void) what;
	if (waiting->wanted && waiting->request == NULL)
	{
		wait_again(waiting);
	}
	else if (!waiting->wanted && waiting->request == NULL)
	{
		db_close(waiting->db);
		waiting->db = NULL;
	}
}

static void on_knocked(void *arg, const DbResult *result);

/*
 * End the wait that is under way, if there is something to hand over; once for each wait.
 * What does not get through is handed over when the wait ends by itself.
 */
static void
knock(Waiting *waiting)
{
	const Realtime *realtime = waiting->realtime;
	DbRequest *request;

	if (waiting->knock != NULL || waiting->request == NULL || waiting->knocked ||
		next_to_hand(realtime) == NULL)
		return;
	request = db_request_new(realtime->statements.knock, DB_LANE_FAST, realtime->config.timeout_ms,
							 on_knocked, waiting);
	if (request != NULL && !db_param_uuid(request, waiting->name))
	{
		db_request_free(request);
		request = NULL;
	}
	if (request != NULL && db_submit(realtime->db, request))
	{
		waiting->knock = request;
		waiting->knocked = true;
	}
}

/* It may have ended a wait before the one that is under way now. */
static void
on_knocked(void *arg, const DbResult *result)
{
	Waiting *waiting = arg;

	(void) result;
	waiting->knock = NULL;
	knock(waiting);
}

/*
 * A wait that was begun for sockets of before goes on for these.
 */
void
waiting_begin(Waiting *waiting)
{
	waiting->wanted = true;
	if (waiting->request == NULL)
	{
		event_del(waiting->timer);
		wait_again(waiting);
	}
	else
	{
		knock(waiting);
	}
}

void
waiting_end(Waiting *waiting)
{
	waiting->wanted = false;
	waiting->lost_ms = 0;
	if (waiting->request == NULL)
		start_timer(waiting, WAIT_IDLE_MS);
}

Waiting *
waiting_create(Realtime *realtime)
{
	Waiting *waiting = calloc(1, sizeof(*waiting));

	if (waiting == NULL)
		return NULL;
	waiting->realtime = realtime;
	evutil_secure_rng_get_bytes(waiting->name, sizeof(waiting->name));
	waiting->timer = evtimer_new(realtime->base, on_timer, waiting);
	if (waiting->timer == NULL)
	{
		free(waiting);
		return NULL;
	}
	return waiting;
}

void
waiting_free(Waiting *waiting)
{
	if (waiting == NULL)
		return;
	if (waiting->request != NULL)
		db_abandon(waiting->request);
	if (waiting->knock != NULL)
		db_abandon(waiting->knock);
	db_close(waiting->db);
	event_free(waiting->timer);
	free(waiting);
}
