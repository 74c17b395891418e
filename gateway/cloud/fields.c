/*
 * fields.c
 *		Reads members of Meta's objects; see fields.h.
 */
#include "cloud/fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first number that is in milliseconds: 13 digits. */
#define MILLISECONDS_MIN INT64_C(1000000000000)

/* Bytes of a value that is passed as it is. */
#define PASSED_MAX (256 * 1024)

const char *
field_text(const JsonValue *object, const char *name)
{
	const char *text;
	size_t len;

	if (!json_read_string(json_read_member(object, name), &text, &len) || len == 0)
		return NULL;
	return text;
}

bool
field_copy(const JsonValue *object, const char *name, char *copy, size_t size)
{
	const JsonValue *value = json_read_member(object, name);
	const char *text;
	int64_t number;
	size_t len;

	copy[0] = '\0';
	if (json_read_string(value, &text, &len))
	{
		if (len == 0 || len >= size)
			return false;
		memcpy(copy, text, len + 1);
		return true;
	}
	if (!json_read_int64(value, &number) ||
		snprintf(copy, size, "%lld", (long long) number) < (int) size)
		return json_read_int64(value, &number);
	copy[0] = '\0';
	return false;
}

bool
field_int64(const JsonValue *object, const char *name, int64_t *number)
{
	char text[32];
	char *end;
	long long read;

	if (!field_copy(object, name, text, sizeof(text)))
		return false;
	errno = 0;
	read = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || end == text)
		return false;
	*number = read;
	return true;
}

bool
field_true(const JsonValue *object, const char *name)
{
	bool is_true = false;

	return json_read_bool(json_read_member(object, name), &is_true) && is_true;
}

int64_t
field_time(const JsonValue *object, const char *name, int64_t now_ms)
{
	int64_t time;

	if (!field_int64(object, name, &time) || time <= 0)
		return now_ms;
	if (time < MILLISECONDS_MIN)
		time *= 1000;
	return time < now_ms ? time : now_ms;
}

void
field_pass_text(JsonWriter *json, const char *as, const JsonValue *object, const char *name)
{
	const char *text = field_text(object, name);

	if (text == NULL)
		return;
	json_write_name(json, as);
	json_write_text(json, text);
}

void
field_pass(JsonWriter *json, const char *as, const JsonValue *object, const char *name)
{
	const JsonValue *value = json_read_member(object, name);
	Buffer text;

	if (json_read_kind(value) == JSON_KIND_NONE || json_read_kind(value) == JSON_KIND_NULL)
		return;
	buffer_init(&text, PASSED_MAX);
	if (json_read_print(value, &text))
	{
		json_write_name(json, as);
		json_write_raw(json, text.data, text.len);
	}
	else
		json->out->failed = true;
	buffer_free(&text);
}
