/*
 * worker_wire.h
 *		A receiver of webhooks and a name server, for tests of the worker without a network.
 *
 * Both run in the loop of the test, on the loopback.  The receiver answers as its script
 * says and keeps what came last; the name server answers with the addresses that it was
 * given, the first question with the first, and so on, the last one for ever.  Of names that
 * begin with "silent" it says nothing.
 */
#ifndef TESTS_UNIT_WORKER_WIRE_H
#define TESTS_UNIT_WORKER_WIRE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/attempt.h"

typedef enum WorkerWireScript
{
	WORKER_WIRE_STATUS,     /* an answer of that status, with a small body */
	WORKER_WIRE_REDIRECT,   /* a 302 to "location" */
	WORKER_WIRE_HANG,       /* no answer */
	WORKER_WIRE_DROP,       /* the end of the connection instead of an answer */
	WORKER_WIRE_LEAVE,      /* an answer, and then the end of the connection */
	WORKER_WIRE_LARGE_BODY, /* more than is read */
	WORKER_WIRE_LARGE_HEAD  /* more than is taken */
} WorkerWireScript;

typedef struct WorkerWire
{
	struct event_base *base;
	WorkerWireScript script;
	int status;
	char location[64];
	const char *retry_after; /* NULL: not said */

	int port; /* of the receiver */
	int requests;
	int connections;
	char body[256]; /* of the last request */
	char headers[4096];

	int name_port;
	const char *const *answers; /* addresses, of both families; NULL ends them */
	bool all_at_once;           /* one answer with all of them */
	int questions;              /* for IPv4 addresses */
	int unanswered;             /* of them, for names that begin with "silent" */

	struct evhttp *http;
	struct evdns_server_port *names;
	struct evhttp_request *hanging;
	EgressRules rules;
	AttemptSetup setup;

	uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE]; /* of worker_wire_attempt() */

	/* of the attempt that ended last */
	bool done;
	AttemptResult result;
} WorkerWire;

/* What the requests of worker_wire_attempt() are signed with. */
extern const AttemptSignatures worker_wire_signatures;

extern void worker_wire_start(WorkerWire *wire);
extern void worker_wire_stop(WorkerWire *wire);

/* An attempt with the body "{}", run to its end; the URL's "%d" is the receiver's port. */
extern void worker_wire_attempt(WorkerWire *wire, const char *url);

/* Runs the loop until *done; fails the test when that takes seconds. */
extern void worker_wire_run_until(WorkerWire *wire, const bool *done);

/* The value of a header of the last request, "" when it was not there; static. */
extern const char *worker_wire_header(const WorkerWire *wire, const char *name);

#endif
