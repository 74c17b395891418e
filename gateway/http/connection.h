/*
 * connection.h
 *		One connection of a client, as a state machine.
 *
 *	HANDSHAKE --> HEAD --> BODY --> ANSWER --> WRITE --> IDLE --> HEAD ...
 *	                \________\________\_________/\
 *	                  refused, last answer         LINGER --> CLOSED
 *
 * From ANSWER an upgrade leads to SOCKET and SOCKET_CLOSING (websocket.h).
 *
 * Every state lives on a list of its own in the server, in the order of the
 * deadlines; since each state has one fixed period, a connection that enters
 * a state goes to the end of its list, and the deadlines cost nothing but
 * that.  http_connection_enter() is the only function that changes a state.
 *
 * Only one request of a connection is ever in work.  What a client sends
 * ahead stays in the input buffer (at most HTTP_INPUT_MAX bytes, then nothing
 * more is read) until the answer before it has left.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <event2/bufferevent.h>
#include <sys/queue.h>

#include "http/peers.h"
#include "http/request.h"

typedef enum HttpConnectionState
{
	HTTP_CONNECTION_HANDSHAKE, /* TLS is not set up; late: closed */
	HTTP_CONNECTION_IDLE,      /* kept alive, between two requests; late: closed */
	HTTP_CONNECTION_HEAD,   /* new, or a head is arriving; late: 408, or closed if nothing came */
	HTTP_CONNECTION_BODY,   /* a body is arriving; too slow: 408 */
	HTTP_CONNECTION_ANSWER, /* a handler has the request; late: 504 */
	HTTP_CONNECTION_WRITE,  /* the answer is leaving; too slow: closed */
	HTTP_CONNECTION_SOCKET, /* a WebSocket; late: a heartbeat, and the same state again */
	HTTP_CONNECTION_SOCKET_CLOSING, /* its close frame was sent; late: closed */
	HTTP_CONNECTION_LINGER, /* last answer sent, our side shut, input thrown away; late: closed */
	HTTP_CONNECTION_CLOSED, /* on no list; freed when nobody is using it */
	HTTP_CONNECTION_STATES  /* how many there are */
} HttpConnectionState;

struct HttpConnection
{
	HttpServer *server;
	struct bufferevent *bev; /* owns the socket (and the TLS session) */
	HttpConnectionState state;
	TAILQ_ENTRY(HttpConnection) link; /* on the list of its state */
	int64_t deadline_ms;              /* clock_monotonic_ms() when the state ends */
	size_t progress;                  /* BODY: bytes in this period; WRITE: bytes that were left */
	size_t lingered;                  /* LINGER: bytes thrown away */
	int64_t waits_since_ms;           /* when output began to wait, and ... */
	int64_t output_left;              /* ... bytes that have left since then (output.h) */
	HttpRequestState *request;        /* being read or answered, else NULL */
	struct WebSocket *socket;         /* what the connection has become, else NULL */
	bool tls;
	bool last;        /* no request behind this one is served */
	bool refused;     /* ... because this one was refused: its rest is thrown away */
	bool input_ended; /* the client has shut its sending side */
	bool paused;      /* the client has sent too far ahead: nothing is read */
	bool running;     /* its input is looked at: do not free */
	HttpPeerKey peer_key;
	char peer[HTTP_PEER_MAX];
};

/*
 * Takes a connection over.  bev is owned from here on, also on failure.  False when out of
 * memory.
 */
extern bool http_connection_start(HttpServer *server, struct bufferevent *bev, bool tls,
								  const char *peer, HttpPeerKey peer_key);

/* Changes the state: leaves one list, joins another, sets the deadline. */
extern void http_connection_enter(HttpConnection *connection, HttpConnectionState state);

/* Ends the connection now, and logs why.  A request in work becomes "gone". */
extern void http_connection_close(HttpConnection *connection, const char *reason);

/* The deadline of its state has passed. */
extern void http_connection_expire(HttpConnection *connection);

/* Whether it may be closed without breaking a request off. */
extern bool http_connection_is_idle(const HttpConnection *connection);

typedef enum HttpSendResult
{
	HTTP_SENT,       /* all of it has left */
	HTTP_QUEUED,     /* the rest leaves when the socket takes it */
	HTTP_SEND_FAILED /* memory is out, a part may have left: only closing is of use */
} HttpSendResult;

/*
 * Sends a head and a body, or other bytes and NULL: takes what it can to the socket at once
 * and queues the rest.  The bytes of body may be moved.
 */
extern HttpSendResult http_connection_send(HttpConnection *connection, const Buffer *head,
										   Buffer *body) __attribute__((warn_unused_result));

/* The last that is said has left: lets the client read it, and closes. */
extern void http_connection_linger(HttpConnection *connection);

#endif
