/*
 * guard_body.c
 *		Where the body ends: by its length, or chunk by chunk.
 *
 *	chunk		SIZE extensions CR LF data CR LF	SIZE: 1 to 8 hexadecimal digits, not 0
 *	last		"0" extensions CR LF fields CR LF	zeros only
 *	extension	";" NAME [ "=" VALUE ]				VALUE: a token, or in quotation marks
 *
 * Extensions are of no use here, and readers differ in how they skip them.  So they are
 * not skipped but read by their grammar, in which no line end can hide: without the white
 * space that RFC 9112 calls bad, and without escapes within quotation marks.  All of a
 * message have a bound.  The fields behind the last chunk are read as those of the head are.
 */
#include "http/guard.h"

#include "src/common/hex.h"

static HttpGuardResult
bad_chunk(HttpGuard *guard)
{
	return http_guard_refuse(guard, HTTP_ERROR_VALIDATION, "invalid chunk in the request body");
}

static HttpGuardResult
feed_chunk_size(HttpGuard *guard, char c)
{
	int digit = wak_hex_value(c);

	if (digit >= 0 && guard->chunk_digits < HTTP_CHUNK_DIGITS_MAX)
	{
		guard->chunk_digits++;
		guard->remaining = guard->remaining * 16 + (uint64_t) digit;
		return HTTP_GUARD_MORE;
	}
	if (guard->chunk_digits == 0 || (c != '\r' && c != ';'))
		return bad_chunk(guard);
	guard->state = c == ';' ? HTTP_GUARD_EXTENSION_FIRST : HTTP_GUARD_CHUNK_SIZE_LF;
	guard->extension_len += c == ';' ? 1 : 0;
	return HTTP_GUARD_MORE;
}

/* Behind a name or value: another extension, or the end of the line. */
static HttpGuardState
behind_extension(char c)
{
	if (c == ';')
		return HTTP_GUARD_EXTENSION_FIRST;
	return c == '\r' ? HTTP_GUARD_CHUNK_SIZE_LF : HTTP_GUARD_FAILED;
}

/* What comes behind c; HTTP_GUARD_FAILED: c may not stand here. */
static HttpGuardState
extension_state(HttpGuardState state, char c)
{
	bool token = http_guard_is_token(c);

	switch (state)
	{
		case HTTP_GUARD_EXTENSION_FIRST:
			return token ? HTTP_GUARD_EXTENSION_NAME : HTTP_GUARD_FAILED;
		case HTTP_GUARD_EXTENSION_NAME:
			if (token)
				return state;
			return c == '=' ? HTTP_GUARD_EXTENSION_VALUE_FIRST : behind_extension(c);
		case HTTP_GUARD_EXTENSION_VALUE_FIRST:
			if (c == '"')
				return HTTP_GUARD_EXTENSION_QUOTED;
			return token ? HTTP_GUARD_EXTENSION_VALUE : HTTP_GUARD_FAILED;
		case HTTP_GUARD_EXTENSION_VALUE:
			return token ? state : behind_extension(c);
		case HTTP_GUARD_EXTENSION_QUOTED:
			if (c == '"')
				return HTTP_GUARD_EXTENSION_END;
			return c >= ' ' && c <= '~' && c != '\\' ? state : HTTP_GUARD_FAILED;
		default:
			return behind_extension(c);
	}
}

static HttpGuardResult
feed_extension(HttpGuard *guard, char c)
{
	/* llhttp 8.1 reads the ";" as a part of the next chunk's size */
	if (guard->state == HTTP_GUARD_EXTENSION_VALUE && c == ';')
		return http_guard_refuse(guard, HTTP_ERROR_VALIDATION,
								 "a chunk extension before another one needs a quoted value");
	guard->state = extension_state(guard->state, c);
	if (guard->state == HTTP_GUARD_FAILED)
		return http_guard_refuse(guard, HTTP_ERROR_VALIDATION,
								 "invalid chunk extension in the request body");
	if (++guard->extension_len > HTTP_GUARD_EXTENSIONS_MAX)
		return http_guard_refuse(guard, HTTP_ERROR_VALIDATION,
								 "too many chunk extensions in the request body");
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
	guard->state = HTTP_GUARD_CHUNK_DATA;
	if (guard->remaining == 0)
	{
		guard->state = HTTP_GUARD_FIELD_FIRST;
		guard->trailing = true;
		guard->head_len = 0;
	}
	return HTTP_GUARD_MORE;
}

/* The CR and LF behind the data of a chunk. */
static HttpGuardResult
feed_chunk_data_end(HttpGuard *guard, char c)
{
	bool cr = guard->state == HTTP_GUARD_CHUNK_DATA_CR;

	guard->state = cr ? HTTP_GUARD_CHUNK_DATA_LF : HTTP_GUARD_CHUNK_SIZE;
	return c == (cr ? '\r' : '\n') ? HTTP_GUARD_MORE : bad_chunk(guard);
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

	while (at < len && result == HTTP_GUARD_MORE && guard->state != HTTP_GUARD_END &&
		   guard->state > HTTP_GUARD_HEAD_LF)
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
			case HTTP_GUARD_CHUNK_DATA_CR:
			case HTTP_GUARD_CHUNK_DATA_LF:
				result = feed_chunk_data_end(guard, data[at++]);
				break;
			default:
				result = feed_extension(guard, data[at++]);
				break;
		}
	}
	*used = at;
	return guard->state == HTTP_GUARD_END ? HTTP_GUARD_DONE : result;
}
