/*
 * buffer.c
 *		A growing byte buffer with a stated maximum.
 *
 * Invariants: len <= max; when data is not NULL, cap > len and data[len] is NUL.  The
 * capacity doubles when it grows, so that appending n bytes takes time linear in n.
 *
 * A buffer does not grow by realloc(), because realloc() may leave a copy of the old bytes
 * that can no longer be wiped.
 */
#include "lib/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/memory.h"

#define BUFFER_FIRST 128 /* bytes of the first allocation */

void
buffer_init(Buffer *buffer, size_t max)
{
	*buffer = (Buffer){.max = max < SIZE_MAX / 2 ? max : SIZE_MAX / 2};
}

/* Moves the bytes to a larger allocation and wipes the old one.  False: out of memory. */
static bool
grow(Buffer *buffer, size_t cap)
{
	char *data = malloc(cap);

	if (data == NULL)
		return false;
	if (buffer->data != NULL)
	{
		memcpy(data, buffer->data, buffer->len);
		wak_wipe(buffer->data, buffer->cap);
		free(buffer->data);
	}
	data[buffer->len] = '\0';
	buffer->data = data;
	buffer->cap = cap;
	return true;
}

bool
buffer_grow(Buffer *buffer, size_t len)
{
	size_t wanted;
	size_t cap;

	if (buffer->failed || len > buffer->max - buffer->len)
	{
		buffer->failed = true;
		return false;
	}
	wanted = buffer->len + len + 1;
	if (wanted <= buffer->cap)
		return true;

	cap = buffer->cap > 0 ? buffer->cap * 2 : BUFFER_FIRST;
	if (cap > buffer->max + 1)
		cap = buffer->max + 1;
	if (cap < wanted)
		cap = wanted;

	if (!grow(buffer, cap))
		buffer->failed = true;
	return !buffer->failed;
}

/* The digits of 0 to 99. */
static const char pairs[] = "0001020304050607080910111213141516171819"
							"2021222324252627282930313233343536373839"
							"4041424344454647484950515253545556575859"
							"6061626364656667686970717273747576777879"
							"8081828384858687888990919293949596979899";

/* Every row and every log line has numbers, and printf would take five times as long. */
bool
buffer_append_int64(Buffer *buffer, int64_t number)
{
	char digits[24];
	char *end = digits + sizeof(digits);
	char *p = end;
	uint64_t rest = number < 0 ? 0 - (uint64_t) number : (uint64_t) number;

	/* Division takes most of the time, so each one yields two digits. */
	while (rest >= 10)
	{
		p -= 2;
		memcpy(p, pairs + 2 * (rest % 100), 2);
		rest /= 100;
	}
	if (rest > 0 || p == end)
		*--p = (char) ('0' + rest);
	if (number < 0)
		*--p = '-';
	return buffer_append(buffer, p, (size_t) (end - p));
}

bool
buffer_printf(Buffer *buffer, const char *format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);

	if (len < 0 || !buffer_reserve(buffer, (size_t) len))
	{
		buffer->failed = true;
		return false;
	}

	va_start(arguments, format);
	vsnprintf(buffer->data + buffer->len, (size_t) len + 1, format, arguments);
	va_end(arguments);
	buffer->len += (size_t) len;
	return true;
}

void
buffer_clear(Buffer *buffer)
{
	buffer->len = 0;
	buffer->failed = false;
	if (buffer->data != NULL)
		buffer->data[0] = '\0';
}

void
buffer_free(Buffer *buffer)
{
	wak_wipe(buffer->data, buffer->cap);
	free(buffer->data);
	buffer_init(buffer, buffer->max);
}
