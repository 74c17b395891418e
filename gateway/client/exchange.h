/*
 * exchange.h
 *		One request of a program that waits for its answer, to a server that its user has named.
 *
 * Guarded as all transfers are (curl_loop_guard()): certificates are verified, redirects are not
 * followed, and nothing of the environment, such as a proxy, takes part.  Without TLS it goes to
 * the machine itself only, because the request carries a credential.  Time and bytes are bounded.
 */
#ifndef CLIENT_EXCHANGE_H
#define CLIENT_EXCHANGE_H

#include "lib/buffer.h"

/* The longest URL of a request. */
#define EXCHANGE_URL_MAX 4096

/* The time to connect, TLS included. */
#define EXCHANGE_CONNECT_MS 10000

/* Everything is borrowed. */
typedef struct ExchangeRequest
{
	const char *method;
	const char *url;
	const char *token; /* sent as the bearer's; a text without control characters */
	const char *body;  /* JSON; NULL: none */
	size_t body_len;
	const char *ca_file; /* PEM; NULL: the system's authorities */
	const char *agent;   /* User-Agent */
	int timeout_ms;      /* of all of it */
} ExchangeRequest;

typedef struct ExchangeAnswer
{
	int status;
	int retry_after_s; /* what Retry-After asks for, in seconds or as a date; 0: nothing */
	Buffer body;       /* its maximum is set by the caller, who frees it */
} ExchangeAnswer;

/*
 * Whether requests may go to a URL, as it stands before its path: NULL, or why not, a constant
 * text.
 */
extern const char *exchange_problem(const char *url);

/* Sends a request.  NULL, or why there is no answer, a constant text. */
extern const char *exchange_run(const ExchangeRequest *request, ExchangeAnswer *answer);

#endif
