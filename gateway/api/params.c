/*
 * params.c
 *		Makes a statement's parameters from a request's path, query, header and body.
 *
 * A problem is noted and the rest is checked all the same, so that a caller can correct
 * everything at once.
 *
 * An id in the path that is malformed becomes the id of nothing (all bits zero).  The
 * statement then finds nothing, so the answer and its time are the same as for an invented
 * id and for an id of another organization.
 */
#include "api/params.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/body.h"
#include "api/cookie.h"
#include "api/cursor.h"
#include "api/sealing.h"
#include "api/upload.h"
#include "src/common/typeid.h"
#include "lib/utf8.h"

/* The most elements of an array, whatever its row says. */
#define ARRAY_MAX 256

/* The most bytes of the name of a header field that a row takes. */
#define HEADER_NAME_MAX 63

/* A number in this range is taken for a time in seconds and is refused as milliseconds. */
#define SECONDS_MIN 100000000LL
#define SECONDS_MAX 99999999999LL

/* The characters of a User-Agent that are kept; the rest is cut off. */
#define AGENT_MAX 400

/*
 * Describes what is wrong with a text.  The number of a list's element may be put in front
 * of it.
 */
typedef char TextProblem[PROBLEM_TEXT_MAX / 2];

static const uint8_t id_of_nothing[DB_UUID_SIZE];

/* ---- single values ---- */

static bool
is_choice(const Param *param, const char *text, size_t len)
{
	for (int i = 0; param->choices[i] != NULL; i++)
		if (strlen(param->choices[i]) == len && memcmp(param->choices[i], text, len) == 0)
			return true;
	return false;
}

static void
describe_choices(const Param *param, TextProblem problem)
{
	size_t len = (size_t) snprintf(problem, sizeof(TextProblem), "must be one of: ");

	for (int i = 0; param->choices[i] != NULL && len < sizeof(TextProblem); i++)
	{
		len += (size_t) snprintf(problem + len, sizeof(TextProblem) - len, "%s%s",
								 i == 0 ? "" : ", ", param->choices[i]);
	}
}

/* Whether the text breaks the bounds of its row.  If so, describes how. */
static bool
find_text_problem(const Param *param, const char *text, size_t len, TextProblem problem)
{
	int64_t characters = (int64_t) utf8_len(text, len);

	if (param->choices != NULL && !is_choice(param, text, len))
	{
		describe_choices(param, problem);
		return true;
	}
	if (param->choices == NULL && (characters < param->min || characters > param->max))
	{
		snprintf(problem, sizeof(TextProblem), "must have %lld to %lld characters",
				 (long long) param->min, (long long) param->max);
		return true;
	}
	return false;
}

/* Whether the text is within the bounds of its row.  Otherwise notes the problem. */
static bool
check_text(Call *call, const Param *param, const char *text, size_t len)
{
	TextProblem problem;

	if (find_text_problem(param, text, len, problem))
	{
		call_problem(call, param->name, "%s", problem);
		return false;
	}
	return true;
}

static bool
check_int(Call *call, const Param *param, int64_t value)
{
	if (value < param->min || value > param->max)
	{
		call_problem(call, param->name, "must be from %lld to %lld", (long long) param->min,
					 (long long) param->max);
		return false;
	}
	return true;
}

/* Reads decimal digits only, at most 15 of them: no sign, no space, no exponent. */
static bool
read_digits(const HttpText *text, int64_t *value)
{
	int64_t number = 0;

	if (text->len == 0 || text->len > 15)
		return false;
	for (size_t i = 0; i < text->len; i++)
	{
		if (text->data[i] < '0' || text->data[i] > '9')
			return false;
		number = number * 10 + (text->data[i] - '0');
	}
	*value = number;
	return true;
}

/*
 * Whether the time is in milliseconds.  Otherwise notes the problem.  A number that means a
 * time before March 1973 in milliseconds, and a year from 1973 on in seconds, was meant in
 * seconds.  Accepting it would silently use the wrong time.
 */
static bool
check_time_ms(Call *call, const Param *param, int64_t ms)
{
	if (ms < SECONDS_MIN || ms > SECONDS_MAX)
		return true;
	call_problem(call, param->name, "must be milliseconds since 1970, and %lld is in seconds",
				 (long long) ms);
	return false;
}

/* A parameter that is not given adds as many NULLs as it would add values. */
static bool
add_absent(Call *call, const Param *param)
{
	if (param->required)
		call_problem(call, param->name, "is required");
	if (param->type == PARAM_CREDENTIALS)
		return call_add_credentials(call, NULL);
	return db_param_null(call->db) && (param->type != PARAM_ID_OR_TIME || db_param_null(call->db));
}

/* ---- path, query and header ---- */

bool
call_add_path(Call *call, const Param *param)
{
	HttpText segment = route_segment(call->route, call->http, param->name);
	uint8_t uuid[DB_UUID_SIZE];

	if (param->type != PARAM_ID)
		return db_param_text(call->db, segment.data, segment.len);
	if (wak_typeid_decode(segment.data, segment.len, param->prefix, uuid) != WAK_TYPEID_OK)
		return db_param_uuid(call->db, id_of_nothing);
	return db_param_uuid(call->db, uuid);
}

static bool
add_id_or_time(Call *call, const Param *param, const HttpText *text)
{
	uint8_t uuid[DB_UUID_SIZE];
	int64_t ms;

	if (wak_typeid_decode(text->data, text->len, param->prefix, uuid) == WAK_TYPEID_OK)
		return db_param_uuid(call->db, uuid) && db_param_null(call->db);
	if (read_digits(text, &ms) && ms <= DB_TIME_MS_MAX)
	{
		call->slow |= param->slow;
		return !check_time_ms(call, param, ms) ||
			   (db_param_null(call->db) && db_param_time_ms(call->db, ms));
	}
	call_problem(call, param->name, "must be an id that begins with %s_ or milliseconds",
				 param->prefix);
	return true;
}

static bool
add_query_time(Call *call, const Param *param, const HttpText *text)
{
	int64_t ms;

	if (read_digits(text, &ms) && ms <= DB_TIME_MS_MAX)
		return !check_time_ms(call, param, ms) || db_param_time_ms(call->db, ms);
	call_problem(call, param->name, "must be milliseconds since 1970");
	return true;
}

static bool
add_query_value(Call *call, const Param *param, const HttpText *text)
{
	uint8_t uuid[DB_UUID_SIZE];
	int64_t number;

	switch (param->type)
	{
		case PARAM_TEXT:
			return !check_text(call, param, text->data, text->len) ||
				   db_param_text(call->db, text->data, text->len);
		case PARAM_ID:
			if (wak_typeid_decode(text->data, text->len, param->prefix, uuid) == WAK_TYPEID_OK)
				return db_param_uuid(call->db, uuid);
			call_problem(call, param->name, "must be an id that begins with %s_", param->prefix);
			return true;
		case PARAM_INT:
			if (!read_digits(text, &number))
			{
				call_problem(call, param->name, "must be a whole number");
				return true;
			}
			return !check_int(call, param, number) || db_param_int32(call->db, (int32_t) number);
		case PARAM_ID_OR_TIME:
			return add_id_or_time(call, param, text);
		case PARAM_BOOL:
			if (text->len == 4 && memcmp(text->data, "true", 4) == 0)
				return db_param_bool(call->db, true);
			if (text->len == 5 && memcmp(text->data, "false", 5) == 0)
				return db_param_bool(call->db, false);
			call_problem(call, param->name, "must be true or false");
			return true;
		case PARAM_TIME:
			return add_query_time(call, param, text);
		case PARAM_JSON:
		case PARAM_TEXT_ARRAY:
		case PARAM_INVITATION:
		case PARAM_CREDENTIALS:
			break;
	}
	return false;
}

/* The query parameter of that name.  Giving it twice is noted as a problem. */
static const HttpText *
query_text(Call *call, const char *name)
{
	size_t count;
	const HttpText *text = http_request_parameter(call->http, name, &count);

	if (count > 1)
		call_problem(call, name, "must be given once");
	return text;
}

static bool
add_query(Call *call, const Param *param)
{
	const HttpText *text = query_text(call, param->name);

	if (text == NULL)
		return add_absent(call, param);
	call->slow |= param->slow && param->type != PARAM_ID_OR_TIME;
	return add_query_value(call, param, text);
}

/*
 * Header fields have no declared encoding, so only characters that are the same in all of
 * them are accepted.
 */
static bool
is_printable(const HttpText *text)
{
	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] < ' ' || text->data[i] > '~')
			return false;
	return true;
}

/* The row has the name as it is shown in the documentation; requests have it in lower case. */
static const HttpText *
header_text(const HttpRequest *request, const char *name, size_t *count)
{
	char lower[HEADER_NAME_MAX + 1];
	size_t len = 0;

	for (; len < HEADER_NAME_MAX && name[len] != '\0'; len++)
		lower[len] = (char) tolower((unsigned char) name[len]);
	lower[len] = '\0';
	return http_request_header(request, lower, count);
}

static bool
add_header(Call *call, const Param *param)
{
	size_t count;
	const HttpText *text = header_text(call->http, param->name, &count);

	if (text == NULL)
		return add_absent(call, param);
	if (count > 1)
	{
		call_problem(call, param->name, "must be given once");
		return true;
	}
	if (!is_printable(text) || (int64_t) text->len < param->min || (int64_t) text->len > param->max)
	{
		call_problem(call, param->name, "must be %lld to %lld printable characters",
					 (long long) param->min, (long long) param->max);
		return true;
	}
	return db_param_text(call->db, text->data, text->len);
}

/* An unknown address becomes NULL: it is not the client's fault if a proxy hides it. */
static bool
add_client(Call *call)
{
	char room[HTTP_CLIENT_MAX];
	HttpText client = http_request_client(call->http, room);

	return db_param_text(call->db, client.data, client.len);
}

const HttpText *
call_agent(const HttpRequest *request)
{
	const HttpText *agent = http_request_header(request, "user-agent", NULL);

	return agent == NULL || agent->len == 0 || !is_printable(agent) ? NULL : agent;
}

static bool
add_agent(Call *call)
{
	const HttpText *agent = call_agent(call->http);

	if (agent == NULL)
		return db_param_null(call->db);
	return db_param_text(call->db, agent->data, agent->len < AGENT_MAX ? agent->len : AGENT_MAX);
}

static bool
add_device(Call *call)
{
	Credential cookie;

	return cookie_find(call->http, COOKIE_DEVICE, &cookie)
			   ? db_param_text(call->db, cookie.text, cookie.len)
			   : db_param_null(call->db);
}

static bool
add_limit(Call *call)
{
	const HttpText *text = query_text(call, "limit");
	int64_t limit = LIST_LIMIT_DEFAULT;

	if (text != NULL && (!read_digits(text, &limit) || limit < 1 || limit > LIST_LIMIT_MAX))
	{
		call_problem(call, "limit", "must be a whole number from 1 to %d", LIST_LIMIT_MAX);
		return true;
	}
	call->limit = (int) limit;
	return db_param_int32(call->db, call->limit + 1);
}

static bool
add_cursor(Call *call)
{
	const HttpText *text = query_text(call, "cursor");

	if (cursor_read(text, call->route->endpoint, call->http, call->db))
		return true;
	call_problem(call, "cursor", "is not a cursor of this list");
	return text != NULL;
}

/* ---- body members ---- */

/*
 * An element is refused like a single value, under the name of its list.  The description
 * begins with the element's number.
 */
static bool
read_element(Call *call, const Param *param, size_t place, const JsonValue *value,
			 const char **text, size_t *len)
{
	TextProblem problem;

	if (!json_read_string(value, text, len))
	{
		call_problem(call, param->name, "%s[%zu] must be a string", param->name, place);
		return false;
	}
	if (find_text_problem(param, *text, *len, problem))
	{
		call_problem(call, param->name, "%s[%zu] %s", param->name, place, problem);
		return false;
	}
	return true;
}

static bool
add_body_array(Call *call, const Param *param, const JsonValue *value)
{
	const char *texts[ARRAY_MAX];
	size_t lengths[ARRAY_MAX];
	size_t count = json_read_count(value);

	if (json_read_kind(value) != JSON_KIND_ARRAY)
	{
		call_problem(call, param->name, "must be an array of strings");
		return true;
	}
	if (count > (size_t) param->max_items || count > ARRAY_MAX)
	{
		call_problem(call, param->name, "must have at most %d elements", param->max_items);
		return true;
	}
	for (size_t i = 0; i < count; i++)
		if (!read_element(call, param, i, json_read_element(value, i), &texts[i], &lengths[i]))
			return true;
	return db_param_text_array(call->db, texts, lengths, (int) count);
}

static bool
add_body_text(Call *call, const Param *param, const JsonValue *value)
{
	uint8_t uuid[DB_UUID_SIZE];
	const char *text;
	size_t len;

	if (!json_read_string(value, &text, &len))
	{
		call_problem(call, param->name, "must be a string");
		return true;
	}
	if (param->type == PARAM_TEXT)
		return !check_text(call, param, text, len) || db_param_text(call->db, text, len);
	if (wak_typeid_decode(text, len, param->prefix, uuid) != WAK_TYPEID_OK)
	{
		call_problem(call, param->name, "must be an id that begins with %s_", param->prefix);
		return true;
	}
	return db_param_uuid(call->db, uuid);
}

/*
 * A text that cannot be an invitation's secret is treated like a secret that was never
 * given out.
 */
static bool
add_body_invitation(Call *call, const Param *param, const JsonValue *value)
{
	const char *text;
	size_t len;
	WakKind kind;

	if (!json_read_string(value, &text, &len))
	{
		call_problem(call, param->name, "must be a string");
		return true;
	}
	if (wak_check(text, len, &kind) != WAK_OK || kind != WAK_INVITATION)
		return db_param_null(call->db);
	return db_param_text(call->db, text, len);
}

/*
 * A null in the body removes the current value.  A parameter that is NULL would keep it, so
 * the statement gets a value that no request can send otherwise: the empty text, no time,
 * the id of nothing, a list of one empty text, or the jsonb null.
 */
static bool
add_cleared(Call *call, const Param *param, const JsonValue *value)
{
	switch (param->type)
	{
		case PARAM_TEXT:
			return db_param_text(call->db, "", 0);
		case PARAM_ID:
			return db_param_uuid(call->db, id_of_nothing);
		case PARAM_TIME:
			return db_param_time_none(call->db);
		case PARAM_TEXT_ARRAY:
			return db_param_text_array(call->db, &(const char *){""}, &(size_t){0}, 1);
		default:
			return call_add_body_json(call, param->name, value);
	}
}

static bool
add_body(Call *call, const Param *param)
{
	const JsonValue *value = json_read_member(call->body, param->name);
	int64_t number;
	bool truth;

	if (value == NULL)
		return add_absent(call, param);
	if (param->clearable && json_read_kind(value) == JSON_KIND_NULL)
		return add_cleared(call, param, value);
	switch (param->type)
	{
		case PARAM_TEXT:
		case PARAM_ID:
			return add_body_text(call, param, value);
		case PARAM_BOOL:
			if (json_read_bool(value, &truth))
				return db_param_bool(call->db, truth);
			call_problem(call, param->name, "must be true or false");
			return true;
		case PARAM_INT:
			if (!json_read_int64(value, &number))
			{
				call_problem(call, param->name, "must be a whole number");
				return true;
			}
			return !check_int(call, param, number) || db_param_int32(call->db, (int32_t) number);
		case PARAM_TIME:
			if (json_read_int64(value, &number) && number >= 0 && number <= DB_TIME_MS_MAX)
				return !check_time_ms(call, param, number) || db_param_time_ms(call->db, number);
			call_problem(call, param->name, "must be milliseconds since 1970");
			return true;
		case PARAM_JSON:
			return call_add_body_json(call, param->name, value);
		case PARAM_TEXT_ARRAY:
			return add_body_array(call, param, value);
		case PARAM_INVITATION:
			return add_body_invitation(call, param, value);
		case PARAM_CREDENTIALS:
			return call_add_credentials(call, value);
		case PARAM_ID_OR_TIME:
			break;
	}
	return false;
}

/* ---- all of them ---- */

static bool
takes_parameter(const Endpoint *endpoint, const char *name)
{
	for (const Param *param = endpoint->params; param->source != PARAM_END; param++)
		if ((param->source == PARAM_QUERY && strcmp(param->name, name) == 0) ||
			(param->source == PARAM_LIMIT && strcmp(name, "limit") == 0) ||
			(param->source == PARAM_CURSOR && strcmp(name, "cursor") == 0))
			return true;
	return false;
}

/*
 * Unknown query parameters are refused: a misspelt filter would otherwise return a list
 * that is not filtered, and nobody would notice.
 */
void
call_check_query(Call *call)
{
	const HttpRequest *request = call->http;

	for (size_t i = 0; i < request->n_parameters; i++)
		if (!takes_parameter(call->route->endpoint, request->parameters[i].name.data))
			call_problem_unknown(call, request->parameters[i].name.data);
}

static bool
add_param(Call *call, const Param *param)
{
	switch (param->source)
	{
		case PARAM_PATH:
			return call_add_path(call, param);
		case PARAM_QUERY:
			return add_query(call, param);
		case PARAM_BODY:
			return add_body(call, param);
		case PARAM_HEADER:
			return add_header(call, param);
		case PARAM_BODY_REST:
			return call_add_body_rest(call);
		case PARAM_BODY_CREDENTIALS:
			return call_add_credentials(call, call->body);
		case PARAM_UPLOAD_DIGEST:
		case PARAM_UPLOAD_SIZE:
		case PARAM_UPLOAD_TYPE:
		case PARAM_UPLOAD_NAME:
		case PARAM_UPLOAD_BEGUN:
			return call_add_upload(call, param->source);
		case PARAM_BODY_RAW:
			return db_param_bytes(call->db, call->http->body.data, call->http->body.len);
		case PARAM_FIXED:
			return db_param_text(call->db, param->fixed, strlen(param->fixed));
		case PARAM_COOKIE:
			return db_param_text(call->db, call->credential.text, call->credential.len);
		case PARAM_DEVICE:
			return add_device(call);
		case PARAM_CLIENT:
			return add_client(call);
		case PARAM_AGENT:
			return add_agent(call);
		case PARAM_CURSOR:
			return add_cursor(call);
		case PARAM_LIMIT:
			return add_limit(call);
		case PARAM_END:
			break;
	}
	return false;
}

bool
call_add_params(Call *call)
{
	const Param *params = call->route->endpoint->params;
	bool ok = true;

	call_check_query(call);
	for (int i = 0; ok && params[i].source != PARAM_END; i++)
		ok = add_param(call, &params[i]);
	return ok;
}
