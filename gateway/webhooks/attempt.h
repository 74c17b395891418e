/*
 * attempt.h
 *		One attempt to deliver: checks the URL and its addresses, then sends the request.
 *
 * One deadline bounds the whole attempt.  This code does not use the database.  It is given
 * what is to be sent, signatures included, and returns the result.  Whether there is
 * another attempt is decided elsewhere.
 */
#ifndef WEBHOOKS_ATTEMPT_H
#define WEBHOOKS_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/destination.h"
#include "client/transfer.h"

/* What all attempts of a process share.  Everything is borrowed. */
typedef struct AttemptSetup
{
	DestinationSetup destination;
	Transfers *transfers;
	int timeout_ms; /* of one attempt, name look-up included */
} AttemptSetup;

/*
 * The sizes of an HMAC-SHA512 in hex, and of up to four signatures of Standard Webhooks,
 * separated by blanks: a webhook may have two secrets, and the one before the last rotation
 * too.
 */
#define ATTEMPT_HMAC_MAX (2 * 64)
#define ATTEMPT_STANDARD_MAX (4 * (3 + 44) + 3)

/* What the database has signed, and when.  Nobody else knows the secrets. */
typedef struct AttemptSignatures
{
	int64_t signed_ms; /* since 1970 */
	char hmac[ATTEMPT_HMAC_MAX + 1];
	char standard[ATTEMPT_STANDARD_MAX + 1];
} AttemptSignatures;

/* Everything is borrowed until done is called. */
typedef struct AttemptRequest
{
	uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE]; /* the organization that the webhook belongs to */
	const char *url;
	const char *const *headers; /* the webhook's own, "Name: value"; ends with NULL */
	const char *event_id;       /* "evt_…" */
	const char *body;
	size_t body_len;
	const AttemptSignatures *signatures;
} AttemptRequest;

typedef struct AttemptResult
{
	bool delivered;      /* the answer's status was 2xx */
	int status;          /* 0: there was no answer */
	const char *problem; /* why there was no answer, a constant; else NULL */
	int retry_after_s;   /* the wait that a failed answer asks for; 0: none */
	int64_t us;          /* the duration */
} AttemptResult;

typedef struct Attempt Attempt;
typedef void (*AttemptDone)(void *arg, const AttemptResult *result);

/*
 * Starts an attempt.  done is called once, from the loop, never from within.  NULL: out of
 * memory.
 */
extern Attempt *attempt_start(const AttemptSetup *setup, const AttemptRequest *request,
							  AttemptDone done, void *arg);

/* Ends the attempt at once; done is not called.  The receiver may have got the request or not. */
extern void attempt_abandon(Attempt *attempt);

#endif
