/*
 * endpoint_check.c
 *		Checks the rows of endpoints for what the code relies on.
 *
 * Each function checks one property.  It returns what is wrong, or NULL.
 */
#include "api/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "api/sealing.h"
#include "db/db.h"

/* The most bytes of "{name}". */
#define BRACED_MAX 64

static bool
pattern_has_name(const char *pattern, const char *name)
{
	char braced[BRACED_MAX];
	int len = snprintf(braced, sizeof(braced), "/{%s}", name);

	return len < (int) sizeof(braced) && strstr(pattern, braced) != NULL;
}

static int
count_params(const Param *params)
{
	int count = 0;

	while (count <= ENDPOINT_PARAMS_MAX && params[count].source != PARAM_END)
		count++;
	return count;
}

static int
count_columns(const Column *columns)
{
	int count = 0;

	while (count <= ENDPOINT_COLUMNS_MAX && columns[count].type != COLUMN_END)
		count++;
	return count;
}

static int
count_cursor_parts(const Endpoint *endpoint)
{
	int count = 0;

	for (int i = 0; i < ENDPOINT_CURSOR_MAX; i++)
		count += endpoint->cursor[i].type != CURSOR_NONE ? 1 : 0;
	return count;
}

/* The number of the statement's parameters that this parameter fills. */
static int
width_of(const Endpoint *endpoint, const Param *param)
{
	if (param->source == PARAM_CURSOR)
		return count_cursor_parts(endpoint);
	if (param->source == PARAM_BODY_CREDENTIALS || param->type == PARAM_CREDENTIALS)
		return SEALING_WIDTH;
	return param->type == PARAM_ID_OR_TIME ? 2 : 1;
}

static const char *
param_problem(const Endpoint *endpoint, const Param *param)
{
	bool has_prefix = param->type == PARAM_ID || param->type == PARAM_ID_OR_TIME;
	bool has_name =
		param->source == PARAM_PATH || param->source == PARAM_QUERY || param->source == PARAM_BODY;

	if (!has_name)
		return NULL;
	if (param->name == NULL)
		return "a parameter has no name";
	if (param->source == PARAM_PATH && !pattern_has_name(endpoint->pattern, param->name))
		return "the pattern lacks a parameter of the path";
	if (param->source == PARAM_PATH && param->type != PARAM_ID && param->type != PARAM_TEXT)
		return "a parameter of the path is neither an id nor a text";
	if (has_prefix && param->prefix == NULL)
		return "an id has no prefix";
	if (param->type == PARAM_TEXT_ARRAY && param->source != PARAM_BODY)
		return "an array is not in the body";
	if (param->type == PARAM_CREDENTIALS && param->source != PARAM_BODY)
		return "credentials are not in the body";
	return param->type == PARAM_ID_OR_TIME && param->source != PARAM_QUERY
			   ? "an id or time is not in the query"
			   : NULL;
}

/*
 * A row whose statement takes a cookie that its door does not ask for would pass NULL, and
 * only the statement would decide whether that opens something.
 */
static const char *
door_problem(const Endpoint *endpoint)
{
	bool takes_cookie = false;

	for (const Param *param = endpoint->params; param->source != PARAM_END; param++)
		takes_cookie |= param->source == PARAM_COOKIE;
	if (takes_cookie != (endpoint->door == DOOR_COOKIE))
		return "the statement and the door do not both take the cookie";
	return endpoint->door != DOOR_CREDENTIAL && (endpoint->needs != NULL || endpoint->people)
			   ? "a permission is needed where no credential is asked for"
			   : NULL;
}

/* The most bytes of one character: two escapes \\uXXXX. */
#define CHARACTER_BYTES 12

/* Bytes for the name of a member, its quotation marks and its separators. */
#define MEMBER_BYTES 64

/*
 * The most bytes that a valid member of the body has.  Bounds that only the database knows
 * are not included.
 */
static size_t
member_bytes(const Param *param)
{
	size_t items = param->max_items > 0 ? (size_t) param->max_items : 1;
	bool is_text = param->type == PARAM_TEXT || param->type == PARAM_TEXT_ARRAY;

	if (param->type == PARAM_CREDENTIALS)
		return SEALING_FIELDS * (size_t) MEMBER_BYTES + (size_t) SEALING_TEXT_MAX * CHARACTER_BYTES;
	return MEMBER_BYTES + (is_text ? items * ((size_t) param->max * CHARACTER_BYTES + 3) : 0);
}

static const char *
body_problem(const Endpoint *endpoint)
{
	size_t bytes = 0;

	for (const Param *param = endpoint->params; param->source != PARAM_END; param++)
		bytes += param->source == PARAM_BODY ? member_bytes(param) : 0;
	if (endpoint->body_max > HTTP_BODY_MAX)
		return "the body may be larger than any that is read";
	return bytes > endpoint_body_max(endpoint) ? "a body that is right may be too large" : NULL;
}

static const char *
params_problem(const Endpoint *endpoint)
{
	const char *problem = NULL;
	int count = endpoint->params == NULL ? 0 : count_params(endpoint->params);
	int width = 0;

	if (endpoint->params == NULL || count > ENDPOINT_PARAMS_MAX)
		return "there is no list of parameters, or it is too long";
	for (int i = 0; i < count && problem == NULL; i++)
	{
		problem = param_problem(endpoint, &endpoint->params[i]);
		width += width_of(endpoint, &endpoint->params[i]);
	}
	return problem == NULL && width > DB_PARAMS_MAX ? "the statement has too many parameters"
													: problem;
}

static const char *
columns_problem(const Endpoint *endpoint)
{
	int count = endpoint->columns == NULL ? 0 : count_columns(endpoint->columns);

	if (count > ENDPOINT_COLUMNS_MAX)
		return "there are too many columns";
	for (int i = 0; i < count; i++)
		if (endpoint->columns[i].name == NULL || endpoint->columns[i].column == NULL ||
			(endpoint->columns[i].type == COLUMN_ID && endpoint->columns[i].prefix == NULL))
			return "a column has no name, or an id no prefix";
	for (int i = 0; i < ENDPOINT_CURSOR_MAX; i++)
		if (endpoint->cursor[i].type != CURSOR_NONE && endpoint->cursor[i].column == NULL)
			return "a part of the cursor has no column";
	return (endpoint->flag_status != 0) != (endpoint->flag != NULL)
			   ? "a second status has no column, or a column no status"
			   : NULL;
}

const char *
endpoint_problem(const Endpoint *endpoint)
{
	const char *problem;

	if (endpoint->open != NULL)
		return NULL;
	if (endpoint->statement == NULL || endpoint->status == 0)
		return "there is no statement or no status";
	if ((endpoint->answer == ANSWER_LIST_JSON || endpoint->answer == ANSWER_JSON) !=
		(endpoint->item != NULL))
		return "there is no item, or one that nothing shows";
	problem = params_problem(endpoint);
	problem = problem != NULL ? problem : door_problem(endpoint);
	problem = problem != NULL ? problem : body_problem(endpoint);
	return problem != NULL ? problem : columns_problem(endpoint);
}
