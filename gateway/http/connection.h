/*
 * connection.h
 *		One connection of a client, as a state machine.
 *
 *	HANDSHAKE --> HEAD --> BODY --> ANSWER --> WRITE --> IDLE --> HEAD ...
 *	                \________\________\_________/\
 *	                  refused, last answer         LINGER --> CLOSED
 *
 * From ANSWER an upgrade leads to SOCKET and SOCKET_CLOSING (websocket.h).  A body that is
 * streamed leads from ANSWER back to BODY when the handler takes it.  It leads to ANSWER again
 * while its sink is full, and when it has ended.
 *
 * For each state the server has a list of the connections in that state, in the order of
 * their deadlines.  Each state has one fixed period, so a connection that enters a state is
 * simply appended to its list.  Only http_connection_enter() changes a state.
 *
 * A connection handles one request at a time, each in a turn of its own (turns.h).  What a
 * client sends before the previous answer has left, or while the connection waits for its
 * turn, stays in the input buffer or in the kernel.  When the input buffer holds
 * HTTP_INPUT_MAX bytes, nothing more is read until then.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <event2/bufferevent.h>
#include <sys/queue.h>

#include "lib/fair_queue.h"
#include "http/peers.h"
#include "http/request.h"
#include "http/send.h"

typedef enum HttpConnectionState
{
	HTTP_CONNECTION_HANDSHAKE, /* TLS is not set up; late: closed */
	HTTP_CONNECTION_IDLE,      /* kept alive, between two requests; late: closed */
	HTTP_CONNECTION_HEAD,   /* new, or a head is arriving; late: 408, or closed if nothing came */
	HTTP_CONNECTION_BODY,   /* a body is arriving; too slow: 408 */
	HTTP_CONNECTION_ANSWER, /* a handler has the request; late: 504 */
	HTTP_CONNECTION_WRITE,  /* the answer is being sent; too slow: closed */
	HTTP_CONNECTION_SOCKET, /* a WebSocket; after each period a heartbeat, in the same state */
	HTTP_CONNECTION_SOCKET_CLOSING, /* the WebSocket's close frame was sent; late: closed */
	HTTP_CONNECTION_LINGER, /* last answer sent, our side shut, input discarded; late: closed */
	HTTP_CONNECTION_CLOSED, /* on no list; freed when no function is using it */
	HTTP_CONNECTION_STATES  /* how many there are */
} HttpConnectionState;

struct HttpConnection
{
	HttpServer *server;
	struct bufferevent *bev; /* owns the socket (and the TLS session) */
	struct event *readable;  /* the socket can be read (input.h); NULL once TLS has begun */
	HttpConnectionState state;
	TAILQ_ENTRY(HttpConnection) link; /* on the list of its state */
	int64_t deadline_ms;              /* clock_monotonic_ms() when the state ends */
	size_t progress;                  /* BODY: bytes in this period; WRITE: bytes not yet sent */
	HttpStream stream;         /* WRITE: what of the answer's body is not in the output yet */
	size_t lingered;           /* LINGER: bytes discarded */
	int64_t waits_since_ms;    /* when output began to wait (output.h) */
	int64_t output_left;       /* bytes of output that have left since then */
	HttpRequestState *request; /* being read or answered, else NULL */
	struct WebSocket *socket;  /* the WebSocket that the connection has become, else NULL */
	bool tls;
	bool last;        /* no request after this one is served */
	bool refused;     /* the rest of this request's input is discarded */
	bool input_ended; /* the client has shut its sending side */
	bool paused;      /* the client has sent too far ahead, so nothing is read */
	bool running;     /* its input is being handled: do not free */
	bool unread;      /* its socket was readable and was not read since; never with TLS */
	FairOwner owner;  /* whose turns it takes (turns.h) */
	FairItem turn;    /* its place while it waits for a turn */
	HttpPeerKey peer_key;
	char peer[HTTP_PEER_MAX];
};

/*
 * Takes over a new connection; it owns bev and fd from then on, also on failure.  With TLS bev
 * has no socket yet.  False: out of memory.
 */
extern bool http_connection_start(HttpServer *server, struct bufferevent *bev, int fd, bool tls,
								  const char *peer, HttpPeerKey peer_key);

/* Changes the state: leaves one list, joins another, sets the deadline. */
extern void http_connection_enter(HttpConnection *connection, HttpConnectionState state);

/* Closes the connection now, and logs why.  The handler of its request is told "gone". */
extern void http_connection_close(HttpConnection *connection, const char *reason);

/*
 * Called when the connection has its turn (turns.h).  Handles the input that it has, until a
 * request was answered.  If there is none that can be handled now, reads once before that.
 */
extern void http_connection_take_turn(HttpConnection *connection);

/*
 * Called by input.c when there is input, and when there will be no more: the client has shut
 * its sending side, or the connection is broken.  Both may free the connection.
 */
extern void http_connection_input_came(HttpConnection *connection);
extern void http_connection_input_ended(HttpConnection *connection, bool broken);

/* Called when the deadline of its state has passed. */
extern void http_connection_expire(HttpConnection *connection);

/* Whether it can be closed without interrupting a request. */
extern bool http_connection_is_idle(const HttpConnection *connection);

/* Sends a head and a body, or other bytes with body NULL; see http_send(). */
extern HttpSendResult http_connection_send(HttpConnection *connection, const Buffer *head,
										   Buffer *body) __attribute__((warn_unused_result));

/* Called when the last output was sent: lets the client read it, then closes. */
extern void http_connection_linger(HttpConnection *connection);

#endif
