/*
 * connection.c
 *		One connection to the database: how it is made, used and made again.
 *
 *	WAITING ──timer──▶ CONNECTING ──login──▶ PREPARING ──all parsed──▶ READY
 *	   ▲                    │                     │                      │
 *	   └────────────────────┴─────────────────────┴──── connection_break ┘
 *
 * When a connection breaks, the requests in its pipeline fail, and it is made again after a
 * back-off.  The back-off doubles from DB_RETRY_FIRST_MS to DB_RETRY_LAST_MS and has jitter,
 * so that many processes do not reconnect at the same moment.  libpq may change its socket
 * while it connects, so each step of connecting makes new events.
 */
#include "db/db_internal.h"

#include <stdlib.h>
#include <string.h>

#include <event2/util.h>

#include "lib/log.h"

static void on_socket(evutil_socket_t fd, short what, void *arg);
static void on_timer(evutil_socket_t fd, short what, void *arg);

static void
start_timer(DbConnection *connection, int64_t ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_add(connection->timer, &wait);
}

/* The delay before the next attempt: a random time from half of the back-off to all of it. */
static int64_t
retry_delay(int attempts)
{
	int64_t delay = DB_RETRY_FIRST_MS;
	uint32_t random;

	for (int i = 1; i < attempts && delay < DB_RETRY_LAST_MS; i++)
		delay *= 2;
	delay = delay < DB_RETRY_LAST_MS ? delay : DB_RETRY_LAST_MS;
	evutil_secure_rng_get_bytes(&random, sizeof(random));
	return delay / 2 + random % (delay / 2 + 1);
}

void
connection_set_state(DbConnection *connection, ConnectionState state)
{
	static const char *const names[] = {"waiting", "connecting", "preparing", "ready"};

	connection->state = state;
	log_line(LOG_LEVEL_DEBUG, "database_connection", log_int("connection", connection->number),
			 log_text("state", names[state]));
	if (state == CONNECTION_READY)
	{
		if (connection->broke)
		{
			log_line(LOG_LEVEL_INFO, "database_connected",
					 log_int("connection", connection->number));
		}
		connection->broke = false;
		connection->attempts = 0;
		event_del(connection->timer);
		pool_wake(connection->lane);
	}
}

static void
free_events(DbConnection *connection)
{
	if (connection->readable != NULL)
		event_free(connection->readable);
	if (connection->writable != NULL)
		event_free(connection->writable);
	connection->readable = connection->writable = NULL;
}

static bool
make_events(DbConnection *connection)
{
	struct event_base *base = connection->lane->db->base;
	int fd = PQsocket(connection->pg);

	if (fd < 0)
		return false;
	connection->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_socket, connection);
	connection->writable = event_new(base, fd, EV_WRITE, on_socket, connection);
	return connection->readable != NULL && connection->writable != NULL;
}

/*
 * Ends all requests in the pipeline.  A request whose error has already come gets that error;
 * the others may have been done or not.
 */
static void
end_in_flight(DbConnection *connection)
{
	DbRequest *request;

	while ((request = TAILQ_FIRST(&connection->in_flight)) != NULL)
		request_end(request, request_outcome_of_break(request));
}

/*
 * Gives the connection up and makes it again later.  The reason is only logged, so it may be
 * PostgreSQL's own message.
 */
void
connection_break(DbConnection *connection, const char *reason)
{
	size_t len = strcspn(reason, "\n");

	log_line(LOG_LEVEL_WARNING, "database_connection_broken",
			 log_int("connection", connection->number), log_bytes("reason", reason, len),
			 log_int("in_flight", connection->in_flight_count));
	free_events(connection);
	PQfinish(connection->pg);
	leftovers_forget(&connection->buffers);
	cork_drop(&connection->cork);
	connection->pg = NULL;
	connection->unflushed = false;
	connection->retiring = false;
	connection->broke = true;
	if (connection->state != CONNECTION_READY)
		connection->attempts++;
	connection_set_state(connection, CONNECTION_WAITING);
	start_timer(connection, retry_delay(connection->attempts));
	end_in_flight(connection);
	if (connection->attempts > 0)
		pool_connection_failed(connection->lane);
}

/* ---- connecting ---- */

/* After the login: switches to pipeline mode and begins to parse all statements. */
static void
begin_preparing(DbConnection *connection)
{
	reports_begin(&connection->reports, connection->pg);
	login_keep_nothing(connection->pg);
	if (!make_events(connection) || PQsetnonblocking(connection->pg, 1) != 0 ||
		PQenterPipelineMode(connection->pg) != 1 || !pipeline_prepare(connection))
	{
		connection_break(connection, PQerrorMessage(connection->pg));
		return;
	}
	connection_set_state(connection, CONNECTION_PREPARING);
	event_add(connection->readable, NULL);
	connection_flush(connection);
}

static void
poll_connecting(DbConnection *connection)
{
	PostgresPollingStatusType status;

	free_events(connection);
	status = PQconnectPoll(connection->pg);
	if (status == PGRES_POLLING_OK)
	{
		begin_preparing(connection);
	}
	else if (status == PGRES_POLLING_FAILED || !make_events(connection))
	{
		connection_break(connection, PQerrorMessage(connection->pg));
	}
	else
	{
		event_add(status == PGRES_POLLING_READING ? connection->readable : connection->writable,
				  NULL);
	}
}

static void
start_connecting(DbConnection *connection)
{
	const Db *db = connection->lane->db;

	/* A cancel of the previous connection must end first. */
	if (!cancel_reap(connection))
	{
		start_timer(connection, DB_RETRY_FIRST_MS);
		return;
	}
	connection_set_state(connection, CONNECTION_CONNECTING);
	start_timer(connection, DB_CONNECT_MS);
	leftovers_begin(&connection->buffers, DB_LIBPQ_BUFFER);
	connection->pg = login_start(db->conninfo, db->application_name);
	leftovers_end();
	if (connection->pg == NULL || PQstatus(connection->pg) == CONNECTION_BAD)
	{
		connection_break(connection,
						 connection->pg == NULL ? "out of memory" : PQerrorMessage(connection->pg));
		return;
	}
	/* libpq's documentation: wait until the socket is writable before the first poll. */
	if (!make_events(connection))
	{
		connection_break(connection, "could not watch the socket");
		return;
	}
	event_add(connection->writable, NULL);
}

/* ---- events ---- */

/*
 * Sends what libpq holds, and then what was collected.  PQflush() returns 1 when the socket is
 * full.  Then we have to go on when the socket becomes writable or readable; we always wait for
 * the latter.  If nothing more can be sent, reading finds out why.
 */
void
connection_flush(DbConnection *connection)
{
	int left;

	connection->unflushed = false;
	cork_begin(&connection->cork);
	left = PQflush(connection->pg);
	cork_end();
	if (left < 0)
		connection_break(connection, PQerrorMessage(connection->pg));
	else if (left > 0 || cork_flush(&connection->cork, PQsocket(connection->pg)) == CORK_FULL)
		event_add(connection->writable, NULL);
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	DbConnection *connection = arg;

	(void) fd;
	if (connection->state == CONNECTION_CONNECTING)
	{
		poll_connecting(connection);
		return;
	}
	if ((what & EV_READ) != 0)
		pipeline_read(connection);
	if (connection->pg != NULL &&
		((what & EV_WRITE) != 0 || event_pending(connection->writable, EV_WRITE, NULL)))
		connection_flush(connection);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	DbConnection *connection = arg;

	(void) fd;
	(void) what;
	if (connection->state == CONNECTION_WAITING)
		start_connecting(connection);
	else if (connection->state != CONNECTION_READY)
		connection_break(connection, "no connection within the time limit");
}

/* ---- for the pool ---- */

/*
 * Wipes libpq's buffers, in which old requests and answers stay until later ones overwrite
 * them.  When the pipeline is empty libpq does not read their contents again, with one
 * exception: an unrequested message of the server that has only partly arrived.  Then libpq
 * gives the connection up, and we make it again.
 */
void
connection_forget(DbConnection *connection)
{
	if (!connection->used || connection->state != CONNECTION_READY ||
		!TAILQ_EMPTY(&connection->in_flight))
		return;
	leftovers_wipe(&connection->buffers);
	connection->used = false;
}

bool
connection_takes(const DbConnection *connection)
{
	return connection->state == CONNECTION_READY && connection->cancel == NULL &&
		   !connection->retiring && connection->in_flight_count < connection->lane->in_flight;
}

bool
connection_open(DbConnection *connection, DbLane *lane, int number)
{
	connection->lane = lane;
	connection->number = number;
	connection_set_state(connection, CONNECTION_WAITING);
	TAILQ_INIT(&connection->in_flight);
	cork_open(&connection->cork);
	connection->timer = evtimer_new(lane->db->base, on_timer, connection);
	connection->shapes = calloc((size_t) db_statement_count, sizeof(*connection->shapes));
	if (connection->timer == NULL || connection->shapes == NULL || !ready_open(&connection->ready))
		return false;
	start_timer(connection, 0);
	return true;
}

void
connection_close(DbConnection *connection)
{
	if (connection->lane == NULL)
		return;
	free_events(connection);
	cancel_drop(connection);
	PQfinish(connection->pg);
	leftovers_forget(&connection->buffers);
	cork_drop(&connection->cork);
	connection->pg = NULL;
	ready_close(&connection->ready);
	free(connection->shapes);
	if (connection->timer != NULL)
		event_free(connection->timer);
	end_in_flight(connection);
}
