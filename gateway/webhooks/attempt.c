/*
 * attempt.c
 *		One attempt to deliver: checks the URL and its addresses, then sends the request.
 *
 *	start ──name──▶ RESOLVING ──all addresses allowed──▶ SENDING ──answer──▶ end
 *	   │                │                                   ▲
 *	   │                └──────── one is not ──────▶ end    │
 *	   ├──── the URL is an address that is allowed ─────────┘
 *	   └──── anything wrong ──▶ FAILED ──next turn of the loop──▶ end
 */
#include "webhooks/attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/timer.h"

/* The most bytes of a header that we make; the longest is webhook-signature. */
#define HEADER_MAX 256
#define OWN_HEADERS 7

#define NOT_ALLOWED "the address is not allowed"

typedef enum AttemptState
{
	ATTEMPT_RESOLVING, /* the name is being looked up; the timer bounds the time */
	ATTEMPT_SENDING,   /* curl is sending; it also has the deadline */
	ATTEMPT_FAILED     /* the timer will report the failure */
} AttemptState;

struct Attempt
{
	const AttemptSetup *setup;
	AttemptRequest request;
	AttemptDone done;
	void *arg;
	AttemptState state;
	EgressTarget target;
	Resolution *resolution; /* ATTEMPT_RESOLVING */
	Transfer *transfer;     /* ATTEMPT_SENDING */
	Timer timer;
	const char *problem; /* ATTEMPT_FAILED */
	int64_t started_us;
};

static void
free_attempt(Attempt *attempt)
{
	timer_close(&attempt->timer);
	free(attempt);
}

static void
end_attempt(Attempt *attempt, int status, const char *problem, int retry_after_s)
{
	const AttemptResult result = {.delivered = status >= 200 && status < 300,
								  .status = status,
								  .problem = problem,
								  .retry_after_s = retry_after_s,
								  .us = clock_monotonic_us() - attempt->started_us};

	attempt->done(attempt->arg, &result);
	free_attempt(attempt);
}

/* Makes the attempt fail in the next turn of the loop. */
static void
fail_soon(Attempt *attempt, const char *problem)
{
	attempt->state = ATTEMPT_FAILED;
	attempt->problem = problem;
	timer_start(&attempt->timer, 0);
}

/* ---- sending ---- */

static void
on_transfer(void *arg, int status, const char *problem, int retry_after_s)
{
	end_attempt(arg, status, problem, retry_after_s);
}

static void
make_headers(const AttemptRequest *request, char own[OWN_HEADERS][HEADER_MAX])
{
	const AttemptSignatures *signatures = request->signatures;
	long long at_ms = signatures->signed_ms;

	snprintf(own[0], HEADER_MAX, "X-Webhook-Request-Id: %s", request->event_id);
	snprintf(own[1], HEADER_MAX, "X-Webhook-Timestamp: %lld", at_ms);
	snprintf(own[2], HEADER_MAX, "X-Webhook-Hmac: %s", signatures->hmac);
	snprintf(own[3], HEADER_MAX, "X-Webhook-Hmac-Algorithm: sha512");
	snprintf(own[4], HEADER_MAX, "webhook-id: %s", request->event_id);
	snprintf(own[5], HEADER_MAX, "webhook-timestamp: %lld", at_ms / 1000);
	snprintf(own[6], HEADER_MAX, "webhook-signature: %s", signatures->standard);
}

static void
send_request(Attempt *attempt, const struct sockaddr_storage *addresses, int count)
{
	const AttemptRequest *request = &attempt->request;
	const char *headers[TRANSFER_HEADERS_MAX + 1] = {NULL};
	char own[OWN_HEADERS][HEADER_MAX];
	int spent_ms = (int) ((clock_monotonic_us() - attempt->started_us) / 1000);
	int at = 0;
	TransferRequest transfer = {.url = request->url,
								.target = &attempt->target,
								.asker = request->asker,
								.addresses = addresses,
								.address_count = count,
								.headers = headers,
								.body = request->body,
								.body_len = request->body_len,
								.timeout_ms = attempt->setup->timeout_ms - spent_ms};

	/* For curl a timeout of 0 is no limit. */
	transfer.timeout_ms = transfer.timeout_ms > 0 ? transfer.timeout_ms : 1;

	make_headers(request, own);
	for (; at < OWN_HEADERS; at++)
		headers[at] = own[at];
	for (int i = 0; request->headers[i] != NULL && at < TRANSFER_HEADERS_MAX; i++)
		headers[at++] = request->headers[i];
	attempt->state = ATTEMPT_SENDING;
	timer_stop(&attempt->timer);
	attempt->transfer = transfer_start(attempt->setup->transfers, &transfer, on_transfer, attempt);
	if (attempt->transfer == NULL)
		fail_soon(attempt, "out of memory");
}

/* ---- the destination ---- */

/* The log names the refused address for the operator; the webhook's owner does not see it. */
static bool
all_allowed(const Attempt *attempt, const struct sockaddr_storage *addresses, int count)
{
	for (int i = 0; i < count; i++)
	{
		const struct sockaddr *address = (const struct sockaddr *) &addresses[i];

		if (!egress_allows(attempt->setup->rules, address))
		{
			log_line(LOG_LEVEL_WARNING, "egress_refused", log_text("host", attempt->target.host),
					 log_text("kind", egress_kind(address)));
			return false;
		}
	}
	return true;
}

static void
on_resolved(void *arg, const struct sockaddr_storage *addresses, int count, const char *problem)
{
	Attempt *attempt = arg;
	struct sockaddr_storage kept[RESOLVE_ADDRESSES_MAX];

	attempt->resolution = NULL;
	if (problem != NULL)
	{
		fail_soon(attempt, problem);
		return;
	}
	memcpy(kept, addresses, sizeof(*addresses) * (size_t) count);
	count = egress_keep_allowed(attempt->setup->rules, attempt->target.host, kept, count);
	if (!all_allowed(attempt, kept, count))
		fail_soon(attempt, RESOLVE_NOWHERE);
	else
		send_request(attempt, kept, count);
}

static void
find_target(Attempt *attempt)
{
	const char *problem = egress_parse(attempt->request.url, &attempt->target);

	if (problem != NULL)
		fail_soon(attempt, problem);
	else if (attempt->target.kind == EGRESS_NAME)
	{
		timer_start(&attempt->timer, attempt->setup->timeout_ms);
		attempt->resolution = resolve_start(attempt->setup->resolver, attempt->request.asker,
											attempt->target.host, on_resolved, attempt);
	}
	else if (!all_allowed(attempt, &attempt->target.address, 1))
		fail_soon(attempt, NOT_ALLOWED);
	else
		send_request(attempt, NULL, 0);
}

static void
on_timer(void *context)
{
	Attempt *attempt = context;

	if (attempt->state == ATTEMPT_RESOLVING)
	{
		resolve_expire(attempt->resolution);
		end_attempt(attempt, 0, "the name could not be resolved in time", 0);
	}
	else
		end_attempt(attempt, 0, attempt->problem, 0);
}

Attempt *
attempt_start(const AttemptSetup *setup, const AttemptRequest *request, AttemptDone done, void *arg)
{
	Attempt *attempt = calloc(1, sizeof(*attempt));

	if (attempt == NULL)
		return NULL;
	*attempt = (Attempt){.setup = setup,
						 .request = *request,
						 .done = done,
						 .arg = arg,
						 .state = ATTEMPT_RESOLVING,
						 .started_us = clock_monotonic_us()};
	if (!timer_open(&attempt->timer, setup->base, on_timer, attempt))
	{
		free(attempt);
		return NULL;
	}
	find_target(attempt);
	return attempt;
}

void
attempt_abandon(Attempt *attempt)
{
	if (attempt->resolution != NULL)
		resolve_abandon(attempt->resolution);
	if (attempt->transfer != NULL)
		transfer_abandon(attempt->transfer);
	free_attempt(attempt);
}
