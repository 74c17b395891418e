/*
 * http_oracle.h
 *		Another reader of requests, for the guard to agree with: llhttp, the parser of Node.js.
 *
 * It is not in the gateway.  What the guard accepts, it must accept too, with the same
 * method, target, fields, body and end: then nobody else is likely to read it in another
 * way.  It may accept more.
 */
#ifndef TESTS_UNIT_HTTP_ORACLE_H
#define TESTS_UNIT_HTTP_ORACLE_H

#include <llhttp.h>

#include "http/head.h"

typedef struct HttpOracle
{
	llhttp_t parser;
	Buffer target;
	Buffer fields; /* of the head: "name:value", a line for each */
	Buffer body;
	bool head_complete;
	bool complete; /* the end of the message was seen */
	bool closes;   /* and no other follows on the connection */
	bool refused;
} HttpOracle;

/* Makes it ready for one message. */
extern void http_oracle_init(HttpOracle *oracle);
extern void http_oracle_free(HttpOracle *oracle);

/* Reads on; false when it refuses the message, now or before. */
extern bool http_oracle_feed(HttpOracle *oracle, const char *data, size_t len);

/* Whether both have read a whole message, and the same one. */
extern bool http_oracle_agrees(const HttpOracle *oracle, const HttpGuard *guard);

#endif
