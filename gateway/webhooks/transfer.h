/*
 * transfer.h
 *		Sends POST requests to receivers that are not trusted, by curl on the loop.
 *
 * This code bounds what a receiver can do to us: the time of a transfer, the bytes of an
 * answer, and the addresses of sockets.  Of the answer only its status and its Retry-After
 * are kept.  A transfer sends its request once, or not at all.  It does not follow
 * redirects and does not use proxies from the environment, cookies or netrc.  It uses only
 * HTTP/1.1 and HTTPS, and verifies certificates.
 *
 * A connection that is kept is used again for the same organization only, and other
 * organizations do not close it.  Otherwise the time that a request takes would tell whether
 * somebody else sends to the same receiver.
 */
#ifndef WEBHOOKS_TRANSFER_H
#define WEBHOOKS_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "webhooks/egress.h"
#include "webhooks/negative_cache.h"

struct event_base;

/* The most bytes of an answer's head; with more the transfer fails. */
#define TRANSFER_HEAD_MAX (64 * 1024)

/*
 * The bytes of an answer's body that are read and discarded, so that the connection can be
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
 * Without one status is 0, and problem is a constant text that says why.  retry_after_s is
 * the wait that Retry-After asks for, given there in seconds or as a date, at most
 * TRANSFER_RETRY_AFTER_MAX_S; 0: none.
 */
typedef void (*TransferDone)(void *arg, int status, const char *problem, int retry_after_s);

typedef struct TransferRequest
{
	const char *url; /* as egress_parse() has parsed it */
	const EgressTarget *target;
	const uint8_t *asker; /* its organization; NEGATIVE_CACHE_ASKER_SIZE bytes, copied */
	const struct sockaddr_storage *addresses; /* of the target's name; all of them were checked */
	int address_count;                        /* 0 when the target is an address */
	const char *const *headers;               /* "Name: value", copied; ends with NULL */
	const char *body;                         /* borrowed until done */
	size_t body_len;
	int timeout_ms;
} TransferRequest;

/*
 * rules and ca_file (PEM; NULL: the system's) must outlive the result.  Returns NULL on
 * failure.
 */
extern Transfers *
transfers_open(struct event_base *base, const EgressRules *rules, const char *ca_file);

/* Ends the transfers that are under way, without a call of done. */
extern void transfers_close(Transfers *transfers);

/*
 * Starts a transfer.  done is called once, from the loop, never from within.  Returns NULL
 * when memory is out.
 */
extern Transfer *
transfer_start(Transfers *transfers, const TransferRequest *request, TransferDone done, void *arg);

/* Ends the transfer when nobody waits for it any more.  done will not be called. */
extern void transfer_abandon(Transfer *transfer);

#endif
