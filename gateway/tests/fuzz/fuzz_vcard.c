/*
 * fuzz_vcard.c
 *		A contact card that a sender has written, as it is sent to Meta.
 *
 * Whatever the card says, what is written is an object with the name that is shown, and nothing in
 * it has more than its bounds.
 */
#include <string.h>

#include "cloud/vcard.h"
#include "lib/json_read.h"
#include "tests/fuzz/fuzz.h"

#define NAME "Ann"
#define OUT_MAX (1024 * 1024)

static void
check(const JsonValue *object)
{
	static const char *const lists[] = {"phones", "emails", "urls"};
	const JsonValue *name = json_read_member(object, "name");
	const char *text;
	size_t len;

	FUZZ_ASSERT(json_read_string(json_read_member(name, "formatted_name"), &text, &len) &&
				strcmp(text, NAME) == 0);
	FUZZ_ASSERT(json_read_string(json_read_member(name, "first_name"), &text, &len) && len > 0);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		FUZZ_ASSERT(json_read_count(json_read_member(object, lists[i])) <= VCARD_VALUES_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *card = strndup((const char *) data, size);
	JsonReadError error;
	JsonWriter json;
	JsonValue *object;
	Buffer out;

	buffer_init(&out, OUT_MAX);
	json_write_init(&json, &out);
	vcard_write(card, NAME, &json);
	FUZZ_ASSERT(json_write_done(&json));
	object = json_read(out.data, out.len, &error);
	FUZZ_ASSERT(object != NULL);
	check(object);
	json_read_free(object);
	buffer_free(&out);
	free(card);
	return 0;
}
