/*
 * limits.h
 *		All limits and deadlines of gateway/http.
 *
 * The comment beside each limit says what the client gets when it is exceeded.  The sizes are
 * fixed; what an operator or a test may want to change is in HttpLimits.  Deadlines are
 * checked every tick_ms, so they may take effect that much later.
 */
#ifndef HTTP_LIMITS_H
#define HTTP_LIMITS_H

#include <stddef.h>

/* Sizes of a request. */
#define HTTP_HEAD_MAX (16 * 1024)   /* request line and fields: 431 */
#define HTTP_FIELDS_MAX 100         /* header fields: 431 */
#define HTTP_BODY_MAX (1024 * 1024) /* 413; a handler may set less for a request */
#define HTTP_BODY_SHORT 4096        /* an unwanted body is read up to this; see HttpBodyLimit */
#define HTTP_SEGMENTS_MAX 16        /* path segments: 400; no route is that deep */
#define HTTP_PARAMETERS_MAX 64      /* query parameters: 400 */
#define HTTP_REQUEST_ID_MAX 128     /* a longer one is replaced by a generated one */
#define HTTP_CHUNK_DIGITS_MAX 8     /* hexadecimal digits of a chunk size: 400 */
#define HTTP_HOST_MAX 262           /* 255 for a name, then a colon, a port, a margin: 400 */

/* Sizes of an answer. */
#define HTTP_ANSWER_HEAD_MAX (16 * 1024) /* our own headers; more is a 500 */
#define HTTP_ANSWER_COPY_MAX 4096        /* up to this a body is copied, a larger one is moved */

/* WebSockets: limits of what a client may send, and of our control frames. */
#define WEBSOCKET_MESSAGE_MAX 1024 /* bytes of a text: 1009 */
#define WEBSOCKET_FRAMES_MAX 64    /* frames from one heartbeat to the next: 1008 */
#define WEBSOCKET_FRAME_MAX 256    /* bytes of a control frame that we send */

/* All request bodies of one process together: 503. */
#define HTTP_BODIES_MAX (256 * 1024 * 1024)

/* Pipelined input that is read while an answer is outstanding; then reading stops. */
#define HTTP_INPUT_MAX (64 * 1024)

/*
 * What one pass of the event loop does at most; the rest is done in the next passes.  Before
 * each pass the loop looks at the database and at all sockets again.
 */
#define HTTP_TURNS_MAX 16     /* connections whose input is handled (turns.h) */
#define HTTP_HANDSHAKES_MAX 2 /* of these, TLS handshakes that begin */
#define HTTP_ACCEPTS_MAX 16   /* new connections */
#define HTTP_EXPIRES_MAX 16   /* connections whose deadlines have passed */

/* Connections. */
#define HTTP_BACKLOG 1024                       /* connections that the kernel queues */
#define HTTP_LINGER_BYTES_MAX (4 * 1024 * 1024) /* discarded before a close, at most */

typedef struct HttpLimits
{
	int max_connections;             /* more: closes one of the address that has most, or the
									  * oldest idle one; if there is neither: 503 */
	int max_connections_per_address; /* per IPv4 address or IPv6 /64; more: closed */
	int head_ms;                     /* TLS handshake, and first to last byte of a head: 408 */
	int body_period_ms;              /* in each such period of a body ... */
	int body_period_bytes;           /* ... at least this many bytes must arrive: 408 */
	int idle_ms;                     /* a connection kept alive between requests: closed */
	int answer_ms;                   /* if the handler's own deadline has failed: 504 */
	int write_period_ms;             /* in each such period of an answer ... */
	int write_period_bytes;          /* ... at least this many bytes must leave: closed */
	int socket_heartbeat_ms;         /* between two pings on a WebSocket; three unanswered: 4408 */
	int socket_output_bytes;         /* waiting to be sent on one WebSocket; more: 4408 */
	size_t output_all_bytes;         /* waiting on all connections; more: closes slow readers */
	int socket_close_ms;             /* for the client's close frame: closed */
	int linger_ms;                   /* how long to read on after the last answer: closed */
	int tick_ms;                     /* how often deadlines are checked */
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
