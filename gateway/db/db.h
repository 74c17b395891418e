/*
 * db.h
 *		PostgreSQL for an event loop: requests over few pipelined connections.
 *
 * A *request* consists of one registered statement, its parameters, and at most one
 * identity: a credential or an organization.  It runs as one implicit transaction of its
 * own: a binding (authenticate, act_for or unbound), the statement and a Sync, in one round
 * trip.  The caller gets the answer only after the commit.  Requests never share a Sync, so
 * that no request can see the identity of another.
 *
 * A *lane* is a group of connections with its own queue.  Slow statements go to the slow
 * lane, because a pipeline answers in order and every request after a slow statement waits.
 * Costly statements go to a lane with few connections: anybody may request them, and each
 * keeps a processor of the server busy.
 *
 * In the queue of a lane organizations take turns, and within an organization its
 * credentials take turns (fair_queue.h).  A request without a known credential takes the
 * turn of its network address.  The more organizations and addresses are active, the fewer
 * requests each may have in flight.  A lane with several connections keeps one for those
 * that have no request in flight.
 *
 * These have a maximum: the connections of a lane, the requests in flight on a connection,
 * the requests queued in a lane and those of one organization among them, the milliseconds
 * of a request, and the bytes of its rows.  When no connection is available, a request is
 * refused at once.  When a queue is full, the newest request of the organization that has
 * most requests in the queue is refused.
 *
 * All of this runs in one thread.  Nothing here blocks, except the look-up of a host name
 * when a connection is made, which libpq cannot avoid.  Where that matters, use a socket
 * directory, a numeric address or hostaddr=.
 *
 * This folder knows PostgreSQL only; it does not know what the requests are for.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/statement.h"
#include "lib/fair_queue.h"

struct event_base;

#define DB_UUID_SIZE 16

/* Parameters of one statement. */
#define DB_PARAMS_MAX 16

/* Bytes of all parameters of one statement. */
#define DB_PARAM_BYTES_MAX (2 * 1024 * 1024)

/*
 * Bytes of the rows of one statement, as libpq stores them.  libpq reads a whole result
 * before a caller can see it, so this does not limit what is read.  The statements limit
 * that, by their LIMIT and the maximum sizes of columns.  This limits what is kept: larger
 * rows are dropped at once, and the connection is replaced by a new one, because libpq never
 * frees the memory into which it has read them.
 */
#define DB_RESULT_BYTES_MAX (32 * 1024 * 1024)

/* The times that db_param_time_ms and _us accept: the years 1 to 9999. */
#define DB_TIME_MS_MIN INT64_C(-62135596800000)
#define DB_TIME_MS_MAX INT64_C(253402300799999)

/* Bytes of a credential; longer ones are refused by db_request_credential. */
#define DB_CREDENTIAL_MAX 128

/* Bytes of a client's address as text; a longer one is ignored. */
#define DB_ADDRESS_MAX 45

/* Bytes of the name of a client's program, which is what the database keeps of it. */
#define DB_AGENT_MAX 120

typedef enum DbLaneName
{
	DB_LANE_FAST,
	DB_LANE_SLOW,
	DB_LANE_COSTLY,
	DB_LANE_COUNT
} DbLaneName;

typedef struct DbConfig
{
	const char *conninfo;         /* libpq connection string; "" = PG* environment */
	const char *application_name; /* as pg_stat_activity shows it */
	const char *role;             /* whose statements are prepared: "gateway" */
	int connections;              /* of the fast lane, 1 or more */
	int slow_connections;         /* of the slow lane; 0 = slow requests use the fast lane */
	int costly_connections;       /* of the costly lane; 0 = costly requests use the fast lane */
	int in_flight;                /* requests in the pipeline of a fast connection, 1 or more */
	int queue;                    /* requests waiting in one lane, 0 or more */
	int costly_queue;             /* the same for the costly lane */
	size_t owner_bytes;           /* that callers keep for the requests of one organization in
								   * one lane (db_request_keeps); 0 = no bound */
	bool fair;                    /* one organization may fill half of a queue, and a lane with
								   * several connections keeps one for those with none in flight */
} DbConfig;

typedef enum DbOutcome
{
	DB_ROWS,        /* done and committed; rows can be read */
	DB_REFUSED,     /* PostgreSQL raised an error; sqlstate and the other fields describe it.
					 * Also when the rows exceeded DB_RESULT_BYTES_MAX: then the sqlstate is
					 * 54000, and the transaction is committed */
	DB_TIMED_OUT,   /* it was sent and its deadline passed; a cancel was sent */
	DB_UNAVAILABLE, /* not done: no connection in time, a queue full of other owners' requests, a
					 * cancel for another request hit it, or its statement was out of date */
	DB_LOST,        /* the connection broke after it was sent; it may have been done or not */
	DB_CROWDED      /* not done: too many requests of its organization or address waited, or
					 * their callers kept too many bytes.  Such requests are told at a bounded
					 * pace (db_internal.h) */
} DbOutcome;

/* "rows" and so on, by DbOutcome, for the log. */
extern const char *const db_outcome_names[];

/* What is left of the rate of a key. */
typedef struct DbRate
{
	int32_t per_minute; /* requests; 0: the key has no rate */
	int32_t left;       /* requests that could follow at once */
	int32_t full_in;    /* seconds until all of its burst could */
} DbRate;

typedef struct DbResult
{
	DbOutcome outcome;

	/* Set with DB_REFUSED; never NULL, "" when absent.  message is PostgreSQL's own. */
	const char *sqlstate;
	const char *message;
	const char *detail;
	const char *column;
	const char *constraint;

	/* The id of the key or user, which authenticate returned. */
	bool has_principal;
	uint8_t principal[DB_UUID_SIZE];

	/*
	 * What authenticate returned of the rate of the credential's key, with has_principal; zeros
	 * if the key has none.
	 */
	DbRate rate;

	/*
	 * The organization and the credential whose turns requests with this credential take.  NULL:
	 * it has none, it is not valid, or its organization is not known.
	 */
	const FairOwner *owner;

	int rows;
	int columns;
	const struct pg_result *cells; /* for the accessors of result.h */

	int queued_ms;  /* from submit until sent */
	int running_ms; /* from sent until answered */
} DbResult;

typedef struct Db Db;
typedef struct DbRequest DbRequest;

/*
 * Called once for a submitted request that was not abandoned, never from within
 * db_submit.  The result and all it points to are gone when it returns.
 */
typedef void (*DbDone)(void *arg, const DbResult *result);

/*
 * Opens the pool.  Connections are made in the background, and again when they break.  NULL
 * only when memory or events cannot be allocated.  The strings of config are copied.
 */
extern Db *db_open(struct event_base *base, const DbConfig *config);

/*
 * Closes the pool at once.  Requests without an answer get DB_UNAVAILABLE or DB_LOST.  Must
 * not be called from within a DbDone.
 */
extern void db_close(Db *db);

/*
 * The number of file descriptors that a pool of this configuration may have open at once: two
 * for each connection, its own and that of a cancel.
 */
extern int db_descriptors(const DbConfig *config);

/* The current numbers of a lane. */
typedef struct DbStats
{
	int connections;  /* all of its connections */
	int ready;        /* connections that accept requests */
	int queued;       /* requests that wait for a connection */
	int in_flight;    /* requests that are sent and not answered */
	int owners;       /* organizations and addresses that have queued or sent requests */
	uint64_t crowded; /* requests that ended as DB_CROWDED, since the start */
} DbStats;

/* "fast" and so on, by DbLaneName. */
extern const char *const db_lane_names[DB_LANE_COUNT];

extern DbStats db_stats(const Db *db, DbLaneName lane);

/* Whether a connection of the fast lane is ready for requests. */
extern bool db_ready(const Db *db);

/*
 * How often a server has violated the protocol, counted over all pools of this process since
 * its start.  Each time the connection was dropped, and its requests became DB_LOST.
 */
extern uint64_t db_protocol_violations(void);

/*
 * Makes a request for db_statements[statement]; NULL when out of memory.  The caller owns it
 * until db_submit or db_request_free.
 */
extern DbRequest *
db_request_new(int statement, DbLaneName lane, int timeout_ms, DbDone done, void *arg);
extern void db_request_free(DbRequest *request);

/*
 * Sets the credential and the permission that the request needs (NULL = any valid
 * credential).  The credential is copied, and the copy is wiped as soon as libpq has it.
 * needs must outlive the request.  False when the credential is empty or too long.
 */
extern bool
db_request_credential(DbRequest *request, const char *credential, size_t len, const char *needs);

/* Sets the organization for which a system process acts, instead of a credential. */
extern void db_request_org(DbRequest *request, const uint8_t org[DB_UUID_SIZE]);

/*
 * Sets the network address that the request came from; it is copied.  The request takes the
 * turn of this address while its credential is unknown, and the record of the credential's
 * use names the address.  An address that is too long is ignored.  A request without
 * identity and address counts as the program's own.
 */
extern void db_request_address(DbRequest *request, const char *address, size_t len);

/* Says how many bytes the caller keeps in memory until the request has ended. */
extern void db_request_keeps(DbRequest *request, size_t bytes);

/*
 * Sets the name of the program that sent the request, for the record of the credential's use; it
 * is copied, and cut to DB_AGENT_MAX bytes.  It must be printable ASCII.
 */
extern void db_request_agent(DbRequest *request, const char *agent, size_t len);

/*
 * Add the parameters in the order of the statement; each is copied in PostgreSQL's binary
 * format.  False when there are too many or they are too large; the request may then only be
 * passed to db_request_free.
 */
extern bool db_param_null(DbRequest *request);
extern bool db_param_text(DbRequest *request, const char *text, size_t len);
extern bool db_param_bytes(DbRequest *request, const void *bytes, size_t len); /* bytea */
extern bool db_param_uuid(DbRequest *request, const uint8_t uuid[DB_UUID_SIZE]);
extern bool db_param_bool(DbRequest *request, bool value);
extern bool db_param_int32(DbRequest *request, int32_t value);
extern bool db_param_int64(DbRequest *request, int64_t value);
extern bool db_param_time_ms(DbRequest *request, int64_t epoch_ms);    /* timestamptz */
extern bool db_param_time_none(DbRequest *request);                    /* -infinity */
extern bool db_param_time_us(DbRequest *request, int64_t postgres_us); /* raw timestamptz */
extern bool db_param_interval_ms(DbRequest *request, int64_t ms);
extern bool db_param_jsonb(DbRequest *request, const char *json, size_t len);
extern bool
db_param_text_array(DbRequest *request, const char *const *texts, const size_t *lengths, int count);
extern bool
db_param_uuid_array(DbRequest *request, const uint8_t (*uuids)[DB_UUID_SIZE], int count);

/* Changes the lane, for a request whose parameters show that it is slow. */
extern void db_request_set_lane(DbRequest *request, DbLaneName lane);

/*
 * Submits the request.  True: done is called later, and until then the pointer stays valid for
 * db_abandon.  False: no connection is available; the request was freed and done will not be
 * called.
 */
extern bool db_submit(Db *db, DbRequest *request);

/*
 * Abandons a submitted request whose caller needs no answer: done will not be called.  A
 * request that was sent still runs to its end; one that was not sent is never sent.
 */
extern void db_abandon(DbRequest *request);

#endif
