/*
 * websocket_frame.c
 *		Reads and writes WebSocket frames with wslay; see websocket_frame.h.
 *
 * wslay checks the lengths of a client's frames (the shortest encoding, and control frames
 * that are short and not fragmented), and it removes the mask.  This file checks the rest of
 * RFC 6455: there is a mask, no reserved bit is set, the opcode is known, a fragment comes
 * only within a message, the close code is allowed, and text is UTF-8.  Clients need not send
 * messages, so a kilobyte is enough for one.
 */
#include "http/websocket_frame.h"

#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "src/common/memory.h"
#include "lib/utf8.h"

/* Lengths that fit in the first two bytes, and in two more (RFC 6455, 5.2). */
#define LENGTH_7_MAX 125
#define LENGTH_16_MAX 65535

static ssize_t
take(uint8_t *buffer, size_t len, int flags, void *context)
{
	WebSocketInput *input = context;
	size_t taken = len < input->len ? len : input->len;

	(void) flags;
	if (taken == 0)
		return -1; /* wslay then returns WSLAY_ERR_WANT_READ */
	memcpy(buffer, input->data, taken);
	input->data += taken;
	input->len -= taken;
	input->taken += taken;
	return (ssize_t) taken;
}

WebSocketInput *
websocket_input_create(void)
{
	static const struct wslay_frame_callbacks callbacks = {.recv_callback = take};
	WebSocketInput *input = calloc(1, sizeof(*input));

	if (input != NULL && wslay_frame_context_init(&input->frames, &callbacks, input) != 0)
	{
		free(input);
		return NULL;
	}
	return input;
}

void
websocket_input_free(WebSocketInput *input)
{
	if (input == NULL)
		return;
	wslay_frame_context_free(input->frames);
	wak_wipe(input, sizeof(*input));
	free(input);
}

void
websocket_input_feed(WebSocketInput *input, const uint8_t *data, size_t len)
{
	input->data = data;
	input->len = len;
}

bool
websocket_input_is_idle(const WebSocketInput *input)
{
	return !input->in_message && !input->in_frame && input->taken == input->ended;
}

static WebSocketInputKind
refuse(WebSocketInput *input, int code, const char *reason)
{
	input->code = code;
	input->reason = reason;
	return WEBSOCKET_INPUT_REFUSED;
}

/* Checks the head of a frame, before its payload has come; MORE: it is valid. */
static WebSocketInputKind
begin_frame(WebSocketInput *input, const struct wslay_frame_iocb *frame)
{
	bool control = wslay_is_ctrl_frame(frame->opcode);

	if (!frame->mask)
		return refuse(input, WEBSOCKET_PROTOCOL, "frame without a mask");
	if (frame->rsv != WSLAY_RSV_NONE)
		return refuse(input, WEBSOCKET_PROTOCOL, "reserved bit");
	if (frame->opcode > WSLAY_PONG || (!control && frame->opcode > WSLAY_BINARY_FRAME))
		return refuse(input, WEBSOCKET_PROTOCOL, "unknown opcode");
	if (!control && input->in_message != (frame->opcode == WSLAY_CONTINUATION_FRAME))
		return refuse(input, WEBSOCKET_PROTOCOL, "fragment out of place");
	if (frame->opcode == WSLAY_BINARY_FRAME)
		return refuse(input, WEBSOCKET_NO_BINARY, "only text is read here");
	if (!control && frame->payload_length > WEBSOCKET_MESSAGE_MAX - input->message_len)
		return refuse(input, WEBSOCKET_TOO_LARGE, "message is too large");
	input->in_frame = true;
	input->in_message = input->in_message || !control;
	input->frame_len = 0;
	input->control_len = control ? 0 : input->control_len;
	return WEBSOCKET_INPUT_MORE;
}

/* begin_frame() has checked that the payload fits. */
static void
keep(WebSocketInput *input, const struct wslay_frame_iocb *frame)
{
	if (frame->data_length == 0)
		return;
	if (wslay_is_ctrl_frame(frame->opcode))
	{
		memcpy(input->control + input->control_len, frame->data, frame->data_length);
		input->control_len += frame->data_length;
	}
	else
	{
		memcpy(input->message + input->message_len, frame->data, frame->data_length);
		input->message_len += frame->data_length;
	}
	input->frame_len += frame->data_length;
}

/* Whether a client may send this close code (RFC 6455, 7.4; 1014 is the last registered). */
static bool
code_valid(int code)
{
	return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
		   (code >= 3000 && code <= 4999);
}

static WebSocketInputKind
end_close(WebSocketInput *input)
{
	input->code = WEBSOCKET_NO_CODE;
	input->reason = "client closed";
	if (input->control_len == 0)
		return WEBSOCKET_INPUT_CLOSE;
	if (input->control_len == 1)
		return refuse(input, WEBSOCKET_PROTOCOL, "half a close code");
	input->code = input->control[0] << 8 | input->control[1];
	if (!code_valid(input->code))
		return refuse(input, WEBSOCKET_PROTOCOL, "invalid close code");
	if (!utf8_valid((const char *) input->control + 2, input->control_len - 2))
		return refuse(input, WEBSOCKET_NOT_UTF8, "text is not UTF-8");
	return WEBSOCKET_INPUT_CLOSE;
}

static WebSocketInputKind
end_message(WebSocketInput *input)
{
	bool valid = utf8_valid(input->message, input->message_len);

	input->in_message = false;
	input->message_len = 0;
	return valid ? WEBSOCKET_INPUT_MESSAGE : refuse(input, WEBSOCKET_NOT_UTF8, "text is not UTF-8");
}

static WebSocketInputKind
end_frame(WebSocketInput *input, const struct wslay_frame_iocb *frame)
{
	uint64_t len = frame->payload_length;
	int more = len <= LENGTH_7_MAX ? 0 : len <= LENGTH_16_MAX ? 2 : 8;

	input->in_frame = false;
	input->ended += 2 + (uint64_t) more + 4 + len;
	switch (frame->opcode)
	{
		case WSLAY_PING:
			return WEBSOCKET_INPUT_PING;
		case WSLAY_PONG:
			return WEBSOCKET_INPUT_PONG;
		case WSLAY_CONNECTION_CLOSE:
			return end_close(input);
		default:
			return frame->fin ? end_message(input) : WEBSOCKET_INPUT_FRAGMENT;
	}
}

WebSocketInputKind
websocket_input_next(WebSocketInput *input)
{
	struct wslay_frame_iocb frame = {0};
	WebSocketInputKind kind;
	ssize_t result;

	for (;;)
	{
		result = wslay_frame_recv(input->frames, &frame);
		if (result == WSLAY_ERR_WANT_READ)
			return WEBSOCKET_INPUT_MORE;
		if (result == WSLAY_ERR_PROTO)
			return refuse(input, WEBSOCKET_PROTOCOL, "invalid frame");
		if (result < 0)
			return refuse(input, WEBSOCKET_INTERNAL, "internal error");
		if (!input->in_frame && (kind = begin_frame(input, &frame)) != WEBSOCKET_INPUT_MORE)
			return kind;
		keep(input, &frame);
		if (input->frame_len == frame.payload_length)
			return end_frame(input, &frame);
	}
}

/* ---- writing ---- */

/* wslay's context keeps nothing between two complete frames, so one is enough for all. */
static Buffer *writing_to;

static ssize_t
append(const uint8_t *data, size_t len, int flags, void *context)
{
	(void) flags;
	(void) context;
	return buffer_append(writing_to, data, len) ? (ssize_t) len : -1;
}

static wslay_frame_context_ptr
writer(void)
{
	static const struct wslay_frame_callbacks callbacks = {.send_callback = append};
	static wslay_frame_context_ptr frames;

	if (frames == NULL && wslay_frame_context_init(&frames, &callbacks, NULL) != 0)
		frames = NULL;
	return frames;
}

/*
 * Reserves the room before wslay begins, because a frame that fails halfway would leave wslay's
 * context within a frame.
 */
static bool
write_frame(Buffer *out, uint8_t opcode, const void *payload, size_t len)
{
	static const size_t head_max = 10;
	struct wslay_frame_iocb frame = {
		.fin = 1,
		.opcode = opcode,
		.payload_length = len,
		.data = payload,
		.data_length = len,
	};
	wslay_frame_context_ptr frames = writer();

	if (frames == NULL || !buffer_reserve(out, len + head_max))
		return false;
	writing_to = out;
	return wslay_frame_send(frames, &frame) == (ssize_t) len;
}

bool
websocket_frame_text(Buffer *out, const char *text, size_t len)
{
	return write_frame(out, WSLAY_TEXT_FRAME, text, len);
}

bool
websocket_frame_ping(Buffer *out)
{
	return write_frame(out, WSLAY_PING, "", 0);
}

bool
websocket_frame_pong(Buffer *out, const uint8_t *payload, size_t len)
{
	return write_frame(out, WSLAY_PONG, payload, len);
}

bool
websocket_frame_close(Buffer *out, int code, const char *reason)
{
	uint8_t payload[WEBSOCKET_CONTROL_MAX];
	size_t len = strnlen(reason, WEBSOCKET_REASON_MAX);

	if (code == WEBSOCKET_NO_CODE)
		return write_frame(out, WSLAY_CONNECTION_CLOSE, "", 0);
	payload[0] = (uint8_t) (code >> 8);
	payload[1] = (uint8_t) code;
	memcpy(payload + 2, reason, len);
	return write_frame(out, WSLAY_CONNECTION_CLOSE, payload, len + 2);
}
