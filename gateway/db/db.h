/*
 * db.h
 *		PostgreSQL for an event loop: requests over few pipelined connections.
 *
 * A *request* is one credential, or one organization, or neither, one registered
 * statement and its parameters.  It runs as one implicit transaction of its own:
 * authenticate (or act_for), statement, Sync, in one round trip.  Its answer comes after the commit, never
 * before.  Requests never share a Sync, so that no request can see the identity of
 * another.
 *
 * A *lane* is a group of connections with a queue of its own.  Slow statements go to
 * the slow lane, because a pipeline answers in order and everything behind a slow
 * statement waits.  Costly ones, which anybody may ask for and each of which keeps a
 * processor of the server busy, go to a lane that is narrow on purpose.
 *
 * In the queue of a lane organizations take turns, and in an organization its credentials
 * (fair_queue.h); what has no credential that is known takes the turn of its network address.
 * What one of them may have under way shrinks with the number of those that are there, and one
 * connection of a lane that has several is kept for those that have nothing under way.
 *
 * Bounds: connections of a lane, requests in flight of a connection, requests queued of a lane
 * and in it of an organization, milliseconds of a request, bytes of its rows.  When no
 * connection can be had, the request is refused at once; when a queue is full, the newest
 * request of the organization that has most in it.
 *
 * One thread.  Nothing here blocks, but the look-up of a host name when a connection
 * is made: libpq has no other way.  Use a socket directory, a numeric address or
 * hostaddr= where that matters.
 *
 * Knows PostgreSQL only: no word of what the requests are for.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/statement.h"

struct event_base;

#define DB_UUID_SIZE 16

/* Parameters of one statement. */
#define DB_PARAMS_MAX 16

/* Bytes of all parameters of one statement. */
#define DB_PARAM_BYTES_MAX (2 * 1024 * 1024)

/*
 * Bytes of the rows of one statement, as libpq keeps them.  libpq reads a result as a
 * whole before anybody can look at it, so that this does not bound what is read: the
 * statements do, by their LIMIT and the bounds of the columns.  It bounds what is kept:
 * larger rows are dropped at once, and the connection is made anew, because libpq never
 * gives back the memory into which it has read them.
 */
#define DB_RESULT_BYTES_MAX (32 * 1024 * 1024)

/* What db_param_time_ms and _us take: the years 1 to 9999. */
#define DB_TIME_MS_MIN INT64_C(-62135596800000)
#define DB_TIME_MS_MAX INT64_C(253402300799999)

/* Bytes of a credential; longer ones are refused by db_request_credential. */
#define DB_CREDENTIAL_MAX 128

/* Bytes of a client's address as text; of longer ones nothing is passed on. */
#define DB_ADDRESS_MAX 45

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
	int slow_connections;         /* of the slow lane; 0 = it shares the fast one */
	int costly_connections;       /* of the costly lane; 0 = it shares the fast one */
	int in_flight;                /* requests in the pipeline of a fast connection, 1 or more */
	int queue;                    /* requests waiting in one lane, 0 or more */
	int costly_queue;             /* the same for the costly lane */
	bool fair;                    /* of these, one organization may have half, and one connection
								   * of several is kept for those that have nothing under way */
} DbConfig;

typedef enum DbOutcome
{
	DB_ROWS,        /* done and committed; rows can be read */
	DB_REFUSED,     /* PostgreSQL raised an error; sqlstate and the rest say which; 54000 also
					 * when the rows were more than DB_RESULT_BYTES_MAX (and all is committed) */
	DB_TIMED_OUT,   /* sent, and its deadline passed; a cancel was sent */
	DB_UNAVAILABLE, /* not done: no connection in time, a queue full of others, another's cancel
					 * hit it, or its prepared statement was out of date */
	DB_LOST,        /* the connection broke after it was sent: done or not, unknown */
	DB_CROWDED      /* not done: too much of its organization's, or address's, waited */
} DbOutcome;

typedef struct DbResult
{
	DbOutcome outcome;

	/* DB_REFUSED: never NULL, "" when absent.  message is PostgreSQL's own. */
	const char *sqlstate;
	const char *message;
	const char *detail;
	const char *column;
	const char *constraint;

	/* What authenticate returned: the key's or user's id. */
	bool has_principal;
	uint8_t principal[DB_UUID_SIZE];

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
 * Open the pool.  Connections are made in the background and made again when they
 * break.  NULL only when memory or events cannot be had.  The strings of config are
 * copied.
 */
extern Db *db_open(struct event_base *base, const DbConfig *config);

/*
 * Close the pool at once.  Requests that have no answer get DB_UNAVAILABLE or DB_LOST.
 * Not from within a DbDone.
 */
extern void db_close(Db *db);

/*
 * File descriptors that the pool of this configuration may have open at once: each
 * connection, and a cancel beside it.
 */
extern int db_descriptors(const DbConfig *config);

/* What a lane does at this moment. */
typedef struct DbStats
{
	int connections;  /* that it has, and of these ... */
	int ready;        /* ... that take requests */
	int queued;       /* requests that wait for one */
	int in_flight;    /* requests that are sent and not answered */
	int owners;       /* organizations and addresses that these requests are of */
	uint64_t crowded; /* requests that were DB_CROWDED, since the start */
} DbStats;

/* "fast" and so on, by DbLaneName. */
extern const char *const db_lane_names[DB_LANE_COUNT];

extern DbStats db_stats(const Db *db, DbLaneName lane);

/* Is a connection of the fast lane ready for requests? */
extern bool db_ready(const Db *db);

/*
 * How often a server of this process has said what an honest one does not: each time the
 * connection was dropped, and what it carried became DB_LOST.  Of all pools, since the start.
 */
extern uint64_t db_protocol_violations(void);

/*
 * A new request for db_statements[statement]; NULL when memory cannot be had.  The
 * caller owns it until db_submit or db_request_free.
 */
extern DbRequest *
db_request_new(int statement, DbLaneName lane, int timeout_ms, DbDone done, void *arg);
extern void db_request_free(DbRequest *request);

/*
 * The credential and the permission the request needs (NULL = any valid credential).
 * The credential is copied, and the copy wiped as soon as it was handed to libpq.
 * needs must outlive the request.  False when the credential is too long.
 */
extern bool
db_request_credential(DbRequest *request, const char *credential, size_t len, const char *needs);

/*
 * The organization for which a system process acts, in place of a credential.
 */
extern void db_request_org(DbRequest *request, const uint8_t org[DB_UUID_SIZE]);

/*
 * The network address that the request came from: whose turn it takes while its credential is
 * not known, and for the record of the credential's use.  Copied.  Without a call, and for one
 * that is too long, there is none; without a credential either, it is the program's own.
 */
extern void db_request_address(DbRequest *request, const char *address, size_t len);

/*
 * Parameters in the order of the statement, in PostgreSQL's binary formats.  Copied.
 * False when there are too many or they are too large; the request stays usable only
 * for db_request_free then.
 */
extern bool db_param_null(DbRequest *request);
extern bool db_param_text(DbRequest *request, const char *text, size_t len);
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

/*
 * Choose the lane again; its parameters may tell that a request is slow.
 */
extern void db_request_set_lane(DbRequest *request, DbLaneName lane);

/*
 * Submit.  True: taken; done is called later, and the pointer stays valid for
 * db_abandon until then.  False: refused, because no connection can be had; the request
 * was freed and done will not be called.
 */
extern bool db_submit(Db *db, DbRequest *request);

/*
 * The asker is gone: done will not be called.  What was sent runs to its end all the
 * same; what was not sent is never sent.
 */
extern void db_abandon(DbRequest *request);

#endif
