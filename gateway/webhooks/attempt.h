/*
 * attempt.h
 *		One attempt to deliver: URL, addresses, request.
 *
 * An attempt has a deadline for all of it.  It knows no database: what is to be sent comes
 * in, signatures included, what became of it goes out, and whether there is another attempt
 * is not its business.
 */
#ifndef WEBHOOKS_ATTEMPT_H
#define WEBHOOKS_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "webhooks/egress.h"
#include "webhooks/resolve.h"
#include "webhooks/transfer.h"

/* What all attempts of a process share; all borrowed. */
typedef struct AttemptSetup
{
	struct event_base *base;
	Resolver *resolver;
	Transfers *transfers;
	const EgressRules *rules;
	int timeout_ms; /* of one attempt: the receiver's time to answer, look-up included */
} AttemptSetup;

/*
 * HMAC-SHA512 in hex; and up to four signatures of Standard Webhooks, blanks between: a
 * secret may have two, and the one before the last rotation too.
 */
#define ATTEMPT_HMAC_MAX (2 * 64)
#define ATTEMPT_STANDARD_MAX (4 * (3 + 44) + 3)

/* What the database has signed, and when: the secrets are known to nobody else. */
typedef struct AttemptSignatures
{
	int64_t signed_ms; /* since 1970 */
	char hmac[ATTEMPT_HMAC_MAX + 1];
	char standard[ATTEMPT_STANDARD_MAX + 1];
} AttemptSignatures;

/* Everything is borrowed until done. */
typedef struct AttemptRequest
{
	uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE]; /* whose webhook it is: an organization */
	const char *url;
	const char *const *headers; /* the webhook's own, "Name: value"; NULL ends them */
	const char *event_id;       /* "evt_…" */
	const char *body;
	size_t body_len;
	const AttemptSignatures *signatures;
} AttemptRequest;

typedef struct AttemptResult
{
	bool delivered;      /* any 2xx */
	int status;          /* 0: there was no answer */
	const char *problem; /* why there was none, a constant; NULL when there was one */
	int retry_after_s;   /* what a failed answer asks to wait, 0: nothing */
	int64_t us;          /* how long it took */
} AttemptResult;

typedef struct Attempt Attempt;
typedef void (*AttemptDone)(void *arg, const AttemptResult *result);

/* Starts it; done is called once, from the loop, never from within.  NULL: out of memory. */
extern Attempt *attempt_start(const AttemptSetup *setup, const AttemptRequest *request,
							  AttemptDone done, void *arg);

/* Ends it at once, without a word.  Whether the receiver has got it is not known. */
extern void attempt_abandon(Attempt *attempt);

#endif
