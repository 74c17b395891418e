/*
 * fuzz_http.c
 *		What the guard accepts, llhttp reads in the same way.
 *
 * It accepts it too, with the same parts and the same end; and it makes no difference to
 * the guard where the reads are cut.  The first input byte chooses the cut, the rest is
 * what a client sent.
 */
#include <stdlib.h>
#include <string.h>

#include "http/request.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/http_oracle.h"

typedef struct Outcome
{
	HttpGuardResult result;
	size_t used;
} Outcome;

/*
 * Feeds one piece to the guard, and what it accepts to the oracle, which may be NULL.  The
 * piece lies in a block of its own size, so that reading beyond it is seen.
 */
static void
feed(HttpGuard *guard, HttpOracle *oracle, const uint8_t *data, size_t len, Outcome *outcome)
{
	char *piece = malloc(len > 0 ? len : 1);
	size_t at = 0;

	memcpy(piece, data, len);
	while (at < len && (outcome->result == HTTP_GUARD_MORE || outcome->result == HTTP_GUARD_HEAD))
	{
		size_t used;

		outcome->result = http_guard_feed(guard, piece + at, len - at, &used);
		FUZZ_ASSERT(used <= len - at);
		if (outcome->result != HTTP_GUARD_REFUSED && oracle != NULL)
		{
			/* half a head that the oracle refuses, the guard may refuse at a later byte */
			bool accepted = http_oracle_feed(oracle, piece + at, used);

			FUZZ_ASSERT(accepted || outcome->result == HTTP_GUARD_MORE);
			FUZZ_ASSERT(oracle->complete == (outcome->result == HTTP_GUARD_DONE));
		}
		at += used;
	}
	outcome->used += at;
	free(piece);
}

static Outcome
run(HttpGuard *guard, HttpOracle *oracle, const uint8_t *data, size_t len, size_t cut)
{
	Outcome outcome = {HTTP_GUARD_MORE, 0};

	feed(guard, oracle, data, cut, &outcome);
	feed(guard, oracle, data + cut, len - cut, &outcome);
	return outcome;
}

static bool
same(const Buffer *a, const Buffer *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* A connection that llhttp would end is not kept. */
static void
check_request(HttpRequestState *state, const HttpOracle *oracle)
{
	HttpErrorKind error;

	FUZZ_ASSERT(http_oracle_agrees(oracle, &state->guard));
	if (http_request_end_head(state, &error) == NULL)
		FUZZ_ASSERT(!oracle->closes ||
					http_request_header_has(&state->request, "connection", "close"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	HttpRequestState *state;
	HttpOracle oracle;
	HttpGuard guard;
	Outcome whole;
	Outcome pieces;

	if (len == 0)
		return 0;
	state = http_request_create(NULL, "fuzz", false);
	http_oracle_init(&oracle);
	http_guard_init(&guard);
	whole = run(&state->guard, &oracle, data + 1, len - 1, len - 1);
	pieces = run(&guard, NULL, data + 1, len - 1, data[0] % len);
	FUZZ_ASSERT(whole.result == pieces.result);
	if (whole.result == HTTP_GUARD_REFUSED)
		FUZZ_ASSERT(state->guard.error == guard.error && state->guard.reason == guard.reason);
	else
		FUZZ_ASSERT(whole.used == pieces.used && same(&state->guard.text, &guard.text) &&
					same(&state->guard.body, &guard.body));
	if (whole.result == HTTP_GUARD_DONE)
		check_request(state, &oracle);
	http_guard_free(&guard);
	http_oracle_free(&oracle);
	http_request_release(state);
	return 0;
}
