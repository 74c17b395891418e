/*
 * body.c
 *		Reads a request's body: is it JSON, and does the endpoint know its members?
 *
 * Members that the endpoint's row does not name are refused, not ignored: with a misspelt
 * "replyTo" a message would otherwise be sent without its quote, and nobody would notice.
 * A row that hands the rest of the body to the database leaves this check to the database.
 */
#include "api/body.h"

#include <string.h>
#include <strings.h>

#include "api/attachment.h"
#include "lib/json_write.h"

/*
 * Bytes of a JSON value that is sent to the database; less than all parameters together may
 * have.
 */
#define BODY_JSON_MAX (DB_PARAM_BYTES_MAX - 256 * 1024)

/* RFC 9110, 15.5.16: this header says that the coding was wrong and not the type. */
static const HttpHeader plain_bodies_only = {.name = "Accept-Encoding", .value = "identity"};

/*
 * Accepts "application/json" with or without parameters.  A charset, if there is one, must
 * be UTF-8.
 */
static bool
is_json(const HttpText *type)
{
	static const char json[] = "application/json";
	size_t len = sizeof(json) - 1;

	if (type == NULL || type->len < len || strncasecmp(type->data, json, len) != 0)
		return false;
	return type->len == len || strchr("; \t", type->data[len]) != NULL;
}

/* An endpoint that is a function of ours has no parameters. */
static bool
takes_from(const Endpoint *endpoint, ParamSource source)
{
	if (endpoint->open != NULL)
		return false;
	for (const Param *param = endpoint->params; param->source != PARAM_END; param++)
		if (param->source == source)
			return true;
	return false;
}

bool
endpoint_takes_body(const Endpoint *endpoint)
{
	return takes_from(endpoint, PARAM_BODY) || takes_from(endpoint, PARAM_BODY_REST) ||
		   takes_from(endpoint, PARAM_BODY_RAW) || takes_from(endpoint, PARAM_BODY_CREDENTIALS);
}

bool
endpoint_takes_upload(const Endpoint *endpoint)
{
	return takes_from(endpoint, PARAM_UPLOAD_DIGEST);
}

size_t
endpoint_body_max(const Endpoint *endpoint)
{
	return endpoint->body_max > 0 ? endpoint->body_max : BODY_USUAL;
}

static bool
is_known_member(const Endpoint *endpoint, const char *name)
{
	for (const Param *param = endpoint->params; param->source != PARAM_END; param++)
		if (param->source == PARAM_BODY && strcmp(param->name, name) == 0)
			return true;
	return false;
}

static void
refuse_unknown_members(Call *call)
{
	void *position = NULL;
	const char *name;
	JsonValue *value;

	while (json_read_next_member(call->body, &position, &name, &value))
		if (!is_known_member(call->route->endpoint, name))
			call_problem_unknown(call, name);
}

/*
 * Whether the body is not compressed or otherwise encoded.  The coding "identity" means
 * that it is not.
 */
static bool
is_plain(const HttpRequest *request)
{
	size_t count;
	const HttpText *coding = http_request_header(request, "content-encoding", &count);

	return coding == NULL || (count == 1 && strcasecmp(coding->data, "identity") == 0);
}

void
call_check_plain(Call *call)
{
	if (is_plain(call->http))
		return;
	call_refuse(call, HTTP_ERROR_UNSUPPORTED_MEDIA_TYPE,
				"the body has to be sent without a Content-Encoding, not compressed");
	call->refusal_header = &plain_bodies_only;
}

/* Notes the problem with the place of the last character that could be read. */
static void
json_problem(Call *call, const JsonReadError *error)
{
	if (error->line == 0)
	{
		call_problem(call, "body", "%s", error->message);
		return;
	}
	call_problem(call, "body", "%s, at line %d, column %d", error->message, error->line,
				 error->column);
}

bool
call_read_body(Call *call)
{
	const HttpText *text = &call->http->body;
	JsonReadError error;

	if (!endpoint_takes_body(call->route->endpoint) || call->body != NULL)
		return true;
	if (text->len > 0)
	{
		call_check_plain(call);
		if (call->refused)
			return false;
		if (!is_json(http_request_header(call->http, "content-type", NULL)))
		{
			call_refuse(call, HTTP_ERROR_UNSUPPORTED_MEDIA_TYPE,
						"the body has to be sent as application/json");
			return false;
		}
		if (takes_from(call->route->endpoint, PARAM_BODY_RAW))
			return true;
		call->body = json_read(text->data, text->len, &error);
		if (call->body == NULL)
		{
			json_problem(call, &error);
			return false;
		}
		if (json_read_kind(call->body) != JSON_KIND_OBJECT)
		{
			call_problem(call, "body", "must be a JSON object");
			return false;
		}
	}
	/* A missing body counts as an object without members. */
	if (!takes_from(call->route->endpoint, PARAM_BODY_REST) &&
		!takes_from(call->route->endpoint, PARAM_BODY_CREDENTIALS))
		refuse_unknown_members(call);
	return true;
}

/*
 * The value can be too large here although the body was not: numbers may become longer when
 * they are printed again.
 */
static bool
add_printed(Call *call, const char *name, const Buffer *json, bool printed)
{
	if (!printed)
	{
		call_problem(call, name, "is too large");
		return true;
	}
	return db_param_jsonb(call->db, json->data, json->len);
}

bool
call_add_body_json(Call *call, const char *name, const JsonValue *value)
{
	Buffer json;
	bool ok;

	buffer_init(&json, BODY_JSON_MAX);
	ok = json_read_print(value, &json);
	ok = add_printed(call, name, &json, ok);
	buffer_free(&json);
	return ok;
}

/*
 * Writes a member's value to the writer's buffer.  The empty raw value only tells the writer of
 * it, since the value is printed beside it.
 */
static void
add_rest_value(const Call *call, const char *name, const JsonValue *value, JsonWriter *writer,
			   Buffer *json)
{
	if (call_is_attachment_stored(call, name))
		call_write_attachment(call, writer);
	else
	{
		json_write_raw(writer, "", 0);
		json_read_print(value, json);
	}
}

bool
call_add_body_rest(Call *call)
{
	void *position = NULL;
	const char *name;
	JsonValue *value;
	Buffer json;
	JsonWriter writer;
	bool ok;

	buffer_init(&json, BODY_JSON_MAX);
	json_write_init(&writer, &json);
	json_write_object_begin(&writer);
	while (json_read_next_member(call->body, &position, &name, &value))
	{
		if (!is_known_member(call->route->endpoint, name))
		{
			json_write_name(&writer, name);
			add_rest_value(call, name, value, &writer, &json);
		}
	}
	json_write_object_end(&writer);
	ok = add_printed(call, "body", &json, json_write_done(&writer));
	buffer_free(&json);
	return ok;
}
