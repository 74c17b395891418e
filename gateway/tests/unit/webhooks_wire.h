/*
 * webhooks_wire.h
 *		A receiver of webhooks and a name server, for tests of the worker without a network.
 *
 * Both run in the loop of the test, on the loopback.  The receiver answers as its script
 * says and keeps what came last; the name server answers with the addresses that it was
 * given, the first question with the first, and so on, the last one for ever.  Of names that
 * begin with "silent" it says nothing.
 */
#ifndef TESTS_UNIT_WEBHOOKS_WIRE_H
#define TESTS_UNIT_WEBHOOKS_WIRE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "webhooks/attempt.h"

typedef enum WebhooksWireScript
{
	WEBHOOKS_WIRE_STATUS,     /* an answer of that status, with a small body */
	WEBHOOKS_WIRE_REDIRECT,   /* a 302 to "location" */
	WEBHOOKS_WIRE_HANG,       /* no answer */
	WEBHOOKS_WIRE_DROP,       /* the end of the connection instead of an answer */
	WEBHOOKS_WIRE_LEAVE,      /* an answer, and then the end of the connection */
	WEBHOOKS_WIRE_LARGE_BODY, /* more than is read */
	WEBHOOKS_WIRE_LARGE_HEAD  /* more than is taken */
} WebhooksWireScript;

typedef struct WebhooksWire
{
	struct event_base *base;
	WebhooksWireScript script;
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

	uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE]; /* of webhooks_wire_attempt() */

	/* of the attempt that ended last */
	bool done;
	AttemptResult result;
} WebhooksWire;

/* What the requests of webhooks_wire_attempt() are signed with. */
extern const AttemptSignatures webhooks_wire_signatures;

extern void webhooks_wire_start(WebhooksWire *wire);
extern void webhooks_wire_stop(WebhooksWire *wire);

/* An attempt with the body "{}", run to its end; the URL's "%d" is the receiver's port. */
extern void webhooks_wire_attempt(WebhooksWire *wire, const char *url);

/* Runs the loop until *done; fails the test when that takes seconds. */
extern void webhooks_wire_run_until(WebhooksWire *wire, const bool *done);

/* The value of a header of the last request, "" when it was not there; static. */
extern const char *webhooks_wire_header(const WebhooksWire *wire, const char *name);

#endif
