/*
 * limits.h
 *		Every bound and every deadline of the HTTP floor, in one place.
 *
 * What the caller gets when one is hit stands beside it.  Sizes are fixed;
 * what an operator or a test may want to change is in HttpLimits.  Deadlines
 * are looked at every tick_ms, so they end up to that much later.
 */
#ifndef HTTP_LIMITS_H
#define HTTP_LIMITS_H

#include <stddef.h>

/* Sizes of a request. */
#define HTTP_HEAD_MAX (16 * 1024)   /* request line and fields: 431 */
#define HTTP_FIELDS_MAX 100         /* header fields: 431 */
#define HTTP_BODY_MAX (1024 * 1024) /* 413; a handler may set less for a request */
#define HTTP_BODY_SHORT 4096        /* comes along though nobody wants it; see HttpBodyLimit */
#define HTTP_SEGMENTS_MAX 16        /* path segments: 400; no route is that deep */
#define HTTP_PARAMETERS_MAX 64      /* query parameters: 400 */
#define HTTP_REQUEST_ID_MAX 128     /* longer is replaced by one of ours */
#define HTTP_CHUNK_DIGITS_MAX 8     /* hexadecimal digits of a chunk size: 400 */
#define HTTP_HOST_MAX 262           /* 255 of a name, a colon, a port, and a margin: 400 */

/* Sizes of an answer. */
#define HTTP_ANSWER_HEAD_MAX (16 * 1024) /* our own headers; beyond it a 500 */
#define HTTP_ANSWER_COPY_MAX 4096        /* smaller bodies are copied, larger ones referred to */

/* WebSockets: what a client may say, in frames of ours to it there is no bound but the queue. */
#define WEBSOCKET_MESSAGE_MAX 1024 /* bytes of a text: 1009 */
#define WEBSOCKET_FRAMES_MAX 64    /* frames from one heartbeat to the next: 1008 */
#define WEBSOCKET_FRAME_MAX 256    /* bytes of a control frame of ours */

/* All request bodies of one process together; beyond it a 503. */
#define HTTP_BODIES_MAX (256 * 1024 * 1024)

/* Pipelined input that is kept while an answer is outstanding; then reading stops. */
#define HTTP_INPUT_MAX (64 * 1024)

/* Connections. */
#define HTTP_BACKLOG 1024                       /* connections that the kernel queues */
#define HTTP_LINGER_BYTES_MAX (4 * 1024 * 1024) /* discarded before a close, at most */

typedef struct HttpLimits
{
	int max_connections;             /* beyond: one of the address with most, or the oldest idle
									  * one, is closed, else 503 */
	int max_connections_per_address; /* per IPv4 address or IPv6 /64; beyond: closed */
	int head_ms;                     /* TLS handshake, and first to last byte of a head: 408 */
	int body_period_ms;              /* in each such period of a body ... */
	int body_period_bytes;           /* ... at least so many bytes arrive: 408 */
	int idle_ms;                     /* a connection kept alive between requests: closed */
	int answer_ms;                   /* the last resort behind the floors above: 504 */
	int write_period_ms;             /* in each such period of an answer ... */
	int write_period_bytes;          /* ... at least so many bytes leave: closed */
	int socket_heartbeat_ms;         /* between two pings on a WebSocket; three unanswered: 4408 */
	int socket_output_bytes;         /* that wait to be sent on one WebSocket; more: 4408 */
	size_t output_all_bytes;         /* that wait on all connections: the slowest readers are cut */
	int socket_close_ms;             /* for the client's part of closing it: cut */
	int linger_ms;                   /* reading on after an answer that ends a connection */
	int tick_ms;                     /* how often deadlines are looked at */
} HttpLimits;

#define HTTP_LIMITS_DEFAULT                                                                        \
	{                                                                                              \
		.max_connections = 10000, .max_connections_per_address = 1000, .head_ms = 10 * 1000,       \
		.body_period_ms = 5 * 1000, .body_period_bytes = 5 * 1024, .idle_ms = 60 * 1000,           \
		.answer_ms = 60 * 1000, .write_period_ms = 10 * 1000, .write_period_bytes = 10 * 1024,     \
		.socket_heartbeat_ms = 20 * 1000, .socket_output_bytes = 1024 * 1024,                      \
		.output_all_bytes = 128 * 1024 * 1024, .socket_close_ms = 5 * 1000, .linger_ms = 2 * 1000, \
		.tick_ms = 250                                                                             \
	}

#endif
