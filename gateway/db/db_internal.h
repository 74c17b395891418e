/*
 * db_internal.h
 *		The inside of gateway/db: pool, lane, connection, request.
 *
 * Who owns what.  The pool owns its lanes, a lane its connections and its queue.  A
 * request is owned by exactly one list at a time, named by its state:
 *
 *	REQUEST_NEW		no list, the caller owns it
 *	REQUEST_QUEUED	lane->queue, in the order of submission; whose turn it is says lane->turns
 *	REQUEST_REFUSED	lane->refused
 *	REQUEST_SENT	connection->in_flight, in the order of the pipeline
 *	REQUEST_ENDING	a local list of whoever is about to end it
 *
 * request_enter() is the only place where that changes, and request_end() the only one
 * where a submitted request is told and freed; done is NULL once the asker was told or
 * has left, and the rest of the request lives on until the pipeline has passed it.
 *
 * Only connection_set_state() changes the state of a connection.
 */
#ifndef DB_DB_INTERNAL_H
#define DB_DB_INTERNAL_H

#include <sys/queue.h>

#include <event2/event.h>
#include <libpq-fe.h>

#include "db/db.h"
#include "db/fair_queue.h"
#include "db/login.h"
#include "db/owners.h"
#include "db/ready.h"
#include "db/reports.h"
#include "db/shape.h"
#include "lib/buffer.h"
#include "lib/leftovers.h"

/* How often deadlines are looked at while there are requests. */
#define DB_TICK_MS 50

/* From the start of a connection attempt until its statements are prepared. */
#define DB_CONNECT_MS 10000

/* Back-off between attempts: doubled from the first to the last, with jitter. */
#define DB_RETRY_FIRST_MS 100
#define DB_RETRY_LAST_MS 10000

/* A connection that does not get past an overdue request for so long is given up. */
#define DB_STUCK_MS 5000

/* A cancel that takes longer is given up. */
#define DB_CANCEL_SECONDS 5

/* Hard bounds on what a configuration may ask for. */
#define DB_CONNECTIONS_MAX 256

/* Microseconds from 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
#define DB_EPOCH_DIFFERENCE_US INT64_C(946684800000000)

/* Of the random number by which the answer to a request is known. */
#define DB_NUMBER_BYTES 8
/* With how many bytes libpq makes its two buffers, for output and input. */
#define DB_LIBPQ_BUFFER (16 * 1024)

/* The first byte of a jsonb that is sent. */
#define DB_JSONB_VERSION 1

typedef struct DbLane DbLane;
typedef struct DbConnection DbConnection;
typedef struct DbCancel DbCancel;

typedef enum RequestState
{
	REQUEST_NEW,
	REQUEST_QUEUED,
	REQUEST_REFUSED, /* the queue had no place for it; told in the same turn of the loop */
	REQUEST_SENT,
	REQUEST_ENDING
} RequestState;

struct DbRequest
{
	TAILQ_ENTRY(DbRequest) link;
	RequestState state;
	DbLane *lane;             /* from submit on */
	DbConnection *connection; /* REQUEST_SENT */
	FairOwner owner;          /* whose turn it takes */
	FairItem turn;            /* of lane->turns, while it is queued or sent */
	bool crowded;             /* REQUEST_REFUSED: others of its owner's had the places */

	int statement;
	DbLaneName lane_name;
	DbDone done; /* NULL: told already, or nobody is there to tell */
	void *arg;

	int64_t timeout_ms;
	int64_t submitted_at; /* monotonic milliseconds, as the next two */
	int64_t sent_at;
	int64_t deadline;

	char credential[DB_CREDENTIAL_MAX];
	size_t credential_len; /* 0: no credential, authenticate is not sent */
	const char *needs;
	bool has_org; /* act_for is sent; there is no credential then */
	uint8_t org[DB_UUID_SIZE];
	char address[DB_ADDRESS_MAX];
	size_t address_len; /* 0: none */

	Buffer bytes; /* the parameters' values, one after the other */
	int params;
	int lengths[DB_PARAMS_MAX]; /* -1: NULL */

	int binding;                     /* authenticate, act_for or unbound: what is sent first */
	uint8_t number[DB_NUMBER_BYTES]; /* sent with it, and answered by it */

	/* What the pipeline has answered so far. */
	bool cancel_sent; /* for this request */
	bool cancel_near; /* a cancel for another request may have hit this one */
	bool has_principal;
	uint8_t principal[DB_UUID_SIZE];
	uint8_t bound_org[DB_UUID_SIZE]; /* that the credential is of, with has_principal */
	PGresult *rows;
	PGresult *error; /* the first one */
	bool too_large;  /* there were rows, more than DB_RESULT_BYTES_MAX */
};

TAILQ_HEAD(RequestList, DbRequest);

/* The request whose place in the fair queue that is. */
#define REQUEST_OF_TURN(item) ((DbRequest *) ((char *) (item) -offsetof(DbRequest, turn)))

typedef enum ConnectionState
{
	CONNECTION_WAITING,    /* no connection; the timer runs until the next attempt */
	CONNECTION_CONNECTING, /* libpq is connecting; the timer limits it */
	CONNECTION_PREPARING,  /* the statements are being parsed; the same timer */
	CONNECTION_READY       /* takes requests */
} ConnectionState;

/*
 * What the server's next result belongs to.  A connection that is prepared goes from
 * AWAITED_PARSE to AWAITED_SYNC, and with each request from AWAITED_BINDING to AWAITED_SYNC.
 */
typedef enum Awaited
{
	AWAITED_PARSE, /* of connection->preparing, as the next one */
	AWAITED_DESCRIBE,
	AWAITED_BINDING, /* of the request at the head, as the next one */
	AWAITED_STATEMENT,
	AWAITED_SYNC
} Awaited;

struct DbConnection
{
	DbLane *lane;
	int number; /* for the log */
	ConnectionState state;
	PGconn *pg;        /* NULL while waiting */
	Leftovers buffers; /* libpq's, which keep what has passed */
	bool used;         /* something has passed since they were wiped */
	struct event *readable;
	struct event *writable;
	struct event *timer;
	int attempts; /* failed ones since the last success */
	bool broke;   /* and "connected" was not logged since */
	bool unflushed;
	bool retiring; /* takes nothing more, and is made anew once its pipeline is empty */

	int preparing; /* CONNECTION_PREPARING: the statement whose answer is next */
	Awaited awaited;
	bool answered;   /* what is awaited has had its result, and libpq's NULL is next */
	DbShape *shapes; /* of every statement, by its index */
	Reports reports;
	Ready ready;

	struct RequestList in_flight;
	int in_flight_count;

	DbCancel *cancel; /* NULL: none; while it runs nothing more is sent */
};

struct DbLane
{
	Db *db;
	DbConnection *connections;
	int connection_count;
	int in_flight; /* requests in one connection's pipeline */
	struct RequestList queue;
	struct RequestList refused;
	FairQueue *turns;       /* what is in queue, and in the pipelines */
	uint64_t crowded_count; /* of those that were refused, since the start */
	struct event *dispatch; /* activated when there may be something to send or tell */
};

struct Db
{
	struct event_base *base;
	struct event *tick; /* runs while there are requests or cancels */
	bool ticking;
	DbLane lanes[DB_LANE_COUNT];
	Owners *owners;
	bool fair;        /* as in DbConfig */
	int authenticate; /* the statement's index, -1 when the role has none */
	int act_for;      /* the same */
	int unbound;      /* the same */

	/* copied configuration */
	char *conninfo;
	char *application_name;
	char *role;
};

/* request.c */
extern bool request_send(DbRequest *request, DbConnection *connection);
extern const char *request_take_binding(DbRequest *request, PGresult *result, const DbShape *shape);
extern const char *request_take_rows(DbRequest *request, PGresult *result, const DbShape *shape);
extern const char *request_take_end(DbRequest *request, PGresult *result);
extern void request_drop_answer(DbRequest *request);
extern void request_enter(DbRequest *request, RequestState state, DbConnection *connection);
extern void request_tell(DbRequest *request, DbOutcome outcome);
extern void request_end(DbRequest *request, DbOutcome outcome);
extern DbOutcome request_outcome(const DbRequest *request);
extern DbOutcome request_outcome_of_break(const DbRequest *request);
extern bool request_retires_connection(const DbRequest *request);
extern void request_note_owner(const DbRequest *request);

/* connection.c */
extern bool connection_open(DbConnection *connection, DbLane *lane, int number);
extern void connection_close(DbConnection *connection);
extern void connection_break(DbConnection *connection, const char *reason);
extern void connection_flush(DbConnection *connection);
extern void connection_forget(DbConnection *connection);
extern bool connection_takes(const DbConnection *connection);
extern void connection_set_state(DbConnection *connection, ConnectionState state);

/* pipeline.c: what arrives on a connection that is prepared or being so */
extern bool pipeline_prepare(DbConnection *connection);
extern void pipeline_read(DbConnection *connection);

/* pool.c */
extern void pool_wake(DbLane *lane);
extern void pool_connection_failed(DbLane *lane);
extern void pool_start_tick(Db *db);

/* cancel.c */
extern bool cancel_start(DbConnection *connection);
extern bool cancel_reap(DbConnection *connection);
extern void cancel_drop(DbConnection *connection);

/* cancel_async.c or cancel_fork.c, by what libpq can do */
extern DbCancel *cancel_begin(DbConnection *connection);
extern bool cancel_has_ended(DbCancel *cancel);
extern void cancel_free(DbCancel *cancel);

#endif
