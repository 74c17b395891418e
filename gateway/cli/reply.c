/*
 * reply.c
 *		Reads what the REST API answers; see reply.h.
 */
#include "cli/reply.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/answer_write.h"
#include "lib/json_read.h"

/* The most bytes of one value. */
#define VALUE_MAX ((size_t) 1024 * 1024)

/* ---- values ---- */

/* Writes milliseconds as PostgreSQL writes a time in UTC. */
static bool
append_time(Buffer *out, int64_t ms)
{
	time_t seconds = (time_t) (ms / 1000);
	int fraction = (int) (ms % 1000);
	struct tm parts;
	char text[64];

	if (ms < 0 || gmtime_r(&seconds, &parts) == NULL ||
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts) == 0)
		return false;
	buffer_append_text(out, text);
	if (fraction > 0)
	{
		int digits = 3;

		for (; fraction % 10 == 0; digits--)
			fraction /= 10;
		buffer_printf(out, ".%0*d", digits, fraction);
	}
	return buffer_append_text(out, "+00");
}

/* Appends a value as the column's type has it.  False: it is of another kind. */
static bool
append_value(Buffer *out, AnswerType type, const JsonValue *value)
{
	const char *text;
	size_t len;
	int64_t number;
	bool flag;

	switch (type)
	{
		case ANSWER_TEXT:
			return json_read_string(value, &text, &len) && buffer_append(out, text, len);
		case ANSWER_NUMBER:
			return json_read_int64(value, &number) && buffer_append_int64(out, number);
		case ANSWER_BOOL:
			return json_read_bool(value, &flag) && buffer_append_char(out, flag ? 't' : 'f');
		case ANSWER_TIME:
			return json_read_int64(value, &number) && append_time(out, number);
		case ANSWER_JSON:
			return json_read_print(value, out);
	}
	return false;
}

/* ---- rows ---- */

void
reply_add_columns(const Command *command, Answer *answer)
{
	for (const Member *member = command->http.members; member->name != NULL; member++)
		answer_add_column(answer, member->name, member->type);
}

/* Appends a member's value; nothing: it is null.  False: it is of another kind. */
static bool
read_member(const Member *member, const JsonValue *row, Buffer *out)
{
	const JsonValue *object = member->within != NULL ? json_read_member(row, member->within) : row;
	const JsonValue *value = json_read_member(object, member->name);

	if (member->make != NULL)
		member->make(row, out);
	else if (value != NULL)
		return append_value(out, member->type, value);
	else if (member->absent != NULL)
		buffer_append_text(out, member->absent);
	return !out->failed;
}

static bool
is_wanted(const Request *request, const Command *command, const JsonValue *row)
{
	Buffer value;
	bool wanted = request->wanted == NULL;

	buffer_init(&value, VALUE_MAX);
	for (const Member *member = command->http.members; !wanted && member->name != NULL; member++)
		wanted = strcmp(member->name, request->column) == 0 && read_member(member, row, &value) &&
				 value.len > 0 && strcmp(value.data, request->wanted) == 0;
	buffer_free(&value);
	return wanted;
}

static bool
add_row(const Command *command, const Request *request, const JsonValue *row, Answer *answer)
{
	const Member *members = command->http.members;
	Buffer value;
	bool ok = json_read_kind(row) == JSON_KIND_OBJECT;

	if (!ok || !is_wanted(request, command, row))
		return ok;
	answer_add_row(answer);
	buffer_init(&value, VALUE_MAX);
	for (int i = 0; ok && members[i].name != NULL; i++)
	{
		buffer_clear(&value);
		ok = read_member(&members[i], row, &value);
		if (ok && value.len > 0)
			answer_copy(answer, i, value.data, value.len);
	}
	buffer_free(&value);
	return ok;
}

static bool
add_rows(const Command *command, const Request *request, const JsonValue *list, Answer *answer)
{
	bool ok = json_read_kind(list) == JSON_KIND_ARRAY;

	for (size_t i = 0; ok && i < json_read_count(list); i++)
		ok = add_row(command, request, json_read_element(list, i), answer);
	return ok;
}

static bool
read_object(const Command *command, const Request *request, const JsonValue *root, Answer *answer,
			Buffer *next)
{
	const JsonValue *cursor = json_read_member(root, "nextCursor");
	const char *text;
	size_t len;

	switch (command->http.form)
	{
		case ROWS_MEMBER:
			return add_rows(command, request, json_read_member(root, command->http.list), answer);
		case ROWS_PAGES:
			if (json_read_string(cursor, &text, &len))
				buffer_append(next, text, len);
			return add_rows(command, request, json_read_member(root, "data"), answer);
		case ROWS_ONE:
		case ROWS_LINES:
			break;
	}
	return add_row(command, request, root, answer);
}

static bool
read_json(const Command *command, const Request *request, const char *text, size_t len,
		  Answer *answer, Buffer *next)
{
	JsonReadError error;
	JsonValue *root = json_read_many(text, len, REPLY_VALUES_MAX, &error);
	bool ok = root != NULL && read_object(command, request, root, answer, next);

	json_read_free(root);
	return ok;
}

/* The last line's sequence is the place behind it. */
static bool
read_lines(const Command *command, const Request *request, const Buffer *body, Answer *answer,
		   Buffer *next)
{
	const char *line = body->data;
	AnswerField sequence;

	for (size_t left = body->len; left > 0;)
	{
		const char *end = memchr(line, '\n', left);
		size_t len = end != NULL ? (size_t) (end - line) : left;

		if (!read_json(command, request, line, len, answer, next))
			return false;
		left -= end != NULL ? len + 1 : len;
		line += len + 1;
	}
	sequence = answer_find(answer, answer->row_count - 1, "sequence", strlen("sequence"));
	if (body->len > 0 && sequence.value != NULL)
		buffer_append_text(next, sequence.value);
	return true;
}

bool
reply_read(const Command *command, const Request *request, const Buffer *body, Answer *answer,
		   Buffer *next)
{
	buffer_clear(next);
	return command->http.form == ROWS_LINES
			   ? read_lines(command, request, body, answer, next)
			   : read_json(command, request, body->len > 0 ? body->data : "", body->len, answer,
						   next);
}

/* ---- errors ---- */

/* Appends a text of the server that is one line for a terminal. */
static bool
append_text(Buffer *out, const JsonValue *value)
{
	const char *text;
	size_t len;

	if (!json_read_string(value, &text, &len))
		return false;
	answer_write_plain(out, text);
	return true;
}

static void
append_details(Buffer *out, JsonValue *details)
{
	void *position = NULL;
	const char *name;
	JsonValue *value;

	if (json_read_kind(details) != JSON_KIND_OBJECT)
		return;
	while (json_read_next_member(details, &position, &name, &value))
	{
		buffer_append_text(out, "  ");
		answer_write_plain(out, name);
		buffer_append_text(out, ": ");
		append_text(out, value);
		buffer_append_char(out, '\n');
	}
}

void
reply_write_error(int status, int retry_after_s, const Buffer *body, Buffer *out)
{
	JsonReadError ignored;
	JsonValue *root =
		json_read_many(body->len > 0 ? body->data : "", body->len, REPLY_VALUES_MAX, &ignored);
	JsonValue *error = json_read_member(root, "error");

	if (status >= 300 && status < 400)
		buffer_append_text(out, "the server redirects, which is not followed: give the URL that it "
								"leads to as --url");
	else if (!append_text(out, json_read_member(error, "message")))
		buffer_printf(out, "the server answered with the status %d, and not as this API does",
					  status);
	buffer_append_char(out, '\n');
	append_details(out, json_read_member(error, "details"));
	json_read_free(root);
	if (status == 401)
		buffer_append_text(out, "  A user token ends after 15 minutes, and with the sign-in that "
								"it was made from: make a new one.\n");
	if (retry_after_s > 0)
		buffer_printf(out, "  Try again in %d seconds.\n", retry_after_s);
}
