/*
 * stream.h
 *		The body of an answer that comes piece by piece.
 *
 * A source is asked for the next piece when the one before has left, so that an answer takes
 * the same memory whatever its length.  The length is said before the first piece: an answer
 * whose source gives less, or more, breaks its connection.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of one piece, at most. */
#define HTTP_STREAM_PIECE (128 * 1024)

typedef struct HttpStream HttpStream;

/* What gives the pieces. */
typedef struct HttpSource
{
	/*
	 * There is room for a piece.  The source calls http_stream_give() or http_stream_break()
	 * once, within this function or later from the loop.
	 */
	void (*next)(void *context, HttpStream *stream);

	/*
	 * Called once, and the last of all: the body is complete, or the client has left, or the
	 * body was not wanted.  The stream must not be used after that.  Also called from within
	 * http_stream_give() and http_stream_break().
	 */
	void (*end)(void *context);
} HttpSource;

/* A body that is being sent; nothing while source is NULL. */
struct HttpStream
{
	const HttpSource *source; /* borrowed until it has ended */
	void *context;
	uint64_t left; /* bytes that are still to be given */
	bool asked;    /* the source was asked for a piece and has not given it */
};

/* Sends a piece, which is copied: 1 to HTTP_STREAM_PIECE bytes.  May end the source. */
extern void http_stream_give(HttpStream *stream, const void *bytes, size_t len);

/* There will be no more, too early: closes the connection, and ends the source. */
extern void http_stream_break(HttpStream *stream, const char *reason);

/* ---- for the connection ---- */

/* Asks for the next piece, unless the source is at it already.  May close the connection. */
extern void http_stream_ask(HttpStream *stream);

/* Whether all has left that the source has given, and it has yet to give more. */
extern bool http_stream_is_late(const HttpStream *stream);

/* Nothing more is wanted of the source, if there is one. */
extern void http_stream_end(HttpStream *stream);

#endif
