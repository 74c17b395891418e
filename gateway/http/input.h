/*
 * input.h
 *		The input of a connection: reads it from the socket, and keeps what was not handled yet.
 *
 * Without TLS the socket is read here, with one system call, into a place that all connections
 * of the server share.  Nearly always the input is one whole request, which is handled at once
 * and leaves nothing there.  What is left is kept in the connection's own buffer.  (libevent
 * would first ask the kernel how much there is, and allocate memory for it.)  With TLS libevent
 * reads and decrypts into the connection's buffer, but only after the connection's first turn:
 * a handshake is costly, so it begins in a turn.
 *
 * Input may contain credentials, so it is wiped when it was handled.
 */
#ifndef HTTP_INPUT_H
#define HTTP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "http/http.h"

/* Bytes that are read at once. */
#define HTTP_READ_MAX (16 * 1024)

/* What was read last, until it is handled or kept. */
typedef struct HttpFreshInput
{
	HttpConnection *connection; /* whose input it is; NULL: there is none */
	char *at;                   /* in bytes: what was not handled yet, at least one byte */
	size_t len;
	char bytes[HTTP_READ_MAX];
} HttpFreshInput;

/*
 * Begins to watch the socket.  The connection joins those that wait for a turn (turns.h) when
 * there is something to read; after a handshake, when something was decrypted.  With TLS, fd is
 * closed by http_input_close(), also after a failure, unless the handshake has begun.  False:
 * out of memory.
 */
extern bool http_input_open(HttpConnection *connection, int fd);

/* Begins the TLS handshake; closes the connection if that is not possible. */
extern void http_input_begin_tls(HttpConnection *connection);

/* The connection's socket. */
extern int http_input_fd(const HttpConnection *connection);

/*
 * Reads once from the socket, without TLS, and calls http_connection_input_came() or, at the
 * end, http_connection_input_ended().  The connection may have been freed after that.
 */
extern void http_input_read(HttpConnection *connection);

/* Stops reading, and wipes what was not handled. */
extern void http_input_close(HttpConnection *connection);

extern void http_input_pause(HttpConnection *connection, bool pause);

/* How many bytes were not handled yet. */
extern size_t http_input_len(const HttpConnection *connection);

/* Finds the first contiguous bytes that were not handled yet; false when there are none. */
extern bool http_input_first(const HttpConnection *connection, struct iovec *piece);

/* Wipes and removes the first len bytes; they are contiguous, and begin at bytes. */
extern void http_input_drain(HttpConnection *connection, void *bytes, size_t len);

/* Wipes and removes all input; returns its length. */
extern size_t http_input_discard(HttpConnection *connection);

#endif
