/*
 * db_internal.h
 *		The internals of gateway/db: pool, lane, connection, request.
 *
 * The pool owns its lanes, and a lane owns its connections and its queue.  A request is
 * owned by exactly one list at a time, which its state names:
 *
 *	REQUEST_NEW		no list; the caller owns it
 *	REQUEST_QUEUED	lane->queue, in the order of submission; lane->turns says which is next
 *	REQUEST_REFUSED	lane->refused
 *	REQUEST_SENT	connection->in_flight, in the order of the pipeline
 *	REQUEST_ENDING	a local list of the function that is about to end it
 *
 * Only request_enter() changes the state of a request, and only request_end() frees a
 * submitted one.  A request whose caller already has its answer, or has abandoned it, has
 * done == NULL and stays until its answer has arrived in the pipeline.
 *
 * Only connection_set_state() changes the state of a connection.
 */
#ifndef DB_DB_INTERNAL_H
#define DB_DB_INTERNAL_H

#include <sys/queue.h>

#include <event2/event.h>
#include <libpq-fe.h>

#include "db/cork.h"
#include "db/db.h"
#include "lib/fair_queue.h"
#include "db/login.h"
#include "db/owners.h"
#include "db/ready.h"
#include "db/reports.h"
#include "db/shape.h"
#include "lib/buffer.h"
#include "lib/leftovers.h"

/* How often deadlines are checked while there are requests. */
#define DB_TICK_MS 50

/* Requests of each lane that are told in one tick that too many of their owner wait. */
#define DB_CROWDED_TOLD 32

/* From the start of a connection attempt until its statements are prepared. */
#define DB_CONNECT_MS 10000

/* Back-off between connection attempts: it doubles from the first to the last, with jitter. */
#define DB_RETRY_FIRST_MS 100
#define DB_RETRY_LAST_MS 10000

/* A connection is given up when a request on it is overdue by this long. */
#define DB_STUCK_MS 5000

/* A cancel that takes longer than this is given up. */
#define DB_CANCEL_SECONDS 5

/* The most connections that a configuration may ask for, in each lane. */
#define DB_CONNECTIONS_MAX 256

/* Microseconds from 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
#define DB_EPOCH_DIFFERENCE_US INT64_C(946684800000000)

/* Bytes of the random number that identifies the answer to a request. */
#define DB_NUMBER_BYTES 8

/* The size with which libpq allocates each of its two buffers, for output and input. */
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
	REQUEST_REFUSED, /* the queue had no place for it; ends in the same loop iteration */
	REQUEST_CROWDED, /* requests of its owner had the places; ends in a tick */
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
	FairItem turn;            /* its item in lane->turns, while it is queued or sent */

	int statement;
	DbLaneName lane_name;
	DbDone done; /* NULL: it was called already, or the request was abandoned */
	void *arg;

	int64_t timeout_ms;
	int64_t submitted_at; /* this and the next two: monotonic milliseconds */
	int64_t sent_at;
	int64_t deadline;

	char credential[DB_CREDENTIAL_MAX];
	size_t credential_len; /* 0: there is no credential, and authenticate is not sent */
	const char *needs;
	bool asks;    /* what is sent now asks of which organization the credential is */
	bool asked;   /* that was answered */
	bool has_org; /* act_for is sent; there is no credential */
	uint8_t org[DB_UUID_SIZE];
	char address[DB_ADDRESS_MAX];
	size_t address_len; /* 0: none */
	char agent[DB_AGENT_MAX];
	size_t agent_len; /* 0: none */

	Buffer bytes; /* the parameters' values, one after the other */
	int params;
	int lengths[DB_PARAMS_MAX]; /* -1: NULL */

	int binding;                     /* the statement sent first: authenticate, act_for, unbound */
	uint8_t number[DB_NUMBER_BYTES]; /* sent with the binding, which returns it */

	/* What the pipeline has answered so far. */
	bool cancel_sent; /* for this request */
	bool cancel_near; /* a cancel for another request may have hit this one */
	bool has_principal;
	uint8_t principal[DB_UUID_SIZE];
	uint8_t bound_org[DB_UUID_SIZE]; /* the credential's organization; set with has_principal */
	DbRate rate;                     /* set with has_principal */
	PGresult *rows;
	PGresult *error; /* the first one */
	bool too_large;  /* there were rows, but of more than DB_RESULT_BYTES_MAX */
};

TAILQ_HEAD(RequestList, DbRequest);

/* The request that this item of the fair queue belongs to. */
#define REQUEST_OF_TURN(item) ((DbRequest *) ((char *) (item) -offsetof(DbRequest, turn)))

typedef enum ConnectionState
{
	CONNECTION_WAITING,    /* no connection; the timer runs until the next attempt */
	CONNECTION_CONNECTING, /* libpq is connecting; the timer limits it */
	CONNECTION_PREPARING,  /* the statements are being parsed; the same timer limits it */
	CONNECTION_READY       /* accepts requests */
} ConnectionState;

/*
 * What the server's next result belongs to.  While a connection is prepared this goes from
 * AWAITED_PARSE to AWAITED_SYNC; for each request it goes from AWAITED_BINDING to
 * AWAITED_SYNC.
 */
typedef enum Awaited
{
	AWAITED_PARSE, /* this and the next: of the statement connection->preparing */
	AWAITED_DESCRIBE,
	AWAITED_BINDING, /* this and the next: of the request at the head of the pipeline */
	AWAITED_STATEMENT,
	AWAITED_SYNC
} Awaited;

struct DbConnection
{
	DbLane *lane;
	int number; /* for the log */
	ConnectionState state;
	PGconn *pg;        /* NULL while waiting */
	Leftovers buffers; /* libpq's buffers, which keep what has passed through them */
	bool used;         /* a request was sent since they were wiped */
	Cork cork;
	struct event *readable;
	struct event *writable;
	struct event *timer;
	int attempts; /* failed connection attempts since the last success */
	bool broke;   /* it broke, and "connected" was not logged since then */
	bool unflushed;
	bool retiring; /* accepts nothing more; replaced by a new one once its pipeline is empty */

	int preparing; /* CONNECTION_PREPARING: the statement whose answer is next */
	Awaited awaited;
	bool answered;   /* the awaited result has come, and libpq's NULL comes next */
	DbShape *shapes; /* of all statements, by index */
	Reports reports;
	Ready ready;

	struct RequestList in_flight;
	int in_flight_count;

	DbCancel *cancel; /* NULL: none; while one runs, nothing more is sent */
};

struct DbLane
{
	Db *db;
	DbConnection *connections;
	int connection_count;
	int in_flight; /* requests in one connection's pipeline */
	struct RequestList queue;
	struct RequestList refused;
	struct RequestList crowded;
	FairQueue *turns;       /* the requests in the queue and in the pipelines */
	uint64_t crowded_count; /* requests that were DB_CROWDED, since the start */
	struct event *dispatch; /* activated when requests may have to be sent or ended */
};

struct Db
{
	struct event_base *base;
	struct event *tick; /* runs while there are requests or cancels */
	bool ticking;
	DbLane lanes[DB_LANE_COUNT];
	Owners *owners;
	bool fair;          /* as in DbConfig */
	int authenticate;   /* the index of this statement; -1 when the role does not have it */
	int act_for;        /* the same */
	int unbound;        /* the same */
	int credential_org; /* the same */

	/* copied configuration */
	char *conninfo;
	char *application_name;
	char *role;
};

/* request.c */
extern int request_statement(const DbRequest *request);
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
extern void request_note_owner(DbRequest *request);
extern bool request_has_asked(DbRequest *request);

/* connection.c */
extern bool connection_open(DbConnection *connection, DbLane *lane, int number);
extern void connection_close(DbConnection *connection);
extern void connection_break(DbConnection *connection, const char *reason);
extern void connection_flush(DbConnection *connection);
extern void connection_forget(DbConnection *connection);
extern bool connection_takes(const DbConnection *connection);
extern void connection_set_state(DbConnection *connection, ConnectionState state);

/* pipeline.c: what arrives on a connection while it is prepared and after that */
extern bool pipeline_prepare(DbConnection *connection);
extern void pipeline_read(DbConnection *connection);

/* pool.c */
extern void pool_wake(DbLane *lane);
extern void pool_connection_failed(DbLane *lane);
extern void pool_start_tick(Db *db);
extern void pool_requeue(DbRequest *request);

/* cancel.c */
extern bool cancel_start(DbConnection *connection);
extern bool cancel_reap(DbConnection *connection);
extern void cancel_drop(DbConnection *connection);

/* cancel_async.c or cancel_fork.c, depending on libpq's version */
extern DbCancel *cancel_begin(DbConnection *connection);
extern bool cancel_has_ended(DbCancel *cancel);
extern void cancel_free(DbCancel *cancel);

#endif
