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

/* Close codes (RFC 6455, 7.4) that this floor uses or is told to use. */
#define WEBSOCKET_NORMAL 1000
#define WEBSOCKET_GOING_AWAY 1001 /* the server is shutting down */
#define WEBSOCKET_PROTOCOL 1002   /* the client broke the protocol */
#define WEBSOCKET_NO_BINARY 1003
#define WEBSOCKET_NO_CODE 1005      /* never sent: the client's close had none */
#define WEBSOCKET_NOT_UTF8 1007     /* a text that is none */
#define WEBSOCKET_POLICY 1008       /* the client says too much or too slowly */
#define WEBSOCKET_TOO_LARGE 1009    /* ... or too much at once */
#define WEBSOCKET_INTERNAL 1011     /* a fault of ours */
#define WEBSOCKET_TRY_LATER 1013    /* the database cannot be reached */
#define WEBSOCKET_UNAUTHORIZED 4401 /* the credential is worth nothing any more */
#define WEBSOCKET_SLOW_READER 4408  /* does not read, or does not answer pings */
#define WEBSOCKET_REASON_MAX 123    /* bytes of a reason */

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

/* Appends a text as one frame; false when it does not fit.  (websocket_frame.c) */
extern bool websocket_frame_text(Buffer *out, const char *text, size_t len);

#endif
