/*
 * body.c
 *		A request's body: is it JSON, which variant is it, and are its members known?
 *
 * Members that no row knows are refused and not passed over: a misspelt "replyTo" would
 * otherwise be a message without its quote, and nobody would notice.
 */
#include "api/call.h"

#include <string.h>
#include <strings.h>

#include "lib/utf8.h"

/*
 * "application/json", with parameters or without; a charset, if any, is UTF-8.
 */
static bool
is_json(const HttpText *type)
{
	static const char json[] = "application/json";
	size_t length = sizeof(json) - 1;

	if (type == NULL || type->len < length || strncasecmp(type->data, json, length) != 0)
	{
		return false;
	}
	return type->len == length || strchr("; \t", type->data[length]) != NULL;
}

static bool
takes_body(const Endpoint *endpoint)
{
	for (const Param *param = endpoint->params; param->source != PARAM_END; param++)
	{
		if (param->source == PARAM_BODY)
		{
			return true;
		}
	}
	return false;
}

/*
 * Go on with the row of the variant that the body names.
 */
static bool
choose_variant(Call *call, const RouteTable *table)
{
	const char *field = call->route->endpoint->variant_field;
	const JsonValue *value = json_read_member(call->body, field);
	const Route *route = NULL;
	char variants[PROBLEM_TEXT_MAX / 2];
	const char *text;
	size_t length;

	if (json_read_string(value, &text, &length))
	{
		route = route_variant(table, call->route, text, length);
	}
	if (route != NULL)
	{
		call->route = route;
		return true;
	}
	route_variants(table, call->route, variants, sizeof(variants));
	call_problem(call, field, "must be one of: %s", variants);
	return false;
}

static bool
is_known_member(const Endpoint *endpoint, const char *name)
{
	if (endpoint->variant_field != NULL && strcmp(endpoint->variant_field, name) == 0)
	{
		return true;
	}
	for (const Param *param = endpoint->params; param->source != PARAM_END; param++)
	{
		if (param->source == PARAM_BODY && strcmp(param->name, name) == 0)
		{
			return true;
		}
	}
	return false;
}

static void
refuse_unknown_members(Call *call)
{
	void *position = NULL;
	const char *name;
	JsonValue *value;

	while (json_read_next_member(call->body, &position, &name, &value))
	{
		if (!is_known_member(call->route->endpoint, name))
		{
			/* Cut, but never within a character. */
			size_t length = strlen(name);
			char shown[PROBLEM_NAME_MAX + 1];

			length = length < PROBLEM_NAME_MAX ? length : PROBLEM_NAME_MAX;
			while (length > 0 && !utf8_valid(name, length))
			{
				length--;
			}
			memcpy(shown, name, length);
			shown[length] = '\0';
			call_problem(call, shown, "is not known here");
		}
	}
}

bool
call_read_body(Call *call, const RouteTable *table)
{
	const HttpText *text = &call->http->body;
	JsonReadError error;

	if (!takes_body(call->route->endpoint))
	{
		return true;
	}
	if (text->len > 0)
	{
		if (!is_json(http_request_header(call->http, "content-type", NULL)))
		{
			call_refuse(call, HTTP_ERROR_UNSUPPORTED_MEDIA_TYPE,
						"the body has to be sent as application/json");
			return false;
		}
		call->body = json_read(text->data, text->len, &error);
		if (call->body == NULL || json_read_kind(call->body) != JSON_KIND_OBJECT)
		{
			call_problem(call, "body", "%s",
						 call->body == NULL ? error.message : "must be a JSON object");
			return false;
		}
	}
	/* No body at all is an object without members. */
	if (call->route->endpoint->variant_field != NULL && !choose_variant(call, table))
	{
		return false;
	}
	refuse_unknown_members(call);
	return true;
}
