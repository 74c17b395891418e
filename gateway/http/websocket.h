/*
 * websocket.h
 *		The public interface for WebSockets (RFC 6455).
 *
 * A handler that gets a request for a WebSocket calls websocket_check().  Then it decides,
 * however long that takes, whether the client may have one.  It either answers the request as
 * any other, or turns it into a WebSocket with websocket_accept().
 *
 * Messages go from server to client only.  What a client sends, other than ping, pong and
 * close, is checked and discarded.  There are limits for what a client may send and for what
 * waits to be sent, for one socket and for all together (limits.h).
 *
 * The owner of a socket may use it until closed() is called, until it calls
 * websocket_close(), or until websocket_send() returns false, and never after that.  From
 * then on gateway/http does the closing handshake and closes the connection.
 */
#ifndef HTTP_WEBSOCKET_H
#define HTTP_WEBSOCKET_H

#include "http/http.h"
#include "http/websocket_frame.h"

typedef struct WebSocket WebSocket;

/* The callbacks and the heartbeat for one kind of owner.  A constant. */
typedef struct WebSocketEvents
{
	/* A text to send with each ping, every socket_heartbeat_ms; NULL = only the ping. */
	const char *heartbeat;

	/* Called when everything that was queued has been sent. */
	void (*drained)(void *owner);

	/*
	 * Called when the owner must stop using the socket: the client has closed it or is gone,
	 * it was dropped, or the server is shutting down.  code is the close code that was sent or
	 * received, or WEBSOCKET_NO_CODE when the connection ended without one.  reason is a
	 * constant.
	 */
	void (*closed)(void *owner, int code, const char *reason);
} WebSocketEvents;

/* Whether the request asks for a WebSocket, even if the request is not valid. */
extern bool websocket_requested(const HttpRequest *request);

/*
 * Whether the request for a WebSocket is valid: method, version, key, no body, and an Origin,
 * if it has one, that is this host's or a configured one.  False: it was answered (400, 403 or
 * 426) and released.
 */
extern bool websocket_check(HttpRequest *request);

/*
 * Answers a request that passed websocket_check() with 101 and takes over its connection.
 * Releases the request in any case.  NULL: the client is gone, it has sent something before it
 * got the answer (400), the server is shutting down (503), or memory ran out.
 */
extern WebSocket *
websocket_accept(HttpRequest *request, const WebSocketEvents *events, void *owner);

/*
 * Sends complete frames.  False: the client reads too slowly and was dropped (4408), or the
 * connection was closed; closed() is not called then.
 */
extern bool websocket_send(WebSocket *socket, const char *frames, size_t len);

/* The bytes that wait until the kernel accepts them. */
extern size_t websocket_queued(const WebSocket *socket);

/* Closes the socket; reason is a constant of at most WEBSOCKET_REASON_MAX bytes. */
extern void websocket_close(WebSocket *socket, int code, const char *reason);

/*
 * ---- called by the connection that has become a WebSocket, which owns the WebSocket ----
 *
 *	ANSWER --101--> SOCKET --close frame sent--> SOCKET_CLOSING --> LINGER --> CLOSED
 *
 * In SOCKET the owner may send, and the period of the state is the heartbeat.  In
 * SOCKET_CLOSING there is no owner any more; queued output is sent, and we wait for the
 * client's close frame.
 */

/* The 101 was sent or queued. */
extern void websocket_begin(HttpConnection *connection);

/* Whether the client's input is still read. */
extern bool websocket_reads(const HttpConnection *connection);

/* Handles input of the client; the bytes must stay valid until this returns. */
extern void websocket_feed(HttpConnection *connection, const void *bytes, size_t len);

/* The output has become empty. */
extern void websocket_written(HttpConnection *connection);

/* Ends the connection if the closing handshake is done and everything was sent. */
extern void websocket_finish(HttpConnection *connection);

/* The heartbeat is due. */
extern void websocket_beat(HttpConnection *connection);

/* Tells the owner, and begins the closing handshake. */
extern void websocket_end(HttpConnection *connection, int code, const char *reason);

/* Tells the owner, and closes the connection at once without sending what waits. */
extern void websocket_cut(HttpConnection *connection, const char *reason);

/* Called when the connection is being closed: tells the owner and frees the socket. */
extern void websocket_lost(HttpConnection *connection);

#endif
