/*
 * graph.h
 *		Calls to Meta's Graph API.
 *
 * A call is one request, and ends with a verdict (graph_error.h).  The access token is sent as the
 * bearer's, with the proof that the caller has the app secret, which Meta demands of apps that are
 * set so (appsecret_proof: HMAC-SHA256 of the token, in hexadecimal digits).
 */
#ifndef CLOUD_GRAPH_H
#define CLOUD_GRAPH_H

#include "client/service.h"
#include "cloud/credentials.h"
#include "cloud/graph_error.h"
#include "lib/json_read.h"

/* The most bytes of an answer. */
#define GRAPH_ANSWER_MAX (1024 * 1024)

/* The most bytes of a problem: as many as the database keeps characters of one. */
#define GRAPH_PROBLEM_MAX 500

typedef struct GraphSetup
{
	Service *service;
	const char *url;     /* without a slash at its end */
	const char *version; /* such as v25.0, for credentials that name none */
	int timeout_ms;      /* of one call */
} GraphSetup;

/* Everything is borrowed until graph_call() returns. */
typedef struct GraphRequest
{
	const char *method;
	const char *id;    /* of the object */
	const char *edge;  /* "/messages", "" … */
	const char *query; /* "fields=id&"; "": none */
	const char *body;  /* JSON; NULL: none */
	size_t body_len;
} GraphRequest;

typedef struct GraphAnswer
{
	GraphAdvice advice;
	const JsonValue *json;               /* GRAPH_DONE: an object; valid until done returns */
	int code;                            /* of an error; -1: none */
	int wait_s;                          /* what Retry-After asks for; 0: nothing */
	char problem[GRAPH_PROBLEM_MAX + 1]; /* else: why, in words, without a secret */
} GraphAnswer;

typedef struct GraphCall GraphCall;
typedef void (*GraphDone)(void *context, const GraphAnswer *answer);

/* Begins a call; the setup has to outlive it.  done is called once, from the loop.  NULL: out of memory. */
extern GraphCall *graph_call(const GraphSetup *setup, const CloudCredentials *credentials,
							 const GraphRequest *request, GraphDone done, void *context);

/* Ends the call; done is not called. */
extern void graph_call_abandon(GraphCall *call);

/* Copies a text of the object, which is "" if it has none that fits. */
extern void graph_copy_text(const JsonValue *object, const char *name, char *copy, size_t size);

#endif
