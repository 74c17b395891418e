/*
 * websocket_connection.h
 *		A WebSocket on its connection, as the files of this floor see it.
 *
 * The connection is in one of two states (connection.h):
 *
 *	ANSWER --101--> SOCKET --close frame sent--> SOCKET_CLOSING --> LINGER --> CLOSED
 *
 * In SOCKET its owner may send; the state's period is the heartbeat.  In SOCKET_CLOSING
 * nobody owns it; what was queued leaves, and the client's close frame is waited for.
 *
 * The connection owns the WebSocket, and frees it with itself.
 */
#ifndef HTTP_WEBSOCKET_CONNECTION_H
#define HTTP_WEBSOCKET_CONNECTION_H

#include "http/connection.h"
#include "http/websocket.h"
#include "http/websocket_frame.h"

#define WEBSOCKET_ACCEPT_SIZE 29 /* 20 bytes in base64, and a NUL */

struct WebSocket
{
	HttpConnection *connection;
	const WebSocketEvents *events;
	void *owner;
	WebSocketInput *input; /* NULL: between two messages of the client */
	size_t queued;         /* bytes in the output when it was last looked at */
	int frames;            /* that came since the last heartbeat */
	int silent;            /* heartbeats since anything came */
	int unfinished;        /* heartbeats since its input is incomplete */
	bool open;             /* the 101 is on its way */
	bool owned;            /* the owner may use it */
	bool moved;            /* some of the output has left since the last heartbeat */
	bool peer_closed;      /* the client's close frame came, or nothing it sends counts */
	bool deaf;             /* what it sends is thrown away */
};

/* What Sec-WebSocket-Accept has to be.  (websocket_handshake.c) */
extern bool websocket_accept_key(const HttpRequest *request, char text[WEBSOCKET_ACCEPT_SIZE]);

/* The 101 is on its way.  For http_connection_answered(). */
extern void websocket_begin(HttpConnection *connection);

/* There is input, or the output has become empty.  For events.c. */
extern void websocket_read(HttpConnection *connection);
extern void websocket_written(HttpConnection *connection);

/* The heartbeat is due.  For http_connection_expire(). */
extern void websocket_beat(HttpConnection *connection);

/* Closes the socket and tells its owner. */
extern void websocket_end(HttpConnection *connection, int code, const char *reason);

/* Tells the owner and ends the connection at once, with what waits on it. */
extern void websocket_cut(HttpConnection *connection, const char *reason);

/* The connection is being closed: tells the owner, frees the socket. */
extern void websocket_lost(HttpConnection *connection);

#endif
