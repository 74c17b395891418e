/*
 * service.h
 *		Requests to a service that the operator has named, many at once, by curl on the loop.
 *
 * Over TLS they share few connections by HTTP/2, if the service offers it.  Guarded as all
 * transfers are (curl_loop_guard()): certificates are verified, redirects are not followed, and
 * nothing of the environment, such as a proxy, takes part.  Time and bytes are bounded.
 *
 * A call sends its request once, or not at all: where curl would repeat it on another connection,
 * the call ends without an answer.  "left" then says that the service may have taken it.
 */
#ifndef CLIENT_SERVICE_H
#define CLIENT_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;

/* The most connections to one host. */
#define SERVICE_CONNECTIONS_MAX 32

/*
 * How long an idle connection is used again.  A service that closes one meanwhile makes the
 * outcome of the next request unknown.
 */
#define SERVICE_IDLE_SECONDS 20

/* The time to connect, TLS included; less when the call has less time. */
#define SERVICE_CONNECT_MS 10000

/* The most bytes of an answer's head; with more the call fails. */
#define SERVICE_HEAD_MAX (64 * 1024)

#define SERVICE_URL_MAX 2048

typedef struct Service Service;
typedef struct ServiceCall ServiceCall;

typedef struct ServiceRequest
{
	const char *method;
	const char *url;
	const char *token; /* sent as the bearer's; a text without control characters */
	const char *body;  /* JSON; NULL: none */
	size_t body_len;
	int timeout_ms;    /* of all of it */
	size_t answer_max; /* bytes of the answer's body */
} ServiceRequest;

/* Valid until done returns. */
typedef struct ServiceAnswer
{
	int status;          /* 0: no complete answer has come */
	const char *problem; /* with 0: why, a constant text */
	bool left;           /* with 0: the request may have reached the service */
	int retry_after_s;   /* what Retry-After asks for; 0: nothing */
	const char *body;    /* never NULL; a NUL follows it */
	size_t body_len;
} ServiceAnswer;

typedef void (*ServiceDone)(void *context, const ServiceAnswer *answer);

/*
 * ca_file: PEM, NULL: the system's authorities; agent: User-Agent.  Both are borrowed.  NULL: out
 * of memory.
 */
extern Service *service_open(struct event_base *base, const char *ca_file, const char *agent);

/* Ends all calls; done is not called.  The argument may be NULL. */
extern void service_close(Service *service);

/*
 * Sends a request, all of which is copied.  done is called once, from the loop, never from within
 * this.  NULL: out of memory.
 */
extern ServiceCall *
service_call(Service *service, const ServiceRequest *request, ServiceDone done, void *context);

/* Ends the call; done is not called. */
extern void service_call_abandon(ServiceCall *call);

#endif
