/*
 * describe.c
 *		The table of endpoints as JSON: what "wa-gateway --endpoints" prints.
 *
 * Tests are made from it, and the OpenAPI document is held against it, so that no row can
 * be forgotten in either.  It says what the rows say and nothing else.
 */
#include "api/api.h"
#include "api/endpoint.h"
#include "lib/json_write.h"

static const char *const source_names[] = {
	[PARAM_PATH] = "path", [PARAM_QUERY] = "query",  [PARAM_HEADER] = "header",
	[PARAM_BODY] = "body", [PARAM_BODY_REST] = NULL, [PARAM_FIXED] = NULL,
	[PARAM_COOKIE] = NULL, [PARAM_DEVICE] = NULL,    [PARAM_CLIENT] = NULL,
	[PARAM_AGENT] = NULL,  [PARAM_CURSOR] = NULL,    [PARAM_LIMIT] = NULL,
};

static const char *const param_types[] = {
	[PARAM_TEXT] = "text",
	[PARAM_ID] = "id",
	[PARAM_BOOL] = "boolean",
	[PARAM_INT] = "integer",
	[PARAM_TIME] = "time",
	[PARAM_JSON] = "json",
	[PARAM_TEXT_ARRAY] = "textArray",
	[PARAM_ID_OR_TIME] = "idOrTime",
	[PARAM_INVITATION] = "invitation",
};

static const char *const column_types[] = {
	[COLUMN_ID] = "id",
	[COLUMN_TEXT] = "text",
	[COLUMN_INT] = "integer",
	[COLUMN_BOOL] = "boolean",
	[COLUMN_TIME] = "time",
	[COLUMN_JSON] = "json",
	[COLUMN_TEXT_ARRAY] = "textArray",
};

static const char *const door_names[] = {
	[DOOR_CREDENTIAL] = "credential",
	[DOOR_COOKIE] = "cookie",
	[DOOR_OWN_PAGES] = "ownPages",
};

static const char *const lane_names[] = {
	[DB_LANE_FAST] = "fast",
	[DB_LANE_SLOW] = "slow",
	[DB_LANE_COSTLY] = "costly",
};

static const char *const answer_names[] = {
	[ANSWER_ONE] = "one",        [ANSWER_LIST] = "list", [ANSWER_LIST_IN] = "list",
	[ANSWER_LIST_JSON] = "list", [ANSWER_NONE] = "none",
};

static void
write_text(JsonWriter *writer, const char *name, const char *text)
{
	json_write_name(writer, name);
	json_write_text(writer, text);
}

static void
write_number(JsonWriter *writer, const char *name, int64_t number)
{
	json_write_name(writer, name);
	json_write_int64(writer, number);
}

static void
write_truth(JsonWriter *writer, const char *name, bool truth)
{
	json_write_name(writer, name);
	json_write_bool(writer, truth);
}

/*
 * Bounds stand for characters of a text, or of each text of an array.
 */
static void
write_bounds(JsonWriter *writer, const Param *param)
{
	if (param->prefix != NULL)
		write_text(writer, "prefix", param->prefix);
	if (param->max > 0)
	{
		write_number(writer, "min", param->min);
		write_number(writer, "max", param->max);
	}
	if (param->max_items > 0)
		write_number(writer, "maxItems", param->max_items);
	if (param->choices != NULL)
	{
		json_write_name(writer, "choices");
		json_write_array_begin(writer);
		for (int i = 0; param->choices[i] != NULL; i++)
			json_write_text(writer, param->choices[i]);
		json_write_array_end(writer);
	}
}

static void
write_param(JsonWriter *writer, const Param *param)
{
	json_write_object_begin(writer);
	write_text(writer, "name", param->name);
	write_text(writer, "in", source_names[param->source]);
	write_text(writer, "type", param_types[param->type]);
	write_truth(writer, "required", param->required || param->source == PARAM_PATH);
	write_truth(writer, "clearable", param->clearable);
	write_bounds(writer, param);
	json_write_object_end(writer);
}

static void
write_page_param(JsonWriter *writer, const Param *param)
{
	bool limit = param->source == PARAM_LIMIT;

	json_write_object_begin(writer);
	write_text(writer, "name", limit ? "limit" : "cursor");
	write_text(writer, "in", "query");
	write_text(writer, "type", limit ? "integer" : "cursor");
	write_truth(writer, "required", false);
	if (limit)
	{
		write_number(writer, "min", 1);
		write_number(writer, "max", LIST_LIMIT_MAX);
		write_number(writer, "default", LIST_LIMIT_DEFAULT);
	}
	json_write_object_end(writer);
}

/*
 * What a caller sends; "bodyRest": further members of the body, which the database checks.
 */
static void
write_params(JsonWriter *writer, const Endpoint *endpoint)
{
	bool rest = false;

	json_write_name(writer, "parameters");
	json_write_array_begin(writer);
	for (const Param *param = endpoint->params; param->source != PARAM_END; param++)
	{
		rest = rest || param->source == PARAM_BODY_REST;
		if (param->source == PARAM_LIMIT || param->source == PARAM_CURSOR)
			write_page_param(writer, param);
		else if (source_names[param->source] != NULL)
			write_param(writer, param);
	}
	json_write_array_end(writer);
	write_truth(writer, "bodyRest", rest);
	if (endpoint_takes_body(endpoint))
		write_number(writer, "bodyMax", (int64_t) endpoint_body_max(endpoint));
}

static void
write_columns(JsonWriter *writer, const Endpoint *endpoint)
{
	const Column *columns = endpoint->item != NULL ? endpoint->item : endpoint->columns;

	json_write_name(writer, "columns");
	json_write_array_begin(writer);
	for (const Column *column = columns; column != NULL && column->type != COLUMN_END; column++)
	{
		if (column->type != COLUMN_HIDDEN && column->type != COLUMN_COOKIE &&
			column->type != COLUMN_DEVICE)
		{
			json_write_object_begin(writer);
			write_text(writer, "name", column->name);
			write_text(writer, "type", column_types[column->type]);
			if (column->prefix != NULL)
				write_text(writer, "prefix", column->prefix);
			json_write_object_end(writer);
		}
	}
	json_write_array_end(writer);
}

static void
write_access(JsonWriter *writer, const Endpoint *endpoint)
{
	json_write_name(writer, "needs");
	if (endpoint->needs == NULL)
		json_write_null(writer);
	else
		json_write_text(writer, endpoint->needs);
	write_text(writer, "door", door_names[endpoint->door]);
	write_truth(writer, "people", endpoint->people);
	write_truth(writer, "mayRefuse",
				endpoint->door != DOOR_OWN_PAGES || endpoint->unauthorized != NULL);
	write_text(writer, "statement", endpoint->statement);
	write_text(writer, "lane", lane_names[endpoint->lane]);
}

static void
write_endpoint(JsonWriter *writer, const Endpoint *endpoint)
{
	json_write_object_begin(writer);
	write_text(writer, "method", http_method_name(endpoint->method));
	write_text(writer, "pattern", endpoint->pattern);
	write_truth(writer, "open", endpoint->open != NULL);
	if (endpoint->open != NULL && endpoint->needs != NULL)
		write_text(writer, "needs", endpoint->needs);
	if (endpoint->open == NULL)
	{
		write_access(writer, endpoint);
		write_params(writer, endpoint);
		write_number(writer, "status", endpoint->status);
		if (endpoint->flag_status != 0)
		{
			write_number(writer, "flagStatus", endpoint->flag_status);
			write_text(writer, "flag", endpoint->columns[endpoint->flag_column].name);
		}
		write_text(writer, "answer", answer_names[endpoint->answer]);
		write_columns(writer, endpoint);
	}
	json_write_object_end(writer);
}

bool
api_print_endpoints(Buffer *out)
{
	JsonWriter writer;

	json_write_init(&writer, out);
	json_write_array_begin(&writer);
	for (int i = 0; endpoint_resources[i] != NULL; i++)
		for (const Endpoint *row = endpoint_resources[i]; row->pattern != NULL; row++)
			write_endpoint(&writer, row);
	json_write_array_end(&writer);
	return json_write_done(&writer);
}
