/*
 * http_guard_body.c
 *		Where the body ends: by its length, or chunk by chunk.
 *
 *	chunk	SIZE CR LF data CR LF		SIZE: 1 to 8 hexadecimal digits, not 0
 *	last	"0" CR LF CR LF				zeros only
 *
 * Chunk extensions and trailer fields are legal but of no use here, and
 * readers differ in how they skip them; both are refused.
 */
#include "http/http_guard.h"

#include "lib/hex.h"

static HttpGuardResult
bad_chunk(HttpGuard *guard)
{
	return http_guard_refuse(guard, HTTP_ERROR_VALIDATION, "invalid chunk in the request body");
}

static HttpGuardResult
feed_chunk_size(HttpGuard *guard, char c)
{
	int digit = hex_value(c);

	if (digit >= 0 && guard->chunk_digits < HTTP_CHUNK_DIGITS_MAX)
	{
		guard->chunk_digits++;
		guard->remaining = guard->remaining * 16 + (uint64_t) digit;
		return HTTP_GUARD_MORE;
	}
	if (c == ';')
		return http_guard_refuse(guard, HTTP_ERROR_VALIDATION,
								 "chunk extensions are not supported");
	if (c != '\r' || guard->chunk_digits == 0)
		return bad_chunk(guard);
	guard->state = HTTP_GUARD_CHUNK_SIZE_LF;
	return HTTP_GUARD_MORE;
}

static HttpGuardResult
feed_chunk_size_end(HttpGuard *guard, char c)
{
	if (c != '\n')
		return bad_chunk(guard);
	guard->chunk_digits = 0;
	guard->body_len += guard->remaining;
	if (guard->body_len > guard->body_max)
		return http_guard_refuse(guard, HTTP_ERROR_PAYLOAD_TOO_LARGE, "request body is too large");
	guard->state = guard->remaining > 0 ? HTTP_GUARD_CHUNK_DATA : HTTP_GUARD_LAST_CR;
	return HTTP_GUARD_MORE;
}

/* The CR and LF around the chunks: one byte that must be the wanted one. */
static HttpGuardResult
feed_fixed(HttpGuard *guard, char c)
{
	switch (guard->state)
	{
		case HTTP_GUARD_CHUNK_DATA_CR:
			guard->state = HTTP_GUARD_CHUNK_DATA_LF;
			return c == '\r' ? HTTP_GUARD_MORE : bad_chunk(guard);
		case HTTP_GUARD_CHUNK_DATA_LF:
			guard->state = HTTP_GUARD_CHUNK_SIZE;
			return c == '\n' ? HTTP_GUARD_MORE : bad_chunk(guard);
		case HTTP_GUARD_LAST_CR:
			guard->state = HTTP_GUARD_LAST_LF;
			if (c != '\r')
				return http_guard_refuse(guard, HTTP_ERROR_VALIDATION,
										 "trailer fields are not supported");
			return HTTP_GUARD_MORE;
		default:
			guard->state = HTTP_GUARD_END;
			return c == '\n' ? HTTP_GUARD_DONE : bad_chunk(guard);
	}
}

/* Skips the bytes of the body or chunk; returns how many. */
static size_t
skip_data(HttpGuard *guard, size_t len)
{
	size_t skipped = guard->remaining < len ? (size_t) guard->remaining : len;

	guard->remaining -= skipped;
	if (guard->remaining == 0)
		guard->state =
			guard->state == HTTP_GUARD_CHUNK_DATA ? HTTP_GUARD_CHUNK_DATA_CR : HTTP_GUARD_END;
	return skipped;
}

HttpGuardResult
http_guard_feed_body(HttpGuard *guard, const char *data, size_t len, size_t *used)
{
	HttpGuardResult result = HTTP_GUARD_MORE;
	size_t at = 0;

	while (at < len && result == HTTP_GUARD_MORE && guard->state != HTTP_GUARD_END)
	{
		switch (guard->state)
		{
			case HTTP_GUARD_LENGTH_DATA:
			case HTTP_GUARD_CHUNK_DATA:
				at += skip_data(guard, len - at);
				break;
			case HTTP_GUARD_CHUNK_SIZE:
				result = feed_chunk_size(guard, data[at++]);
				break;
			case HTTP_GUARD_CHUNK_SIZE_LF:
				result = feed_chunk_size_end(guard, data[at++]);
				break;
			default:
				result = feed_fixed(guard, data[at++]);
				break;
		}
	}
	*used = at;
	return guard->state == HTTP_GUARD_END ? HTTP_GUARD_DONE : result;
}
