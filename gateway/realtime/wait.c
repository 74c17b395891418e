/*
 * wait.c
 *		The one database connection that waits for something to happen.
 *
 * wa.wait_for_events() sleeps in the server until a transaction has committed that wrote
 * an event or changed a credential, and says in which buckets of organizations.  It shows
 * nothing else; what has happened is read by each feed under its own credential.
 *
 * It has a connection of its own, because a pipeline is answered in order.  Both the
 * connection and the waiting are there only while there are sockets.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "realtime/realtime_internal.h"

/* After two answers within so short a time the next wait begins this much later: what
 * happens meanwhile is one wake-up instead of many. */
#define BUSY_MS 5
#define PAUSE_MS 2

struct Waiting
{
	Realtime *realtime;
	Db *db;             /* NULL: no connection */
	DbRequest *request; /* NULL: not waiting */
	bool wanted;        /* there are sockets */
	int64_t seen;       /* the last generation; 0: none, so that all may have changed */
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
	{
		return true;
	}
	config.connections = 1;
	config.slow_connections = 0;
	config.costly_connections = 0;
	config.in_flight = 1;
	config.queue = 1;
	waiting->db = db_open(realtime->base, &config);
	return waiting->db != NULL;
}

static bool
submit(Waiting *waiting)
{
	DbRequest *request;

	if (!open_connection(waiting))
	{
		return false;
	}
	request = db_request_new(waiting->realtime->statements.wait, DB_LANE_FAST, WAIT_TIMEOUT_MS,
							 on_waited, waiting);
	if (request == NULL || !db_param_int64(request, waiting->seen) ||
		!db_param_int32(request, WAIT_MS))
	{
		db_request_free(request);
		return false;
	}
	if (!db_submit(waiting->db, request))
	{
		return false;
	}
	waiting->request = request;
	return true;
}

/*
 * Sockets whose credentials nobody can ask about must not stay open for long.
 */
static void
note_failure(Waiting *waiting)
{
	int64_t now = clock_monotonic_ms();

	if (waiting->lost_ms == 0)
	{
		waiting->lost_ms = now;
		log_line(LOG_LEVEL_WARNING, "waiting_for_events_failed");
	}
	waiting->seen = 0;
	start_timer(waiting, WAIT_RETRY_MS);
	if (now - waiting->lost_ms > WAIT_LOST_MS)
	{
		members_close_all(waiting->realtime, WEBSOCKET_TRY_LATER, "database cannot be reached");
	}
}

static void
wait_again(Waiting *waiting)
{
	if (!submit(waiting))
	{
		note_failure(waiting);
	}
}

/*
 * Waking may merge feeds, so that the next one is looked up before.
 */
static void
wake_bucket(Realtime *realtime, int bucket)
{
	Feed *next;

	for (Feed *feed = TAILQ_FIRST(&realtime->buckets[bucket]); feed != NULL; feed = next)
	{
		next = TAILQ_NEXT(feed, bucket_link);
		feed_wake(feed);
	}
}

static void
wake_changed(Realtime *realtime, const uint8_t *changed)
{
	for (int bucket = 0; bucket < BUCKETS; bucket++)
	{
		if ((changed[bucket / 8] >> bucket % 8 & 1) != 0)
		{
			wake_bucket(realtime, bucket);
		}
	}
	feeds_run(realtime);
}

/*
 * The generation and where something has changed; false when the answer is none.
 */
static bool
read_answer(Waiting *waiting, const DbResult *result, uint8_t changed[BUCKET_BYTES])
{
	const char *bytes;
	size_t length;

	if (result->outcome != DB_ROWS || result->rows != 1 || !db_int(result, 0, 0, &waiting->seen) ||
		!db_text(result, 0, 1, &bytes, &length) || length != BUCKET_BYTES)
	{
		return false;
	}
	memcpy(changed, bytes, BUCKET_BYTES);
	return true;
}

static void
on_waited(void *arg, const DbResult *result)
{
	Waiting *waiting = arg;
	uint8_t changed[BUCKET_BYTES];
	int64_t now = clock_monotonic_ms();
	bool busy = now - waiting->answered_ms < BUSY_MS;

	waiting->request = NULL;
	if (!waiting->wanted)
	{
		start_timer(waiting, WAIT_IDLE_MS);
		return;
	}
	if (!read_answer(waiting, result, changed))
	{
		note_failure(waiting);
		return;
	}
	if (waiting->lost_ms > 0)
	{
		log_line(LOG_LEVEL_INFO, "waiting_for_events_again");
	}
	waiting->lost_ms = 0;
	waiting->answered_ms = now;
	if (busy)
	{
		start_timer(waiting, PAUSE_MS);
	}
	else
	{
		wait_again(waiting);
	}
	wake_changed(waiting->realtime, changed);
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

/*
 * A wait that was begun for sockets of before goes on for these: it has missed nothing.
 */
void
waiting_begin(Waiting *waiting)
{
	waiting->wanted = true;
	if (waiting->request == NULL)
	{
		/* what happened while nobody waited has to be taken for everything */
		waiting->seen = 0;
		event_del(waiting->timer);
		wait_again(waiting);
	}
}

void
waiting_end(Waiting *waiting)
{
	waiting->wanted = false;
	waiting->lost_ms = 0;
	if (waiting->request == NULL)
	{
		start_timer(waiting, WAIT_IDLE_MS);
	}
}

Waiting *
waiting_create(Realtime *realtime)
{
	Waiting *waiting = calloc(1, sizeof(*waiting));

	if (waiting == NULL)
	{
		return NULL;
	}
	waiting->realtime = realtime;
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
	{
		return;
	}
	if (waiting->request != NULL)
	{
		db_abandon(waiting->request);
	}
	db_close(waiting->db);
	event_free(waiting->timer);
	free(waiting);
}
