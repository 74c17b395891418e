/*
 * fuzz_target.c
 *		The target of a request is taken apart within the room that was asked for.
 */
#include <string.h>

#include "http/target.h"
#include "lib/utf8.h"
#include "tests/fuzz/fuzz.h"

static void
check_parts(const HttpTarget *target, HttpTargetRoom room)
{
	FUZZ_ASSERT(target->n_parameters <= room.n_parameters);
	FUZZ_ASSERT(target->n_segments <= room.n_segments);
	for (size_t i = 0; i < target->n_segments; i++)
	{
		const HttpText *segment = &target->segments[i];

		FUZZ_ASSERT(strlen(segment->data) == segment->len);
		FUZZ_ASSERT(utf8_valid(segment->data, segment->len));
		FUZZ_ASSERT(strcmp(segment->data, ".") != 0 && strcmp(segment->data, "..") != 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *) data;
	const char *mark = memchr(text, '?', len);
	HttpText path = {text, mark != NULL ? (size_t) (mark - text) : len};
	HttpText query = {text + path.len, 0};
	HttpTargetRoom room;
	HttpTarget target = {0};
	char *bytes;

	if (mark != NULL)
		query = (HttpText){mark + 1, len - path.len - 1};
	room = http_target_room(path, query);
	target.segments = malloc(sizeof(*target.segments) * room.n_segments);
	target.parameters = malloc(sizeof(*target.parameters) * room.n_parameters);
	target.bytes = bytes = malloc(room.n_bytes);
	if (http_target_decode(path, query, &target) == NULL)
		check_parts(&target, room);
	free(target.segments);
	free(target.parameters);
	free(bytes);
	return 0;
}
