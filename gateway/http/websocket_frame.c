/*
 * websocket_frame.c
 *		Frames, written by wslay.
 */
#include "http/websocket_frame.h"

#include <string.h>
#include <wslay/wslay.h>

#include "http/websocket.h"

/* wslay's writer keeps nothing between two whole frames, so that one does for all. */
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
 * There is room before wslay begins: a frame that broke off half way would leave its
 * context in the middle of one.
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
