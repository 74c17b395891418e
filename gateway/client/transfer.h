/*
 * transfer.h
 *		Sends requests to servers that are not trusted, by curl on the loop.
 *
 * This code bounds what a server can do to us: the time of a transfer, the bytes of an
 * answer, and the addresses of sockets.  Of the answer only its status, its Retry-After and its
 * Location are kept; a GET passes its body on.  A transfer sends its request once, or not at
 * all.  It does not follow
 * redirects and does not use proxies from the environment, cookies or netrc.  It uses only
 * HTTP/1.1 and HTTPS, and verifies certificates.
 *
 * A connection that is kept is used again for the same organization only, and other
 * organizations do not close it.  Otherwise the time that a request takes would tell whether
 * somebody else sends to the same receiver.
 */
#ifndef CLIENT_TRANSFER_H
#define CLIENT_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "client/egress.h"
#include "client/negative_cache.h"

struct event_base;

/* The most bytes of an answer's head; with more the transfer fails. */
#define TRANSFER_HEAD_MAX (64 * 1024)

/*
 * The bytes of a body that are read and discarded, so that the connection can be
 * used again.
 */
#define TRANSFER_BODY_MAX (64 * 1024)

/*
 * The number of connections that are kept, and for how long.  Common servers close an idle
 * connection after five seconds.  Ours is closed before that, so that no request is sent on
 * one that is being closed.
 */
#define TRANSFER_KEPT_MAX 128
#define TRANSFER_KEPT_SECONDS 4

/* The time to connect, TLS included; less when the transfer has less time. */
#define TRANSFER_CONNECT_MS 5000

/*
 * The longest wait that an answer can ask for.  It is also the database's bound
 * (wa.finish_failure), and below the six hours to which later releases of libcurl shorten
 * it.
 */
#define TRANSFER_RETRY_AFTER_MAX_S (60 * 60)

#define TRANSFER_HEADERS_MAX 40

typedef struct Transfers Transfers;
typedef struct Transfer Transfer;

/*
 * The result of a transfer.  With an answer status is the answer's, and problem is NULL.
 * Without one, and without all of a body that is taken, status is 0, and problem is a constant
 * text that says why.
 */
typedef struct TransferResult
{
	int status;
	const char *problem;
	bool hopeless;        /* another try would have the same problem */
	int retry_after_s;    /* what Retry-After asks for, in seconds or as a date, at most
						   * TRANSFER_RETRY_AFTER_MAX_S; 0: nothing */
	const char *redirect; /* the URL that a redirect leads to, until done returns; NULL: none */
} TransferResult;

typedef void (*TransferDone)(void *arg, const TransferResult *result);

/*
 * Takes bytes of the body of a 200.  It must not end the transfer.  False: no more, until
 * transfer_resume().
 */
typedef bool (*TransferTake)(void *arg, const void *bytes, size_t len);

typedef struct TransferRequest
{
	const char *url; /* as egress_parse() has parsed it */
	const EgressTarget *target;
	const uint8_t *asker; /* its organization; NEGATIVE_CACHE_ASKER_SIZE bytes, copied */
	const struct sockaddr_storage *addresses; /* of the target's name; all of them were checked */
	int address_count;                        /* 0 when the target is an address */
	const char *const *headers;               /* "Name: value", copied; ends with NULL */
	const char *body;                         /* JSON, borrowed until done; NULL: it is a GET */
	size_t body_len;
	TransferTake take; /* of a GET */
	int64_t take_max;  /* bytes of a body that is taken */
	int timeout_ms;
} TransferRequest;

/*
 * rules, ca_file (PEM; NULL: the system's) and agent, which is sent as User-Agent, must outlive
 * the result.  Returns NULL on failure.
 */
extern Transfers *transfers_open(struct event_base *base, const EgressRules *rules,
								 const char *ca_file, const char *agent);

/* Ends the transfers that are under way, without a call of done. */
extern void transfers_close(Transfers *transfers);

/*
 * Starts a transfer.  done is called once, from the loop, never from within.  Returns NULL
 * when memory is out.
 */
extern Transfer *
transfer_start(Transfers *transfers, const TransferRequest *request, TransferDone done, void *arg);

/* Lets take() get bytes again, also from within this. */
extern void transfer_resume(Transfer *transfer);

/* Ends the transfer when nobody waits for it any more.  done will not be called. */
extern void transfer_abandon(Transfer *transfer);

#endif
