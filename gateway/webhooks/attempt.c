/*
 * attempt.c
 *		One attempt to deliver: checks the URL and its addresses, then sends the request.
 *
 *	start ──▶ FINDING ──all addresses allowed──▶ SENDING ──answer──▶ end
 *	             └──────── one is not ──────▶ end
 */
#include "webhooks/attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

/* The most bytes of a header that we make; the longest is webhook-signature. */
#define HEADER_MAX 256
#define OWN_HEADERS 7

struct Attempt
{
	const AttemptSetup *setup;
	AttemptRequest request;
	AttemptDone done;
	void *arg;
	Destination *destination; /* NULL: it is found */
	Transfer *transfer;       /* NULL: nothing is sent yet */
	int64_t started_us;
};

static void
end_attempt(Attempt *attempt, int status, const char *problem, int retry_after_s)
{
	const AttemptResult result = {.delivered = status >= 200 && status < 300,
								  .status = status,
								  .problem = problem,
								  .retry_after_s = retry_after_s,
								  .us = clock_monotonic_us() - attempt->started_us};

	attempt->done(attempt->arg, &result);
	free(attempt);
}

/* ---- sending ---- */

static void
on_transfer(void *arg, const TransferResult *result)
{
	end_attempt(arg, result->status, result->problem, result->retry_after_s);
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
send_request(Attempt *attempt, const DestinationFound *found)
{
	const AttemptRequest *request = &attempt->request;
	const char *headers[TRANSFER_HEADERS_MAX + 1] = {NULL};
	char own[OWN_HEADERS][HEADER_MAX];
	int spent_ms = (int) ((clock_monotonic_us() - attempt->started_us) / 1000);
	int at = 0;
	TransferRequest transfer = {.url = request->url,
								.target = found->target,
								.asker = request->asker,
								.addresses = found->addresses,
								.address_count = found->count,
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
	attempt->transfer = transfer_start(attempt->setup->transfers, &transfer, on_transfer, attempt);
	if (attempt->transfer == NULL)
		end_attempt(attempt, 0, "out of memory", 0);
}

static void
on_found(void *arg, const DestinationFound *found)
{
	Attempt *attempt = arg;

	attempt->destination = NULL;
	if (found->problem != NULL)
		end_attempt(attempt, 0, found->problem, 0);
	else
		send_request(attempt, found);
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
						 .started_us = clock_monotonic_us()};
	attempt->destination = destination_find(&setup->destination, request->asker, request->url,
											setup->timeout_ms, on_found, attempt);
	if (attempt->destination == NULL)
	{
		free(attempt);
		return NULL;
	}
	return attempt;
}

void
attempt_abandon(Attempt *attempt)
{
	if (attempt->destination != NULL)
		destination_abandon(attempt->destination);
	if (attempt->transfer != NULL)
		transfer_abandon(attempt->transfer);
	free(attempt);
}
