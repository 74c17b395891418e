/*
 * route.c
 *		Patterns, split once, and compared segment by segment.
 *
 * The HTTP floor has split and decoded the path, so that a %2F within a segment is not
 * a separator here.  A few dozen rows are compared one after the other: most differ in
 * the number of segments already.
 */
#include "api/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "lib/log.h"

static bool
is_name(const HttpText *segment)
{
	return segment->len > 2 && segment->data[0] == '{';
}

/*
 * Split "/a/{b}/c"; the parts point into the pattern.
 */
static bool
split(Route *route)
{
	const char *at = route->endpoint->pattern;

	while (*at == '/')
	{
		size_t length = strcspn(++at, "/");

		if (route->segments == ROUTE_SEGMENTS_MAX)
		{
			return false;
		}
		route->pattern[route->segments++] = (HttpText){.data = at, .len = length};
		at += length;
	}
	return *at == '\0';
}

static bool
make_route(Route *route, const Endpoint *endpoint)
{
	route->endpoint = endpoint;
	route->statement = -1;
	if (endpoint->open == NULL)
	{
		route->statement = db_statement_find(API_ROLE, endpoint->statement);
	}
	if (!split(route) || (endpoint->open == NULL && route->statement < 0))
	{
		log_line(LOG_LEVEL_ERROR, "endpoint_invalid", log_text("pattern", endpoint->pattern),
				 log_text("statement", endpoint->statement));
		return false;
	}
	return true;
}

bool
routes_make(RouteTable *table, const Endpoint *const *resources)
{
	int count = 0;

	for (int i = 0; resources[i] != NULL; i++)
	{
		for (const Endpoint *row = resources[i]; row->pattern != NULL; row++)
		{
			count++;
		}
	}
	table->count = 0;
	table->routes = calloc((size_t) count + 1, sizeof(Route));
	if (table->routes == NULL)
	{
		return false;
	}
	for (int i = 0; resources[i] != NULL; i++)
	{
		for (const Endpoint *row = resources[i]; row->pattern != NULL; row++)
		{
			if (!make_route(&table->routes[table->count++], row))
			{
				return false;
			}
		}
	}
	return true;
}

void
routes_free(RouteTable *table)
{
	free(table->routes);
	table->routes = NULL;
	table->count = 0;
}

static bool
path_matches(const Route *route, const HttpRequest *request)
{
	if ((size_t) route->segments != request->n_segments)
	{
		return false;
	}
	for (int i = 0; i < route->segments; i++)
	{
		const HttpText *pattern = &route->pattern[i];
		const HttpText *segment = &request->segments[i];

		if (is_name(pattern) ? segment->len == 0
							 : pattern->len != segment->len ||
								   memcmp(pattern->data, segment->data, segment->len) != 0)
		{
			return false;
		}
	}
	return true;
}

static bool
method_matches(const Endpoint *endpoint, HttpMethod method)
{
	return endpoint->method == (method == HTTP_METHOD_HEAD ? HTTP_METHOD_GET : method);
}

RouteResult
route_find(const RouteTable *table, const HttpRequest *request, const Route **route)
{
	RouteResult result = ROUTE_NO_PATH;

	for (int i = 0; i < table->count; i++)
	{
		if (path_matches(&table->routes[i], request))
		{
			if (method_matches(table->routes[i].endpoint, request->method))
			{
				*route = &table->routes[i];
				return ROUTE_FOUND;
			}
			result = ROUTE_NO_METHOD;
		}
	}
	return result;
}

static bool
is_sibling(const Route *a, const Route *b)
{
	return a->endpoint->method == b->endpoint->method && a->endpoint->variant != NULL &&
		   strcmp(a->endpoint->pattern, b->endpoint->pattern) == 0;
}

const Route *
route_variant(const RouteTable *table, const Route *route, const char *variant, size_t length)
{
	for (int i = 0; i < table->count; i++)
	{
		const Route *other = &table->routes[i];

		if (is_sibling(other, route) && strlen(other->endpoint->variant) == length &&
			memcmp(other->endpoint->variant, variant, length) == 0)
		{
			return other;
		}
	}
	return NULL;
}

void
route_variants(const RouteTable *table, const Route *route, char *text, size_t size)
{
	size_t length = 0;

	text[0] = '\0';
	for (int i = 0; i < table->count && length < size; i++)
	{
		if (is_sibling(&table->routes[i], route))
		{
			length +=
				(size_t) snprintf(text + length, size - length, "%s%s", length == 0 ? "" : ", ",
								  table->routes[i].endpoint->variant);
		}
	}
}

void
route_allow(const RouteTable *table, const HttpRequest *request, char *text, size_t size)
{
	size_t length = 0;
	unsigned seen = 0;

	text[0] = '\0';
	for (int i = 0; i < table->count && length < size; i++)
	{
		HttpMethod method = table->routes[i].endpoint->method;

		if (path_matches(&table->routes[i], request) && (seen & 1U << method) == 0)
		{
			seen |= 1U << method;
			length += (size_t) snprintf(text + length, size - length, "%s%s%s",
										length == 0 ? "" : ", ", http_method_name(method),
										method == HTTP_METHOD_GET ? ", HEAD" : "");
		}
	}
}

const HttpText *
route_segment(const Route *route, const HttpRequest *request, const char *name)
{
	size_t length = strlen(name);

	for (int i = 0; i < route->segments; i++)
	{
		const HttpText *pattern = &route->pattern[i];

		if (is_name(pattern) && pattern->len == length + 2 &&
			memcmp(pattern->data + 1, name, length) == 0)
		{
			return &request->segments[i];
		}
	}
	return NULL;
}
