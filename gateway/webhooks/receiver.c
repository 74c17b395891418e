/*
 * receiver.c
 *		A webhook as the database describes it: where to send, and with which header fields.
 */
#include "webhooks/receiver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/memory.h"
#include "db/result.h"
#include "lib/json_read.h"

static char *
copy_text(const DbResult *result, int column)
{
	const char *text;
	size_t len;

	return db_text(result, 0, column, &text, &len) ? strndup(text, len) : NULL;
}

/*
 * Makes "Name: value".  curl understands a name without a value as a header to leave out,
 * and "Name;" as a header with an empty value.
 */
static char *
make_header(const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 3;
	char *header = malloc(size);

	if (header != NULL)
		snprintf(header, size, value[0] == '\0' ? "%s;%s" : "%s: %s", name, value);
	return header;
}

static bool
add_headers(Receiver *receiver, JsonValue *object)
{
	void *position = NULL;
	const char *name;
	JsonValue *value;
	int count = 0;

	while (json_read_next_member(object, &position, &name, &value))
	{
		const char *text;
		size_t len;

		if (count == RECEIVER_HEADERS_MAX || !json_read_string(value, &text, &len))
			return false;
		receiver->headers[count] = make_header(name, text);
		if (receiver->headers[count++] == NULL)
			return false;
	}
	return true;
}

static bool
read_headers(Receiver *receiver, const DbResult *result, int column)
{
	JsonReadError error;
	JsonValue *object;
	const char *json;
	size_t len;
	bool ok;

	if (!db_jsonb(result, 0, column, &json, &len))
		return db_is_null(result, 0, column);
	object = json_read(json, len, &error);
	ok = object != NULL && add_headers(receiver, object);
	json_read_free(object);
	return ok;
}

Receiver *
receiver_read(const DbResult *result, int url_column, int headers_column)
{
	Receiver *receiver = calloc(1, sizeof(*receiver));

	if (receiver == NULL)
		return NULL;
	receiver->holders = 1;
	receiver->url = copy_text(result, url_column);
	if (receiver->url == NULL || !read_headers(receiver, result, headers_column))
	{
		receiver_drop(receiver);
		return NULL;
	}
	return receiver;
}

Receiver *
receiver_hold(Receiver *receiver)
{
	receiver->holders++;
	return receiver;
}

/* The header fields are wiped, since one may be a credential for the receiver. */
void
receiver_drop(Receiver *receiver)
{
	if (receiver == NULL || --receiver->holders > 0)
		return;
	free(receiver->url);
	for (int i = 0; receiver->headers[i] != NULL; i++)
	{
		wak_wipe(receiver->headers[i], strlen(receiver->headers[i]));
		free(receiver->headers[i]);
	}
	free(receiver);
}
