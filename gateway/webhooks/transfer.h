/*
 * transfer.h
 *		POST requests to strangers, by curl on the loop.
 *
 * What a stranger may do to us is bounded here: the time of a transfer, the bytes of an
 * answer, where a socket may lead.  Nothing of the answer is kept but its status.
 * A transfer sends its request once, or not at all.
 * Redirects are not followed, proxies of the environment not used, no cookie, no netrc, no
 * other protocol than HTTP/1.1 and HTTPS, whose certificates are verified.
 */
#ifndef WEBHOOKS_TRANSFER_H
#define WEBHOOKS_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "webhooks/egress.h"

struct event_base;

/* Bytes of an answer's head; more end the transfer as failed. */
#define TRANSFER_HEAD_MAX (64 * 1024)

/* Bytes of an answer's body that are read, and thrown away, to use the connection again. */
#define TRANSFER_BODY_MAX (64 * 1024)

/*
 * Connections that are kept for another transfer, and how long: less than the five seconds
 * after which common servers close an idle one, which could meet a request on its way.
 */
#define TRANSFER_KEPT_MAX 128
#define TRANSFER_KEPT_SECONDS 4

/* To connect, TLS included; less when the transfer has less time. */
#define TRANSFER_CONNECT_MS 5000

/*
 * Whatever an answer asks for.  It is the database's own bound (wa.finish_delivery), and
 * below the six hours that later releases of libcurl cut it down to.
 */
#define TRANSFER_RETRY_AFTER_MAX_S (60 * 60)

#define TRANSFER_HEADERS_MAX 40

typedef struct Transfers Transfers;
typedef struct Transfer Transfer;

/*
 * What came of it: status is the answer's, and problem NULL; or status is 0 and problem, a
 * constant, says why there was none.  retry_after_s is what the answer's Retry-After asks
 * for, as seconds or as a date, no more than TRANSFER_RETRY_AFTER_MAX_S; 0: nothing.
 */
typedef void (*TransferDone)(void *arg, int status, const char *problem, int retry_after_s);

typedef struct TransferRequest
{
	const char *url; /* as egress_parse() has taken it apart */
	const EgressTarget *target;
	const struct sockaddr_storage *addresses; /* of the target's name, all of them checked */
	int address_count;                        /* 0 when the target is an address */
	const char *const *headers;               /* "Name: value", copied; NULL ends them */
	const char *body;                         /* borrowed until done */
	size_t body_len;
	int timeout_ms;
} TransferRequest;

/*
 * rules and ca_file (PEM; NULL: the system's) must outlive it.  NULL: could not.
 */
extern Transfers *
transfers_open(struct event_base *base, const EgressRules *rules, const char *ca_file);

/* Transfers that are under way end without a word. */
extern void transfers_close(Transfers *transfers);

/*
 * Starts one; done is called once, from the loop, never from within.  NULL: could not, out
 * of memory.
 */
extern Transfer *
transfer_start(Transfers *transfers, const TransferRequest *request, TransferDone done, void *arg);

/* The asker is gone: the transfer ends, done will not be called. */
extern void transfer_abandon(Transfer *transfer);

#endif
