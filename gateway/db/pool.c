/*
 * pool.c
 *		The pool: queues, dispatch, deadlines.
 *
 * db_submit() only queues a request and activates the lane's dispatch event.  The event runs
 * once in the same loop iteration, however many requests came.  It fills the pipelines, the
 * emptiest first, and flushes each connection once.  The fair queue chooses the next request,
 * and may_have_turn() decides whether it may be sent and on which connection.
 *
 * A tick checks the deadlines; it runs only while there are requests.  A late request that
 * was not sent is refused.  For a late request that was sent, the caller is told at once, and
 * the request is cancelled if it is the one that the server works on.  If it still does not
 * end within DB_STUCK_MS, the connection is broken.  The tick also wipes what requests have
 * left in libpq's buffers.  Its last run finds all pipelines empty, so nothing remains.
 */
#include "db/db_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

static void on_dispatch(evutil_socket_t fd, short what, void *arg);
static void on_tick(evutil_socket_t fd, short what, void *arg);

/* ---- open and close ---- */

static int
within(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

/* The sizes of a lane. */
typedef struct LaneSize
{
	int connections;
	int in_flight;
	int queue;
	int owner_queue; /* how much of the queue one organization or address may use */
	size_t owner_bytes;
} LaneSize;

static bool
open_lane(Db *db, DbLane *lane, const LaneSize *size, int first_number)
{
	int connections = size->connections;

	lane->db = db;
	lane->in_flight = size->in_flight;
	TAILQ_INIT(&lane->queue);
	TAILQ_INIT(&lane->refused);
	TAILQ_INIT(&lane->crowded);
	lane->turns = fair_queue_create(size->queue, size->owner_queue, size->owner_bytes);
	lane->connections = calloc((size_t) connections + 1, sizeof(*lane->connections));
	lane->dispatch = event_new(db->base, -1, 0, on_dispatch, lane);
	if (lane->turns == NULL || lane->connections == NULL || lane->dispatch == NULL)
		return false;
	for (int i = 0; i < connections; i++)
	{
		lane->connection_count++;
		if (!connection_open(&lane->connections[i], lane, first_number + i))
			return false;
	}
	return true;
}

static int
fast_connections(const DbConfig *config)
{
	return within(config->connections, 1, DB_CONNECTIONS_MAX);
}

static int
slow_connections(const DbConfig *config)
{
	return within(config->slow_connections, 0, DB_CONNECTIONS_MAX);
}

static int
costly_connections(const DbConfig *config)
{
	return within(config->costly_connections, 0, DB_CONNECTIONS_MAX);
}

int
db_descriptors(const DbConfig *config)
{
	return 2 * (fast_connections(config) + slow_connections(config) + costly_connections(config));
}

static LaneSize
lane_size(const DbConfig *config, int connections, int in_flight, int queue)
{
	LaneSize size = {.connections = connections, .in_flight = in_flight};

	size.queue = within(queue, 0, 1000000);
	size.owner_queue = config->fair ? (size.queue + 1) / 2 : size.queue;
	size.owner_bytes = config->owner_bytes > 0 ? config->owner_bytes : SIZE_MAX;
	return size;
}

/*
 * The slow lanes have no pipeline.  A round trip is short compared with a slow statement, and
 * requests that are already in a pipeline no longer take turns.
 */
static bool
open_lanes(Db *db, const DbConfig *config)
{
	int fast = fast_connections(config);
	int slow = slow_connections(config);
	LaneSize sizes[DB_LANE_COUNT] = {
		[DB_LANE_FAST] = lane_size(config, fast, within(config->in_flight, 1, 1000), config->queue),
		[DB_LANE_SLOW] = lane_size(config, slow, 1, config->queue),
		[DB_LANE_COSTLY] = lane_size(config, costly_connections(config), 1, config->costly_queue),
	};

	return open_lane(db, &db->lanes[DB_LANE_FAST], &sizes[DB_LANE_FAST], 1) &&
		   open_lane(db, &db->lanes[DB_LANE_SLOW], &sizes[DB_LANE_SLOW], fast + 1) &&
		   open_lane(db, &db->lanes[DB_LANE_COSTLY], &sizes[DB_LANE_COSTLY], fast + slow + 1);
}

Db *
db_open(struct event_base *base, const DbConfig *config)
{
	Db *db = calloc(1, sizeof(*db));

	if (db == NULL)
		return NULL;
	db->base = base;
	db->conninfo = strdup(config->conninfo);
	db->application_name = strdup(config->application_name);
	db->role = strdup(config->role);
	db->owners = owners_create();
	db->fair = config->fair;
	db->authenticate = db_statement_find(config->role, "authenticate");
	db->act_for = db_statement_find(config->role, "act_for");
	db->unbound = db_statement_find(config->role, "unbound");
	db->credential_org = db_statement_find(config->role, "credential_org");
	db->tick = event_new(base, -1, EV_PERSIST, on_tick, db);
	if (db->conninfo == NULL || db->application_name == NULL || db->role == NULL ||
		db->owners == NULL || db->tick == NULL || !open_lanes(db, config))
	{
		db_close(db);
		return NULL;
	}
	return db;
}

/*
 * Ends every request of a list.  They are moved to a local list first, because a caller that
 * gets its answer may submit or abandon other requests.
 */
static void
end_list(struct RequestList *list, DbOutcome outcome)
{
	struct RequestList ending = TAILQ_HEAD_INITIALIZER(ending);
	DbRequest *request;

	while ((request = TAILQ_FIRST(list)) != NULL)
	{
		request_enter(request, REQUEST_ENDING, NULL);
		TAILQ_INSERT_TAIL(&ending, request, link);
	}
	while ((request = TAILQ_FIRST(&ending)) != NULL)
	{
		TAILQ_REMOVE(&ending, request, link);
		request_end(request, outcome);
	}
}

void
db_close(Db *db)
{
	if (db == NULL)
		return;
	for (int i = 0; i < DB_LANE_COUNT; i++)
	{
		DbLane *lane = &db->lanes[i];

		if (lane->db == NULL)
			continue;
		end_list(&lane->queue, DB_UNAVAILABLE);
		end_list(&lane->refused, DB_UNAVAILABLE);
		end_list(&lane->crowded, DB_CROWDED);
		for (int j = 0; j < lane->connection_count; j++)
			connection_close(&lane->connections[j]);
		free(lane->connections);
		fair_queue_free(lane->turns);
		if (lane->dispatch != NULL)
			event_free(lane->dispatch);
	}
	if (db->tick != NULL)
		event_free(db->tick);
	owners_free(db->owners);
	free(db->conninfo);
	free(db->application_name);
	free(db->role);
	free(db);
}

/* ---- state ---- */

const char *const db_lane_names[DB_LANE_COUNT] = {
	[DB_LANE_FAST] = "fast",
	[DB_LANE_SLOW] = "slow",
	[DB_LANE_COSTLY] = "costly",
};

DbStats
db_stats(const Db *db, DbLaneName name)
{
	const DbLane *lane = &db->lanes[name];
	DbStats stats = {.connections = lane->connection_count,
					 .queued = fair_queue_waiting(lane->turns),
					 .owners = fair_queue_groups(lane->turns),
					 .crowded = lane->crowded_count};

	for (int i = 0; i < lane->connection_count; i++)
	{
		stats.ready += lane->connections[i].state == CONNECTION_READY ? 1 : 0;
		stats.in_flight += lane->connections[i].in_flight_count;
	}
	return stats;
}

bool
db_ready(const Db *db)
{
	return db_stats(db, DB_LANE_FAST).ready > 0;
}

/*
 * Whether a connection is likely to become available.  When the last attempt of every
 * connection has failed, requests are refused at once instead of at their deadlines.
 */
static bool
lane_has_hope(const DbLane *lane)
{
	for (int i = 0; i < lane->connection_count; i++)
		if (lane->connections[i].attempts == 0)
			return true;
	return false;
}

/* A connection of the lane could not be made. */
void
pool_connection_failed(DbLane *lane)
{
	if (!lane_has_hope(lane))
		end_list(&lane->queue, DB_UNAVAILABLE);
}

/* ---- submit and dispatch ---- */

static FairOwner
owner_of(const DbRequest *request)
{
	Owners *owners = request->lane->db->owners;

	if (request->has_org)
		return owner_of_org(owners, request->org);
	if (request->credential_len == 0)
		return owner_of_address(owners, request->address, request->address_len);
	return owner_of_credential(owners, request->credential, request->credential_len,
							   request->address, request->address_len);
}

/*
 * Queues the request.  If this request or another one loses its place, that one ends: in the
 * same loop iteration, or in a tick if its own owner has too many.
 */
static void
enqueue(DbLane *lane, DbRequest *request)
{
	FairLoss loss;

	request->owner = owner_of(request);
	request_enter(request, REQUEST_QUEUED, NULL);
	loss = fair_queue_add(lane->turns, &request->owner, &request->turn);
	if (loss.item != NULL)
	{
		DbRequest *loser = REQUEST_OF_TURN(loss.item);

		request_enter(loser, loss.crowded ? REQUEST_CROWDED : REQUEST_REFUSED, NULL);
		buffer_free(&loser->bytes);
		lane->crowded_count += loss.crowded ? 1 : 0;
	}
}

bool
db_submit(Db *db, DbRequest *request)
{
	DbLane *lane = &db->lanes[request->lane_name];

	if (lane->connection_count == 0)
		lane = &db->lanes[DB_LANE_FAST];
	if (!lane_has_hope(lane))
	{
		db_request_free(request);
		return false;
	}
	request->lane = lane;
	request->submitted_at = clock_monotonic_ms();
	request->deadline = request->submitted_at + request->timeout_ms;
	enqueue(lane, request);
	pool_wake(lane);
	pool_start_tick(db);
	return true;
}

void
db_abandon(DbRequest *request)
{
	request->done = NULL;
	if (request->state == REQUEST_QUEUED || request->state == REQUEST_REFUSED ||
		request->state == REQUEST_CROWDED)
	{
		request_enter(request, REQUEST_ENDING, NULL);
		db_request_free(request);
	}
}

/* Activates the dispatch event, because there may be something to send. */
void
pool_wake(DbLane *lane)
{
	event_active(lane->dispatch, 0, 0);
}

/* The state of the search for the next request. */
typedef struct Turn
{
	DbLane *lane;
	int places;               /* in the pipelines of all ready connections */
	DbConnection *kept;       /* for owners with no request under way; NULL: there is none */
	DbConnection *connection; /* where to send the next request */
} Turn;

/* Called again when sending has failed, because then one connection fewer is ready. */
static void
look_at_connections(Turn *turn)
{
	const DbLane *lane = turn->lane;
	int ready = 0;

	turn->kept = NULL;
	for (int i = lane->connection_count - 1; i >= 0; i--)
	{
		if (lane->connections[i].state == CONNECTION_READY)
		{
			turn->kept = lane->db->fair && ready > 0 ? &lane->connections[i] : NULL;
			ready++;
		}
	}
	turn->places = ready * lane->in_flight;
}

/* The requests on a connection; on the kept one those that only ask do not count. */
static int
load_of(const Turn *turn, const DbConnection *connection)
{
	const DbRequest *request;
	int load = connection->in_flight_count;

	if (connection != turn->kept)
		return load;
	TAILQ_FOREACH(request, &connection->in_flight, link)
	{
		load -= request->asks ? 1 : 0;
	}
	return load;
}

/* The emptiest connection that has room.  Of equally empty ones the kept one comes last. */
static DbConnection *
emptiest(const Turn *turn, bool kept_too)
{
	DbConnection *best = NULL;

	for (int i = turn->lane->connection_count - 1; i >= 0; i--)
	{
		DbConnection *connection = &turn->lane->connections[i];

		if (connection_takes(connection) && (kept_too || connection != turn->kept) &&
			(best == NULL || load_of(turn, connection) < load_of(turn, best)))
			best = connection;
	}
	return best;
}

/*
 * A request whose credential is not known yet takes the turn of its address.  It may be one of
 * an organization that already has requests on the other connections.  So in a lane with several
 * connections, even if only one is ready now, it asks first of which organization it is, and then
 * takes the turn of that one.
 */
static bool
asks_first(const Turn *turn, const DbRequest *request)
{
	return turn->lane->db->fair && turn->lane->connection_count > 1 &&
		   request->credential_len > 0 && !request->asked && request->owner.class == FAIR_ADDRESS;
}

/*
 * Where a request asks: on the kept connection, where it waits for no slow statement, unless
 * somebody else has a request there.  One place of its pipeline is left to who has nothing under
 * way; then the others wait for an answer.
 */
static DbConnection *
where_to_ask(const Turn *turn)
{
	int places = turn->lane->in_flight > 1 ? turn->lane->in_flight - 1 : 1;

	if (turn->kept == NULL || load_of(turn, turn->kept) > 0)
		return emptiest(turn, true);
	return connection_takes(turn->kept) && turn->kept->in_flight_count < places ? turn->kept : NULL;
}

static bool
is_on_kept(const Turn *turn, const struct FairGroup *group)
{
	const DbRequest *request;

	if (turn->kept == NULL)
		return false;
	TAILQ_FOREACH(request, &turn->kept->in_flight, link)
	{
		if (request->turn.group == group && !request->asks)
			return true;
	}
	return false;
}

/*
 * Whether the next request may be one of this owner.  The places in the pipelines are divided
 * equally among the active owners, and each owner may have at least one.  Of several
 * connections one is kept for owners with no request under way.  An owner with a request on
 * the kept connection gets no second place anywhere.  So no owner has requests on all
 * connections, even if all of its requests are slow.
 */
static bool
may_have_turn(void *context, const FairItem *next, int under_way, int owners)
{
	Turn *turn = context;
	bool fair = turn->lane->db->fair;

	if (fair && under_way > 0 &&
		(under_way >= turn->places / owners || is_on_kept(turn, next->group)))
		return false;
	turn->connection = asks_first(turn, REQUEST_OF_TURN(next)) ? where_to_ask(turn)
															   : emptiest(turn, under_way == 0);
	return turn->connection != NULL;
}

/* Queues a request that has asked: as one of the organization that is known now, if any is. */
void
pool_requeue(DbRequest *request)
{
	fair_queue_leave(request->lane->turns, &request->turn);
	request->asks = false;
	request->asked = true;
	request->sent_at = 0;
	enqueue(request->lane, request);
}

/* The next request; sets turn->connection.  NULL: none can be sent. */
static DbRequest *
next_request(Turn *turn)
{
	FairItem *item = NULL;

	if (!TAILQ_EMPTY(&turn->lane->queue) && emptiest(turn, true) != NULL)
		item = fair_queue_take(turn->lane->turns, may_have_turn, turn);
	return item == NULL ? NULL : REQUEST_OF_TURN(item);
}

static void
on_dispatch(evutil_socket_t fd, short what, void *arg)
{
	DbLane *lane = arg;
	Turn turn = {.lane = lane};
	DbRequest *request;

	(void) fd;
	(void) what;
	end_list(&lane->refused, DB_UNAVAILABLE);
	look_at_connections(&turn);
	while ((request = next_request(&turn)) != NULL)
	{
		DbConnection *connection = turn.connection;

		request->asks = asks_first(&turn, request);
		if (!request_send(request, connection))
		{
			request_end(request, DB_UNAVAILABLE);
			connection_break(connection, PQerrorMessage(connection->pg));
			look_at_connections(&turn);
			continue;
		}
		request_enter(request, REQUEST_SENT, connection);
		connection->unflushed = true;
		connection->used = true;
	}
	for (int i = 0; i < lane->connection_count; i++)
	{
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): wrongly takes an entry for NULL */
		if (lane->connections[i].unflushed)
			connection_flush(&lane->connections[i]);
	}
}

/* ---- deadlines ---- */

/*
 * Refuses requests that waited too long.  All of the queue is searched, because it is in the
 * order of submission and not of deadlines.
 */
static void
expire_queue(DbLane *lane, int64_t now)
{
	struct RequestList late = TAILQ_HEAD_INITIALIZER(late);
	DbRequest *request = TAILQ_FIRST(&lane->queue);

	while (request != NULL)
	{
		DbRequest *next = TAILQ_NEXT(request, link);

		if (request->deadline <= now)
		{
			request_enter(request, REQUEST_ENDING, NULL);
			TAILQ_INSERT_TAIL(&late, request, link);
		}
		request = next;
	}
	while ((request = TAILQ_FIRST(&late)) != NULL)
	{
		TAILQ_REMOVE(&late, request, link);
		request_end(request, DB_UNAVAILABLE);
	}
}

/*
 * Tells some of those whose owner has too many requests.  Not all at once, and not before a
 * tick, because a client that is refused may ask again at once: with no wait in between, the
 * loop would do little else.
 */
static void
tell_crowded(DbLane *lane)
{
	DbRequest *request;

	for (int i = 0; i < DB_CROWDED_TOLD && (request = TAILQ_FIRST(&lane->crowded)) != NULL; i++)
		request_end(request, DB_CROWDED);
}

/*
 * Tells the callers of late requests in the pipeline, and cancels the one at its head.
 * Telling changes no connection, so the list does not change during the loop.
 */
static void
expire_in_flight(DbConnection *connection, int64_t now)
{
	DbRequest *request;
	const DbRequest *head;

	TAILQ_FOREACH(request, &connection->in_flight, link)
	{
		if (request->deadline <= now)
			request_tell(request, DB_TIMED_OUT);
	}
	head = TAILQ_FIRST(&connection->in_flight);
	if (head == NULL || head->deadline > now)
		return;
	if (head->deadline + DB_STUCK_MS <= now)
	{
		connection_break(connection, "a request did not end after its deadline and a cancel");
	}
	else if (!head->cancel_sent && cancel_start(connection))
	{
		log_line(LOG_LEVEL_WARNING, "database_cancel", log_int("connection", connection->number),
				 log_text("statement", db_statements[request_statement(head)].name));
	}
}

/* The tick of one connection; true when it needs another tick. */
static bool
tick_connection(DbConnection *connection, int64_t now)
{
	if (connection->cancel != NULL && cancel_reap(connection))
		pool_wake(connection->lane);
	expire_in_flight(connection, now);
	connection_forget(connection);
	return connection->cancel != NULL || !TAILQ_EMPTY(&connection->in_flight);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	Db *db = arg;
	int64_t now = clock_monotonic_ms();
	bool busy = false;

	(void) fd;
	(void) what;
	for (int i = 0; i < DB_LANE_COUNT; i++)
	{
		DbLane *lane = &db->lanes[i];

		expire_queue(lane, now);
		tell_crowded(lane);
		for (int j = 0; j < lane->connection_count; j++)
			busy |= tick_connection(&lane->connections[j], now);
		busy |= !TAILQ_EMPTY(&lane->queue) || !TAILQ_EMPTY(&lane->crowded);
	}
	if (!busy)
	{
		event_del(db->tick);
		db->ticking = false;
	}
}

void
pool_start_tick(Db *db)
{
	struct timeval interval = {.tv_sec = 0, .tv_usec = DB_TICK_MS * 1000};

	if (!db->ticking)
	{
		event_add(db->tick, &interval);
		db->ticking = true;
	}
}
