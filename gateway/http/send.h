/*
 * send.h
 *		Gives bytes to a socket: at once what the kernel takes, the rest to libevent.
 */
#ifndef HTTP_SEND_H
#define HTTP_SEND_H

#include <stdbool.h>

#include "lib/buffer.h"

struct bufferevent;
struct evbuffer;

typedef enum HttpSendResult
{
	HTTP_SENT,       /* everything was sent */
	HTTP_QUEUED,     /* the rest is sent when the socket accepts it */
	HTTP_SEND_FAILED /* out of memory; a part may have been sent, so the caller must close */
} HttpSendResult;

/*
 * Sends a head and a body, or other bytes with body NULL.  at_once: the socket may be written
 * directly, because it has no TLS.  May take the memory of body and leave it empty.
 */
extern HttpSendResult http_send(struct bufferevent *bev, bool at_once, const Buffer *head,
								Buffer *body) __attribute__((warn_unused_result));

/* Queues a copy of the bytes; false when memory is out. */
extern bool http_send_piece(struct evbuffer *output, const void *bytes, size_t len);

#endif
