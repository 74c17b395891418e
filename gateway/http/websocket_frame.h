/*
 * websocket_frame.h
 *		Reads and writes WebSocket frames with wslay; does not use network sockets.
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
 * A context of wslay contains a buffer of 4 KiB, which is more than everything else that an
 * idle WebSocket needs.  So a WebSocketInput exists only while a frame or a message is
 * incomplete, and one context writes the frames of all WebSockets.
 */
#ifndef HTTP_WEBSOCKET_FRAME_H
#define HTTP_WEBSOCKET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/limits.h"
#include "lib/buffer.h"

/* Close codes (RFC 6455, 7.4) that gateway/http and its callers use. */
#define WEBSOCKET_NORMAL 1000
#define WEBSOCKET_GOING_AWAY 1001 /* the server is shutting down */
#define WEBSOCKET_PROTOCOL 1002   /* the client broke the protocol */
#define WEBSOCKET_NO_BINARY 1003
#define WEBSOCKET_NO_CODE 1005      /* never sent; the client's close frame had no code */
#define WEBSOCKET_NOT_UTF8 1007     /* a text message that is not UTF-8 */
#define WEBSOCKET_POLICY 1008       /* the client sends too many frames, or sends too slowly */
#define WEBSOCKET_TOO_LARGE 1009    /* the client's message is too large */
#define WEBSOCKET_INTERNAL 1011     /* an internal error of the server */
#define WEBSOCKET_TRY_LATER 1013    /* the database cannot be reached */
#define WEBSOCKET_UNAUTHORIZED 4401 /* the credential is no longer valid */
#define WEBSOCKET_SLOW_READER 4408  /* the client does not read, or does not answer pings */
#define WEBSOCKET_REASON_MAX 123    /* bytes of a reason */

#define WEBSOCKET_CONTROL_MAX 125 /* bytes of a control frame's payload (RFC 6455, 5.5) */

/* What websocket_input_next() has found. */
typedef enum WebSocketInputKind
{
	WEBSOCKET_INPUT_MORE,     /* no complete frame; all bytes are used */
	WEBSOCKET_INPUT_FRAGMENT, /* a frame of a message that is not complete yet */
	WEBSOCKET_INPUT_MESSAGE,  /* a complete and valid text message */
	WEBSOCKET_INPUT_PING,     /* control holds what to send back */
	WEBSOCKET_INPUT_PONG,
	WEBSOCKET_INPUT_CLOSE,  /* with code; nothing is read after it */
	WEBSOCKET_INPUT_REFUSED /* invalid: close with code and reason; nothing is read after it */
} WebSocketInputKind;

typedef struct WebSocketInput
{
	struct wslay_frame_context *frames;

	/* the input that wslay has not taken yet; borrowed */
	const uint8_t *data;
	size_t len;

	uint64_t taken; /* bytes that wslay has taken */
	uint64_t ended; /* bytes up to the end of the last complete frame */

	/* the frame that is being read */
	bool in_frame;
	uint64_t frame_len; /* bytes of its payload so far */
	uint8_t control[WEBSOCKET_CONTROL_MAX];
	size_t control_len;

	/* the message that is being read, which may have several frames */
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

/* Gives it len bytes, which must stay valid until websocket_input_next() returns MORE. */
extern void websocket_input_feed(WebSocketInput *input, const uint8_t *data, size_t len);

/* Reads up to the end of the next frame. */
extern WebSocketInputKind websocket_input_next(WebSocketInput *input);

/* Whether no frame or message is incomplete, so that it can be freed. */
extern bool websocket_input_is_idle(const WebSocketInput *input);

/* Appends a text as one frame; false when it does not fit. */
extern bool websocket_frame_text(Buffer *out, const char *text, size_t len);

/* Append a control frame; false when it does not fit.  len is at most WEBSOCKET_CONTROL_MAX. */
extern bool websocket_frame_ping(Buffer *out);
extern bool websocket_frame_pong(Buffer *out, const uint8_t *payload, size_t len);

/* Appends a close frame; with WEBSOCKET_NO_CODE it has neither a code nor a reason. */
extern bool websocket_frame_close(Buffer *out, int code, const char *reason);

#endif
