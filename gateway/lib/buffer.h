/*
 * buffer.h
 *		A growing byte buffer with a stated maximum.
 *
 * Every growing piece of memory in the gateway is a Buffer, so every one has a
 * bound that is named where it is made.  A Buffer that could not grow is
 * marked failed and stays so: a writer may append many times and look at the
 * end, once, whether all of it went in.  Nothing half written is ever sent.
 *
 * Requests carry credentials and passwords, answers carry new keys, and nobody
 * can say of most buffers that they never will.  So all of them leave nothing
 * behind: bytes that are freed, or moved while a buffer grows, are overwritten.
 *
 * The owner of the struct owns the bytes.  There is always a NUL behind the bytes once something has been appended, which is
 * not counted in len, so that text in a Buffer can be used as a C string.
 */
#ifndef LIB_BUFFER_H
#define LIB_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Buffer
{
	char *data;  /* NULL until the first byte arrives */
	size_t len;  /* bytes in use */
	size_t cap;  /* bytes allocated */
	size_t max;  /* len never gets larger than this */
	bool failed; /* an append did not fit, or memory ran out */
} Buffer;

/* Makes an empty buffer for at most max bytes.  Allocates nothing. */
extern void buffer_init(Buffer *buffer, size_t max);

/* Makes room for len more bytes, where there is none; for buffer_reserve(). */
extern bool buffer_grow(Buffer *buffer, size_t len);

/* Makes room for len more bytes; false when the bound or memory forbids it. */
static inline bool
buffer_reserve(Buffer *buffer, size_t len)
{
	/* cap is at most max + 1, and 0 before the first byte */
	return (!buffer->failed && len < buffer->cap - buffer->len) || buffer_grow(buffer, len);
}

/*
 * Appends len bytes, or nothing; false when they do not fit.  Inline, because an
 * answer is made of hundreds of pieces, most of a length that the compiler knows.
 */
static inline bool
buffer_append(Buffer *buffer, const void *data, size_t len)
{
	if (!buffer_reserve(buffer, len))
		return false;
	if (len > 0)
		memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
	return true;
}

/* Appends a C string, or nothing; false when it does not fit. */
static inline bool
buffer_append_text(Buffer *buffer, const char *text)
{
	return buffer_append(buffer, text, strlen(text));
}

/* Appends one byte; false when it does not fit. */
static inline bool
buffer_append_char(Buffer *buffer, char c)
{
	return buffer_append(buffer, &c, 1);
}

/* Appends a number in decimal digits, or nothing; false when it does not fit. */
extern bool buffer_append_int64(Buffer *buffer, int64_t number);

/* Appends formatted text, or nothing; false when it does not fit. */
extern bool
buffer_printf(Buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Empties the buffer and clears "failed", but keeps the memory for reuse. */
extern void buffer_clear(Buffer *buffer);

/* Wipes and frees the bytes; the buffer is empty and usable again, with the same max. */
extern void buffer_free(Buffer *buffer);

#endif
