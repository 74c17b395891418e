/*
 * fuzz_http.c
 *		The guard and the parser agree about where a request ends.
 *
 * What the guard accepts, llhttp must accept with the same end; and it makes no
 * difference to the guard where the reads are cut.  The first input byte chooses
 * the cut, the rest is what a client sent.
 */
#include <stdlib.h>
#include <string.h>

#include "http/head.h"
#include "http/request.h"
#include "tests/fuzz/fuzz.h"

typedef struct Outcome
{
	HttpGuardResult result;
	HttpErrorKind error;
	size_t used;
} Outcome;

/*
 * Feeds one piece to the guard, and what it lets through to the parser, which
 * may be NULL.  The piece lies in a block of its own size, so that reading
 * beyond it is seen.
 */
static void
feed(HttpGuard *guard, HttpRequestState *parser, const uint8_t *data, size_t len, Outcome *outcome)
{
	char *piece = malloc(len > 0 ? len : 1);
	size_t at = 0;

	memcpy(piece, data, len);
	while (at < len && (outcome->result == HTTP_GUARD_MORE || outcome->result == HTTP_GUARD_HEAD))
	{
		size_t used;

		outcome->result = http_guard_feed(guard, piece + at, len - at, &used);
		FUZZ_ASSERT(used <= len - at);
		if (outcome->result != HTTP_GUARD_REFUSED && parser != NULL)
		{
			/* A parser that refuses what the guard accepts is answered with 400: safe. */
			if (!http_request_parse(parser, piece + at, used))
				parser = NULL;
			else
				FUZZ_ASSERT(parser->complete == (outcome->result == HTTP_GUARD_DONE));
		}
		at += used;
	}
	outcome->used += at;
	outcome->error = guard->error;
	free(piece);
}

static Outcome
run(const uint8_t *data, size_t len, size_t cut, HttpRequestState *parser)
{
	Outcome outcome = {HTTP_GUARD_MORE, 0, 0};
	HttpGuard guard;

	http_guard_init(&guard);
	feed(&guard, parser, data, cut, &outcome);
	feed(&guard, parser, data + cut, len - cut, &outcome);
	return outcome;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	HttpRequestState *parser;
	HttpErrorKind error;
	Outcome whole;
	Outcome pieces;

	if (len == 0)
		return 0;
	parser = http_request_create(NULL, "fuzz", false);
	if (parser == NULL)
		return 0;
	whole = run(data + 1, len - 1, len - 1, parser);
	pieces = run(data + 1, len - 1, data[0] % len, NULL);
	FUZZ_ASSERT(whole.result == pieces.result);
	if (whole.result == HTTP_GUARD_REFUSED)
		FUZZ_ASSERT(whole.error == pieces.error);
	else
		FUZZ_ASSERT(whole.used == pieces.used);
	if (whole.result == HTTP_GUARD_DONE && parser->complete)
		(void) http_request_end_head(parser, &error);
	http_request_release(parser);
	return 0;
}
