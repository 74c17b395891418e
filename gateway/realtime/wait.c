/*
 * wait.c
 *		The one database connection that waits for changes.
 *
 * wa.wait_for_events() sleeps in the server until a transaction commits that has written an
 * event or changed a credential.  It reports only the organizations for which this gateway
 * has handed over the credential of a socket, and nothing but which of them have changed.
 * Each feed then reads the changes under its own credential.
 *
 * The server keeps what was handed over for this connection, so only new organizations have
 * to be handed over.  To hand one over, the current wait is ended by a *knock*, a statement
 * that is sent over another connection.
 *
 * Waiting needs its own connection because a pipeline is answered in order.  The connection
 * and the waiting exist only while there are sockets.
 */
#include <stdlib.h>
#include <string.h>

#include <event2/util.h>

#include "db/task.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "realtime/wait.h"
#include "realtime/state.h"

/* The time of one wait in the database, and the time in which its answer has to come. */
#define WAIT_MS 5000
#define WAIT_TIMEOUT_MS (WAIT_MS + 4000)

/* The connection is closed when there was no socket for this long. */
#define WAIT_IDLE_MS 30000

/* The time until the next try when waiting has failed. */
#define WAIT_RETRY_MS 250

/*
 * After two answers within BUSY_MS the next wait begins PAUSE_MS later, so that several
 * changes cause one wake-up.
 */
#define BUSY_MS 5
#define PAUSE_MS 2

/* The number of organizations that one wait hands over: parameters of event_wait. */
#define HANDED_MAX 8

struct Waiting
{
	Realtime *realtime;
	DbTask wait;                /* its db is NULL while there is no connection */
	DbTask knock;               /* sent over the pool's connections */
	bool knocked;               /* the current wait was knocked */
	bool wanted;                /* there are sockets */
	uint8_t name[DB_UUID_SIZE]; /* identifies this gateway's wait; nobody can guess it */
	int64_t answered_ms;
	int64_t lost_ms; /* the time since when it fails; 0: it does not */
	Timer idle;      /* closes the connection */
};

static bool
open_connection(Waiting *waiting)
{
	const Realtime *realtime = waiting->realtime;
	DbConfig config = realtime->config.db;

	if (waiting->wait.db != NULL)
		return true;
	config.connections = 1;
	config.slow_connections = 0;
	config.costly_connections = 0;
	config.in_flight = 1;
	config.queue = 1;
	waiting->wait.db = db_open(realtime->base, &config);
	return waiting->wait.db != NULL;
}

static void
close_connection(void *context)
{
	Waiting *waiting = context;

	db_close(waiting->wait.db);
	waiting->wait.db = NULL;
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
 * The organizations that were handed over go to the end of the list, so one that the
 * database does not accept delays no others.
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

static DbRequest *
make_wait(void *context, DbDone done, void *arg)
{
	Waiting *waiting = context;
	Realtime *realtime = waiting->realtime;
	DbRequest *request;

	if (!open_connection(waiting))
		return NULL;
	waiting->knocked = false;
	request = db_request_new(realtime->statements.wait, DB_LANE_FAST, WAIT_TIMEOUT_MS, done, arg);
	if (request == NULL || !db_param_uuid(request, waiting->name) ||
		!db_param_int32(request, WAIT_MS) || !add_sockets(realtime, request))
	{
		db_request_free(request);
		return NULL;
	}
	return request;
}

/*
 * Wakes the organizations that the database has not accepted, so that their sockets'
 * credentials are checked.
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
 * result is NULL if the database could not be asked.  Sockets whose credentials cannot be
 * checked must not stay open for long.
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
	db_task_in(&waiting->wait, WAIT_RETRY_MS);
	if (now - waiting->lost_ms > WAIT_LOST_MS)
		members_close_all(waiting->realtime, WEBSOCKET_TRY_LATER, "database cannot be reached");
	feeds_run(waiting->realtime);
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
 * Reads whether the server still knew what was handed over before, and then each
 * organization that has changed.  Returns false when the answer is not readable.
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
take_wait(void *context, const DbResult *result)
{
	Waiting *waiting = context;
	int64_t now = clock_monotonic_ms();
	bool busy = now - waiting->answered_ms < BUSY_MS;

	if (!waiting->wanted)
	{
		timer_start(&waiting->idle, WAIT_IDLE_MS);
		return;
	}
	if (result == NULL || !take_answer(waiting->realtime, result))
	{
		note_failure(waiting, result);
		return;
	}
	if (waiting->lost_ms > 0)
		log_line(LOG_LEVEL_INFO, "waiting_for_events_again");
	waiting->lost_ms = 0;
	waiting->answered_ms = now;
	if (busy)
		db_task_in(&waiting->wait, PAUSE_MS);
	else
		db_task_now(&waiting->wait);
	feeds_run(waiting->realtime);
}

/* ---- knocking ---- */

/*
 * Ends the current wait if there is something to hand over; at most once for each wait.  If
 * the knock fails, the organizations are handed over when the wait ends by itself.
 */
static void
knock(Waiting *waiting)
{
	if (db_task_is_asked(&waiting->knock) || !db_task_is_asked(&waiting->wait) ||
		waiting->knocked || next_to_hand(waiting->realtime) == NULL)
		return;
	waiting->knocked = true;
	db_task_now(&waiting->knock);
}

static DbRequest *
make_knock(void *context, DbDone done, void *arg)
{
	const Waiting *waiting = context;
	const Realtime *realtime = waiting->realtime;
	DbRequest *request = db_request_new(realtime->statements.knock, DB_LANE_FAST,
										realtime->config.timeout_ms, done, arg);

	if (request != NULL && !db_param_uuid(request, waiting->name))
	{
		db_request_free(request);
		return NULL;
	}
	return request;
}

/* The knock may have ended the wait before the current one. */
static void
take_knock(void *context, const DbResult *result)
{
	Waiting *waiting = context;

	if (result == NULL)
		waiting->knocked = false;
	else
		knock(waiting);
}

/* ---- from outside ---- */

/* A wait that was begun for earlier sockets also serves the new ones. */
void
waiting_begin(Waiting *waiting)
{
	waiting->wanted = true;
	if (db_task_is_asked(&waiting->wait))
	{
		knock(waiting);
		return;
	}
	timer_stop(&waiting->idle);
	db_task_now(&waiting->wait);
}

void
waiting_end(Waiting *waiting)
{
	waiting->wanted = false;
	waiting->lost_ms = 0;
	db_task_stop(&waiting->wait);
	if (!db_task_is_asked(&waiting->wait))
		timer_start(&waiting->idle, WAIT_IDLE_MS);
}

Waiting *
waiting_create(Realtime *realtime)
{
	struct event_base *base = realtime->base;
	Waiting *waiting = calloc(1, sizeof(*waiting));

	if (waiting == NULL)
		return NULL;
	waiting->realtime = realtime;
	evutil_secure_rng_get_bytes(waiting->name, sizeof(waiting->name));
	if (!db_task_open(&waiting->wait, base, NULL, make_wait, take_wait, waiting) ||
		!db_task_open(&waiting->knock, base, realtime->db, make_knock, take_knock, waiting) ||
		!timer_open(&waiting->idle, base, close_connection, waiting))
	{
		waiting_free(waiting);
		return NULL;
	}
	return waiting;
}

void
waiting_free(Waiting *waiting)
{
	if (waiting == NULL)
		return;
	db_task_close(&waiting->wait);
	db_task_close(&waiting->knock);
	timer_close(&waiting->idle);
	close_connection(waiting);
	free(waiting);
}
