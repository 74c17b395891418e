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

/* Appends a text as one frame; false when it does not fit. */
extern bool websocket_frame_text(Buffer *out, const char *text, size_t len);

/* The same for control frames.  payload has at most WEBSOCKET_CONTROL_MAX bytes. */
extern bool websocket_frame_ping(Buffer *out);
extern bool websocket_frame_pong(Buffer *out, const uint8_t *payload, size_t len);

/* The same for a close frame.  WEBSOCKET_NO_CODE: without a code and a reason. */
extern bool websocket_frame_close(Buffer *out, int code, const char *reason);

#endif
