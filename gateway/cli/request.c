/*
 * request.c
 *		Makes the request of a command over HTTP; see request.h.
 *
 * A GET and a DELETE have their members in the query, all others in a body of JSON.
 */
#include "cli/request.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/json_write.h"
#include "src/common/typeid.h"

#define TARGET_MAX 4000
#define BODY_MAX ((size_t) 256 * 1024)
#define UUID_LENGTH 36

/* ---- values ---- */

static bool
wrong(Invocation *invocation, const Parameter *parameter, const char *what)
{
	snprintf(invocation->problem, sizeof(invocation->problem), "--%s must be %s", parameter->name,
			 what);
	return false;
}

/* Reads a whole number, and nothing behind it. */
static bool
read_number(const char *text, int64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && !isspace((unsigned char) *text);
}

/* Reads "2027-01-31", "2027-01-31T12:00:00Z" or the same with a blank, in UTC. */
static bool
read_time(const char *text, int64_t *ms)
{
	struct tm parts = {0};
	struct tm normal;
	const char *end = strptime(text, "%Y-%m-%d", &parts);
	int day = parts.tm_mday;
	time_t seconds;

	if (end != NULL && (*end == 'T' || *end == ' '))
		end = strptime(end + 1, "%H:%M:%S", &parts);
	if (end != NULL && *end == 'Z')
		end++;
	if (end == NULL || *end != '\0')
		return false;
	seconds = timegm(&parts);
	*ms = (int64_t) seconds * 1000;
	/* the 31st of a month that has none is not its successor's first */
	return gmtime_r(&seconds, &normal) != NULL && normal.tm_mday == day;
}

/* Reads "90", "1 hour" or "7 days". */
static bool
read_seconds(const char *text, int64_t *seconds)
{
	static const struct
	{
		const char *name;
		int64_t seconds;
	} units[] = {{"second", 1}, {"minute", 60}, {"hour", 60 * 60}, {"day", 24 * 60 * 60}};
	char *unit;

	errno = 0;
	*seconds = strtoll(text, &unit, 10);
	if (errno != 0 || unit == text)
		return false;
	unit += strspn(unit, " ");
	if (*unit == '\0')
		return true;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		size_t len = strlen(units[i].name);

		if (strncmp(unit, units[i].name, len) == 0 &&
			(unit[len] == '\0' || strcmp(unit + len, "s") == 0))
			return !__builtin_mul_overflow(*seconds, units[i].seconds, seconds);
	}
	return false;
}

/* Reads the value of a parameter that is a number in JSON. */
static bool
read_integer(Invocation *invocation, const Parameter *parameter, const char *value, int64_t *number)
{
	switch (parameter->send)
	{
		case SEND_TIME:
			return read_time(value, number) ||
				   wrong(invocation, parameter,
						 "a time in UTC, such as 2027-01-31 or 2027-01-31T12:00:00Z");
		case SEND_SECONDS:
			return read_seconds(value, number) ||
				   wrong(invocation, parameter,
						 "a number of seconds, minutes, hours or days, such as \"7 days\"");
		default:
			return read_number(value, number) || wrong(invocation, parameter, "a whole number");
	}
}

static bool
is_null(const Parameter *parameter, const char *value)
{
	return (parameter->none != NULL && strcmp(value, parameter->none) == 0) ||
		   (parameter->send == SEND_TIME && strcmp(value, "infinity") == 0);
}

static bool
is_member(const Parameter *parameter)
{
	switch (parameter->send)
	{
		case SEND_TEXT:
		case SEND_INSTEAD:
		case SEND_LIST:
		case SEND_NUMBER:
		case SEND_TIME:
		case SEND_SECONDS:
		case SEND_FLAG:
			return true;
		case SEND_NOT:
		case SEND_PATH:
		case SEND_LIMIT:
		case SEND_FILTER:
		case SEND_NOTHING:
			break;
	}
	return false;
}

/* ---- the body ---- */

/* The state of writing a body. */
typedef struct Body
{
	JsonWriter writer;
	Invocation *invocation;
	bool is_whole; /* of a PUT: what is not in it is removed */
} Body;

static void
write_list(JsonWriter *writer, const char *list)
{
	json_write_array_begin(writer);
	while (*list != '\0')
	{
		size_t len = strcspn(list, ",");

		json_write_string(writer, list, len);
		list += len;
		/* behind a comma there is one more, even if it is empty */
		if (*list == ',' && *++list == '\0')
			json_write_text(writer, "");
	}
	json_write_array_end(writer);
}

/* Writes a value, whose name is written. */
static bool
write_value(Body *body, const Parameter *parameter, const char *value)
{
	int64_t number;

	if (is_null(parameter, value))
		json_write_null(&body->writer);
	else if (parameter->send == SEND_TEXT || parameter->send == SEND_INSTEAD)
		json_write_text(&body->writer, value);
	else if (parameter->send == SEND_LIST)
		write_list(&body->writer, value);
	else if (parameter->send == SEND_FLAG)
		json_write_bool(&body->writer, true);
	else if (!read_integer(body->invocation, parameter, value, &number))
		return false;
	else
		json_write_int64(&body->writer, number);
	return true;
}

/* The length of the name of the object that has a member, or 0. */
static size_t
object_len(const Parameter *parameter)
{
	const char *dot =
		is_member(parameter) && parameter->member != NULL ? strchr(parameter->member, '.') : NULL;

	return dot != NULL ? (size_t) (dot - parameter->member) : 0;
}

/* Whether a parameter is in the same object as another one. */
static bool
is_beside(const Parameter *parameter, const Parameter *other)
{
	size_t len = object_len(other);

	return object_len(parameter) == len && memcmp(parameter->member, other->member, len) == 0;
}

/*
 * Writes the members of an object, from this parameter on.  If the first is none and there is no
 * other, the object is null.  Returns the index behind them, or -1.
 */
static int
write_object(Body *body, int from)
{
	const Parameter *first = &body->invocation->command->parameters[from];
	const char *const *values = body->invocation->values;
	char name[64];
	int end = from;
	int given = 0;
	bool is_none = values[from] != NULL && is_null(first, values[from]);

	for (; is_beside(first + (end - from), first); end++)
		given += values[end] != NULL;
	if (given == 0)
		return end;
	snprintf(name, sizeof(name), "%.*s", (int) object_len(first), first->member);
	json_write_name(&body->writer, name);
	if (is_none && given == 1)
	{
		json_write_null(&body->writer);
		return end;
	}
	json_write_object_begin(&body->writer);
	for (int i = from; i < end; i++)
	{
		const Parameter *parameter = first + (i - from);

		if (values[i] == NULL)
			continue;
		json_write_name(&body->writer, strchr(parameter->member, '.') + 1);
		if (!write_value(body, parameter, values[i]))
			return -1;
	}
	json_write_object_end(&body->writer);
	return end;
}

static bool
write_member(Body *body, const Parameter *parameter, const char *value)
{
	if (value == NULL || (body->is_whole && is_null(parameter, value)))
		return true;
	json_write_name(&body->writer, parameter->member);
	return write_value(body, parameter, value);
}

static bool
has_instead(const Invocation *invocation)
{
	const Parameter *parameters = invocation->command->parameters;

	for (int i = 0; parameters[i].kind != PARAMETER_END; i++)
		if (parameters[i].send == SEND_INSTEAD && invocation->values[i] != NULL)
			return true;
	return false;
}

static bool
write_body(Request *request, Invocation *invocation)
{
	const CommandRequest *http = &invocation->command->http;
	const Parameter *parameters = invocation->command->parameters;
	Body body = {.invocation = invocation, .is_whole = strcmp(request->method, "PUT") == 0};
	bool ok = true;

	json_write_init(&body.writer, &request->body);
	json_write_object_begin(&body.writer);
	if (http->constant != NULL && !has_instead(invocation))
	{
		json_write_name(&body.writer, http->constant);
		json_write_bool(&body.writer, http->value);
	}
	for (int i = 0; ok && parameters[i].kind != PARAMETER_END;)
	{
		if (object_len(&parameters[i]) > 0)
		{
			i = write_object(&body, i);
			ok = i >= 0;
		}
		else
		{
			ok = !is_member(&parameters[i]) ||
				 write_member(&body, &parameters[i], invocation->values[i]);
			i++;
		}
	}
	json_write_object_end(&body.writer);
	request->has_body = true;
	return ok;
}

/* ---- the target ---- */

static void
append_encoded(Buffer *target, const char *text)
{
	for (const unsigned char *c = (const unsigned char *) text; *c != '\0'; c++)
		if (isascii(*c) && (isalnum(*c) || strchr("-._~", *c) != NULL))
			buffer_append_char(target, (char) *c);
		else
			buffer_printf(target, "%%%02X", *c);
}

void
request_add_query(Buffer *target, const char *name, const char *value)
{
	bool is_first = target->len == 0 || memchr(target->data, '?', target->len) == NULL;

	buffer_append_char(target, is_first ? '?' : '&');
	buffer_append_text(target, name);
	buffer_append_char(target, '=');
	append_encoded(target, value);
}

/* Reads 8-4-4-4-12 hexadecimal digits. */
static bool
read_uuid(const char *text, uint8_t uuid[WAK_UUID_LENGTH])
{
	size_t len = 0;

	if (strlen(text) != UUID_LENGTH)
		return false;
	for (size_t i = 0; i < UUID_LENGTH; i++)
	{
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		char pair[3] = {text[i], text[i + 1], '\0'};

		if (is_dash ? text[i] != '-' : strspn(pair, "0123456789abcdefABCDEF") != 2)
			return false;
		if (is_dash)
			continue;
		uuid[len++] = (uint8_t) strtoul(pair, NULL, 16);
		i++;
	}
	return true;
}

/* An id, as the REST API has it. */
static void
append_id(Buffer *target, const char *prefix, const char *text)
{
	uint8_t uuid[WAK_UUID_LENGTH];
	char id[WAK_TYPEID_MAX + 1];

	if (read_uuid(text, uuid) && wak_typeid_encode(prefix, uuid, id) == WAK_TYPEID_OK)
		text = id;
	append_encoded(target, text);
}

/* "GET /api-keys/{}", with the word in place of the braces. */
static void
write_path(Request *request, const Invocation *invocation, const char *form)
{
	const Parameter *parameters = invocation->command->parameters;
	const char *path = strchr(form, ' ') + 1;
	const char *braces = strstr(path, "{}");

	snprintf(request->method, sizeof(request->method), "%.*s", (int) (path - 1 - form), form);
	buffer_append(&request->target, path, braces != NULL ? (size_t) (braces - path) : strlen(path));
	for (int i = 0; braces != NULL && parameters[i].kind != PARAMETER_END; i++)
		if (parameters[i].send == SEND_PATH)
			append_id(&request->target, parameters[i].member, invocation->values[i]);
	if (braces != NULL)
		buffer_append_text(&request->target, braces + 2);
}

static bool
write_query(Request *request, Invocation *invocation)
{
	const Parameter *parameters = invocation->command->parameters;

	for (int i = 0; parameters[i].kind != PARAMETER_END; i++)
	{
		const char *value = invocation->values[i];
		char digits[24];
		int64_t number;

		if (value == NULL || !is_member(&parameters[i]))
			continue;
		if (parameters[i].send != SEND_TEXT)
		{
			if (!read_integer(invocation, &parameters[i], value, &number))
				return false;
			snprintf(digits, sizeof(digits), "%lld", (long long) number);
			value = digits;
		}
		request_add_query(&request->target, parameters[i].member, value);
	}
	return true;
}

/* ---- the whole ---- */

static void
init(Request *request)
{
	*request = (Request){.limit = 0};
	buffer_init(&request->target, TARGET_MAX);
	buffer_init(&request->body, BODY_MAX);
}

/* What is not sent, but says which rows are shown. */
static bool
read_rows(Request *request, Invocation *invocation)
{
	const Parameter *parameters = invocation->command->parameters;

	for (int i = 0; parameters[i].kind != PARAMETER_END; i++)
	{
		const char *value = invocation->values[i];

		if (parameters[i].send == SEND_LIMIT)
		{
			request->limit = REQUEST_LIMIT;
			if (value != NULL && (!read_number(value, &request->limit) || request->limit < 1))
				return wrong(invocation, &parameters[i], "a whole number above 0");
		}
		if (parameters[i].send == SEND_FILTER && value != NULL)
		{
			request->column = parameters[i].member;
			request->wanted = value;
		}
	}
	return true;
}

/* How many members there are, and how many of them are given. */
static int
count_members(const Invocation *invocation, int *given)
{
	const Parameter *parameters = invocation->command->parameters;
	int count = 0;

	*given = 0;
	for (int i = 0; parameters[i].kind != PARAMETER_END; i++)
	{
		if (!is_member(&parameters[i]))
			continue;
		count++;
		*given += invocation->values[i] != NULL;
	}
	return count;
}

static bool
is_sent(Invocation *invocation, const Request *request)
{
	if (!request->target.failed && !request->body.failed)
		return true;
	snprintf(invocation->problem, sizeof(invocation->problem), "the arguments are too long");
	return false;
}

bool
request_make(Request *request, Invocation *invocation)
{
	const CommandRequest *http = &invocation->command->http;
	const char *form = http->request;
	int given;
	int members = count_members(invocation, &given);
	bool ok;

	init(request);
	if (http->constant == NULL && given == 0 && strncmp(form, "PATCH", strlen("PATCH")) == 0)
	{
		snprintf(invocation->problem, sizeof(invocation->problem), "nothing is to be changed");
		return false;
	}
	if (http->change != NULL && given > 0)
	{
		form = http->change;
		if (given < members)
		{
			snprintf(invocation->problem, sizeof(invocation->problem),
					 "over HTTP, %s needs all of its options, or none", invocation->command->name);
			return false;
		}
	}
	write_path(request, invocation, form);
	ok = read_rows(request, invocation) &&
		 (strcmp(request->method, "GET") == 0 || strcmp(request->method, "DELETE") == 0
			  ? write_query(request, invocation)
			  : write_body(request, invocation));
	return ok && is_sent(invocation, request);
}

bool
request_make_show(Request *request, Invocation *invocation)
{
	init(request);
	write_path(request, invocation, invocation->command->http.show);
	return is_sent(invocation, request);
}

void
request_free(Request *request)
{
	buffer_free(&request->target);
	buffer_free(&request->body);
}
