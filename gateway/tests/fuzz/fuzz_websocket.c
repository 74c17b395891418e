/*
 * fuzz_websocket.c
 *		Whatever a client sends on a WebSocket is read the same in one piece and byte by byte.
 */
#include <string.h>

#include "http/websocket_frame.h"
#include "tests/fuzz/fuzz.h"

#define KINDS_MAX 4096

/* What was read: the frames' kinds, and how it ended. */
typedef struct Reading
{
	unsigned char kinds[KINDS_MAX];
	size_t count;
	bool ended;
	int code;
} Reading;

static void
read_on(WebSocketInput *input, Reading *reading, const uint8_t *data, size_t len)
{
	WebSocketInputKind kind;

	if (reading->ended)
		return;
	websocket_input_feed(input, data, len);
	while ((kind = websocket_input_next(input)) != WEBSOCKET_INPUT_MORE)
	{
		FUZZ_ASSERT(reading->count < KINDS_MAX);
		reading->kinds[reading->count++] = (unsigned char) kind;
		FUZZ_ASSERT(input->control_len <= WEBSOCKET_CONTROL_MAX);
		FUZZ_ASSERT(input->message_len <= WEBSOCKET_MESSAGE_MAX);
		reading->ended = kind == WEBSOCKET_INPUT_CLOSE || kind == WEBSOCKET_INPUT_REFUSED;
		if (reading->ended)
		{
			FUZZ_ASSERT(input->reason != NULL && input->code >= 1000 && input->code <= 4999);
			reading->code = input->code;
			return;
		}
	}
	FUZZ_ASSERT(input->len == 0);
	FUZZ_ASSERT(input->ended <= input->taken);
}

/* Pieces of that size; an input that is idle between two of them is made anew, as a socket does. */
static Reading
read_in_pieces(const uint8_t *data, size_t len, size_t size)
{
	WebSocketInput *input = websocket_input_create();
	Reading reading = {0};

	for (size_t at = 0; at < len; at += size)
	{
		read_on(input, &reading, data + at, len - at < size ? len - at : size);
		if (!reading.ended && websocket_input_is_idle(input))
		{
			websocket_input_free(input);
			input = websocket_input_create();
		}
	}
	websocket_input_free(input);
	return reading;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	Reading whole = read_in_pieces(data, len, len + 1);
	Reading bytes = read_in_pieces(data, len, 1);

	FUZZ_ASSERT(whole.count == bytes.count && whole.code == bytes.code &&
				memcmp(whole.kinds, bytes.kinds, whole.count) == 0);
	return 0;
}
