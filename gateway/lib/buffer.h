/*
 * buffer.h
 *		A growing byte buffer with a stated maximum.
 *
 * All memory that grows in the gateway is a Buffer, so it has a maximum, which is named
 * where the Buffer is made.  A Buffer that could not grow is marked "failed" and stays so.
 * A writer can therefore append many times and check only once, at the end, whether
 * everything fitted.  A failed Buffer is never sent.
 *
 * Requests carry credentials and passwords, and answers carry new keys.  Almost any buffer
 * may hold one of them, so every Buffer overwrites its bytes before it frees them, also
 * when it moves them to a larger allocation.
 *
 * The owner of the struct owns the bytes.  After the first append the bytes are followed by
 * a NUL, which len does not count, so that text in a Buffer can be used as a C string.
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

/* The slow path of buffer_reserve(): allocates when the room is too small. */
extern bool buffer_grow(Buffer *buffer, size_t len);

/* Makes room for len more bytes; false when that exceeds max or memory runs out. */
static inline bool
buffer_reserve(Buffer *buffer, size_t len)
{
	/* cap is at most max + 1, and 0 before the first byte */
	return (!buffer->failed && len < buffer->cap - buffer->len) || buffer_grow(buffer, len);
}

/*
 * Appends all len bytes, or none and returns false.  It is inline because an answer is
 * built from hundreds of pieces, and the compiler knows the length of most of them.
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
