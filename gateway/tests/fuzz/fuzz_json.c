/*
 * fuzz_json.c
 *		What the JSON reader accepts it can print, and reads again as the same.
 */
#include <string.h>

#include "lib/buffer.h"
#include "lib/json_read.h"
#include "tests/fuzz/fuzz.h"

#define PRINTED_MAX (1024 * 1024)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	JsonReadError error;
	JsonValue *value = json_read((const char *) data, len, &error);
	JsonValue *again;
	Buffer first;
	Buffer second;

	if (value == NULL)
		return 0;
	buffer_init(&first, PRINTED_MAX);
	buffer_init(&second, PRINTED_MAX);
	if (json_read_print(value, &first))
	{
		FUZZ_ASSERT(memchr(first.data, '\0', first.len) == NULL);
		again = json_read(first.data, first.len, &error);
		FUZZ_ASSERT(again != NULL);
		FUZZ_ASSERT(json_read_print(again, &second));
		FUZZ_ASSERT(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
		json_read_free(again);
	}
	buffer_free(&first);
	buffer_free(&second);
	json_read_free(value);
	return 0;
}
