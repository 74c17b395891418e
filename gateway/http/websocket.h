/*
 * websocket.h
 *		WebSockets (RFC 6455) as the floors above see them.
 *
 * A handler that gets a request for one calls websocket_check(), finds out whether its
 * caller may have one, however long that takes, and then either answers the request as any
 * other or turns it into a socket with websocket_accept().
 *
 * Server to client only: what a client says besides ping, pong and close is checked, and
 * thrown away.  Everything it may send is bounded (limits.h); so is what waits to be
 * sent to it, for one socket and for all together.
 *
 * The owner of a socket may use it until one of three things has happened, and never after:
 * closed() was called, it has called websocket_close(), or websocket_send() was false.  The
 * handshake of closing, and the connection, are this floor's business from then on.
 */
#ifndef HTTP_WEBSOCKET_H
#define HTTP_WEBSOCKET_H

#include "http/http.h"
#include "http/websocket_frame.h"

typedef struct WebSocket WebSocket;

/* What a kind of owner is told, and what its sockets say.  A constant. */
typedef struct WebSocketEvents
{
	/* Sent as a text, beside a ping, every socket_heartbeat_ms; NULL = the ping only. */
	const char *heartbeat;

	/* All that was queued has left. */
	void (*drained)(void *owner);

	/*
	 * The socket is not the owner's any more: the client has closed it or is gone, it was
	 * dropped, or the server is shutting down.  code is what was said to the client, or by
	 * it; WEBSOCKET_NO_CODE when the connection just ended.  reason is a constant.
	 */
	void (*closed)(void *owner, int code, const char *reason);
} WebSocketEvents;

/* Whether the request asks for a WebSocket at all, rightly or wrongly. */
extern bool websocket_requested(const HttpRequest *request);

/*
 * Whether it asks for one in the right way: method, version, key, no body, and an Origin
 * that is this host's or a configured one, if there is any.  False: it was answered (400,
 * 403, 426), and the handler has let go.
 */
extern bool websocket_check(HttpRequest *request);

/*
 * Answers a request that websocket_check() has found right with 101 and takes its
 * connection over.  Lets go of the request in any case.  NULL: the client is gone, or has
 * sent something before it was answered (400), or the server is shutting down (503).
 */
extern WebSocket *
websocket_accept(HttpRequest *request, const WebSocketEvents *events, void *owner);

/*
 * Sends whole frames.  False: the client reads too slowly and was dropped (4408), or the
 * connection has broken; closed() is not called for that.
 */
extern bool websocket_send(WebSocket *socket, const char *frames, size_t len);

/* Bytes that wait until the kernel takes them. */
extern size_t websocket_queued(const WebSocket *socket);

/* Closes the socket; reason is a constant of at most WEBSOCKET_REASON_MAX bytes. */
extern void websocket_close(WebSocket *socket, int code, const char *reason);

/*
 * ---- for the connection that has become a WebSocket, which owns it ----
 *
 *	ANSWER --101--> SOCKET --close frame sent--> SOCKET_CLOSING --> LINGER --> CLOSED
 *
 * In SOCKET its owner may send; the state's period is the heartbeat.  In SOCKET_CLOSING
 * nobody owns it; what was queued leaves, and the client's close frame is waited for.
 */

/* The 101 is on its way. */
extern void websocket_begin(HttpConnection *connection);

/* Whether what the client sends is still of interest. */
extern bool websocket_reads(const HttpConnection *connection);

/* The client has sent something; bytes stay where they are until this returns. */
extern void websocket_feed(HttpConnection *connection, const void *bytes, size_t len);

/* The output has become empty. */
extern void websocket_written(HttpConnection *connection);

/* Goes on to the end when the closing handshake is done and all has left. */
extern void websocket_finish(HttpConnection *connection);

/* The heartbeat is due. */
extern void websocket_beat(HttpConnection *connection);

/* Closes the socket and tells its owner. */
extern void websocket_end(HttpConnection *connection, int code, const char *reason);

/* Tells the owner and ends the connection at once, with what waits on it. */
extern void websocket_cut(HttpConnection *connection, const char *reason);

/* The connection is being closed: tells the owner, frees the socket. */
extern void websocket_lost(HttpConnection *connection);

#endif
