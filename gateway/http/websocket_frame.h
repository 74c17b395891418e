/*
 * websocket_frame.h
 *		Frames, read and written by wslay; knows no sockets.
 *
 *	 0               1               2               3
 *	+-+-+-+-+-------+-+-------------+-------------------------------+
 *	|F|R|R|R| opcode|M| length (7)  | length of 16 or 64 bits       |
 *	|I|S|S|S|  (4)  |A|             | (when the 7 say 126 or 127)   |
 *	|N|V|V|V|       |S|             |                               |
 *	+-+-+-+-+-------+K+-------------+-------------------------------+
 *	| masking key (32), from clients always | payload ...           |
 *	+---------------------------------------+-----------------------+
 *
 * wslay's context has a buffer of 4 KiB in it, which is more than all the rest of an idle
 * socket.  So a WebSocketInput lives only while a frame or a message is incomplete, and one
 * context writes the frames of all sockets.
 */
#ifndef HTTP_WEBSOCKET_FRAME_H
#define HTTP_WEBSOCKET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/limits.h"
#include "lib/buffer.h"

#define WEBSOCKET_CONTROL_MAX 125 /* bytes of a control frame's payload (RFC 6455, 5.5) */

/* What the next frame is, once it is complete and found right. */
typedef enum WebSocketInputKind
{
	WEBSOCKET_INPUT_MORE,     /* none: all bytes are used */
	WEBSOCKET_INPUT_FRAGMENT, /* a message goes on */
	WEBSOCKET_INPUT_MESSAGE,  /* a text is complete, and valid; in message */
	WEBSOCKET_INPUT_PING,     /* what to send back is in control */
	WEBSOCKET_INPUT_PONG,
	WEBSOCKET_INPUT_CLOSE,  /* code; nothing is read behind it */
	WEBSOCKET_INPUT_REFUSED /* close with code and reason; nothing is read behind it */
} WebSocketInputKind;

typedef struct WebSocketInput
{
	struct wslay_frame_context *frames;

	/* what was fed and wslay has not taken yet; borrowed */
	const uint8_t *data;
	size_t len;

	uint64_t taken; /* bytes that wslay has taken */
	uint64_t ended; /* bytes up to the end of the last whole frame */

	/* the frame that is being read */
	bool in_frame;
	uint64_t frame_len; /* of its payload, so far */
	uint8_t control[WEBSOCKET_CONTROL_MAX];
	size_t control_len;

	/* the message, which may have several frames */
	bool in_message;
	char message[WEBSOCKET_MESSAGE_MAX];
	size_t message_len;

	/* when closed or refused */
	int code;
	const char *reason; /* a constant */
} WebSocketInput;

/* NULL when out of memory. */
extern WebSocketInput *websocket_input_create(void);
extern void websocket_input_free(WebSocketInput *input);

/* Gives it len bytes, which must stay until websocket_input_next() says MORE. */
extern void websocket_input_feed(WebSocketInput *input, const uint8_t *data, size_t len);

/* Reads on, up to the end of the next frame. */
extern WebSocketInputKind websocket_input_next(WebSocketInput *input);

/* Whether it holds nothing of a frame or message, so that it can be freed and made anew. */
extern bool websocket_input_is_idle(const WebSocketInput *input);

/* Append one frame; false when it does not fit.  payload has at most WEBSOCKET_CONTROL_MAX bytes. */
extern bool websocket_frame_ping(Buffer *out);
extern bool websocket_frame_pong(Buffer *out, const uint8_t *payload, size_t len);

/* The same for a close frame; WEBSOCKET_NO_CODE: without a code and a reason. */
extern bool websocket_frame_close(Buffer *out, int code, const char *reason);

#endif
