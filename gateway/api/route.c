/*
 * route.c
 *		Splits the patterns once and compares them with paths segment by segment.
 *
 * The HTTP code has split and decoded the path already, so a %2F within a segment is not a
 * separator here.  The few dozen rows are compared one after the other; most differ in the
 * number of segments already.  Every row is compared, since a later one may match better.
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

/* Splits "/a/{b}/c".  The parts point into the pattern.  "/" has no parts. */
static bool
split(Route *route)
{
	const char *at = route->endpoint->pattern;

	if (strcmp(at, "/") == 0)
		return true;
	while (*at == '/')
	{
		size_t len = strcspn(++at, "/");

		if (route->segments == ROUTE_SEGMENTS_MAX)
			return false;
		route->pattern[route->segments++] = (HttpText){.data = at, .len = len};
		at += len;
	}
	return *at == '\0';
}

/*
 * Quotes the names of the columns once, instead of in every row of every answer.  They
 * consist of plain letters, and are stored behind the array.
 */
static bool
quote_names(Route *route)
{
	const Column *columns = route->endpoint->columns;
	size_t count = 0;
	size_t bytes = 0;
	char *at;

	for (; columns != NULL && columns[count].type != COLUMN_END; count++)
		bytes += strlen(columns[count].name) + sizeof("\"\":");
	route->names = malloc(count * sizeof(HttpText) + bytes + 1);
	if (route->names == NULL)
		return false;
	at = (char *) (route->names + count);
	for (size_t i = 0; i < count; i++)
	{
		int len = sprintf(at, "\"%s\":", columns[i].name);

		route->names[i] = (HttpText){.data = at, .len = (size_t) len};
		at += len + 1;
	}
	return true;
}

static bool
make_route(Route *route, const Endpoint *endpoint)
{
	const char *problem = endpoint_problem(endpoint);

	route->endpoint = endpoint;
	route->statement = -1;
	if (endpoint->open == NULL && problem == NULL)
		route->statement = db_statement_find(API_ROLE, endpoint->statement);
	if (problem == NULL && !split(route))
		problem = "the pattern has too many segments, or does not begin with a slash";
	else if (problem == NULL && endpoint->open == NULL && route->statement < 0)
		problem = "the statement is not built in";
	else if (problem == NULL && !quote_names(route))
		problem = "out of memory";
	if (problem != NULL)
	{
		log_line(LOG_LEVEL_ERROR, "endpoint_invalid", log_text("pattern", endpoint->pattern),
				 log_text("statement", endpoint->statement), log_text("reason", problem));
	}
	return problem == NULL;
}

bool
routes_make(RouteTable *table, const Endpoint *const *resources)
{
	int count = 0;

	for (int i = 0; resources[i] != NULL; i++)
		for (const Endpoint *row = resources[i]; row->pattern != NULL; row++)
			count++;
	table->count = 0;
	table->routes = calloc((size_t) count + 1, sizeof(Route));
	if (table->routes == NULL)
		return false;
	for (int i = 0; resources[i] != NULL; i++)
	{
		for (const Endpoint *row = resources[i]; row->pattern != NULL; row++)
			if (!make_route(&table->routes[table->count++], row))
				return false;
	}
	return true;
}

void
routes_free(RouteTable *table)
{
	for (int i = 0; i < table->count; i++)
		free(table->routes[i].names);
	free(table->routes);
	table->routes = NULL;
	table->count = 0;
}

/* The text after the name in "{name}:start", or the whole segment if it has no name. */
static HttpText
literal_of(const HttpText *pattern)
{
	const char *end = is_name(pattern) ? memchr(pattern->data, '}', pattern->len) : NULL;
	size_t name = end == NULL ? 0 : (size_t) (end + 1 - pattern->data);

	return (HttpText){.data = pattern->data + name, .len = pattern->len - name};
}

static bool
segment_matches(const HttpText *pattern, const HttpText *segment)
{
	HttpText literal = literal_of(pattern);
	size_t before = segment->len - literal.len;

	if (segment->len < literal.len ||
		memcmp(segment->data + before, literal.data, literal.len) != 0)
		return false;
	return is_name(pattern) ? before > 0 : before == 0;
}

/* The number of the path's segments that match by more than a name alone; -1: no match. */
static int
match_path(const Route *route, const HttpRequest *request)
{
	int fitted = 0;

	if ((size_t) route->segments != request->n_segments)
		return -1;
	for (int i = 0; i < route->segments; i++)
	{
		if (!segment_matches(&route->pattern[i], &request->segments[i]))
			return -1;
		fitted += literal_of(&route->pattern[i]).len > 0 ? 1 : 0;
	}
	return fitted;
}

static bool
method_matches(const Endpoint *endpoint, HttpMethod method)
{
	return endpoint->method == (method == HTTP_METHOD_HEAD ? HTTP_METHOD_GET : method);
}

/* The best match of all rows, with any method. */
static int
best_match(const RouteTable *table, const HttpRequest *request)
{
	int best = -1;

	for (int i = 0; i < table->count; i++)
	{
		int match = match_path(&table->routes[i], request);

		best = match > best ? match : best;
	}
	return best;
}

RouteResult
route_find(const RouteTable *table, const HttpRequest *request, const Route **route)
{
	int best = best_match(table, request);

	for (int i = 0; best >= 0 && i < table->count; i++)
	{
		if (method_matches(table->routes[i].endpoint, request->method) &&
			match_path(&table->routes[i], request) == best)
		{
			*route = &table->routes[i];
			return ROUTE_FOUND;
		}
	}
	return best < 0 ? ROUTE_NO_PATH : ROUTE_NO_METHOD;
}

void
route_allow(const RouteTable *table, const HttpRequest *request, char *text, size_t size)
{
	bool all = strcmp(request->path.data, "*") == 0;
	int best = best_match(table, request);
	size_t len = 0;
	unsigned seen = 0;

	text[0] = '\0';
	for (int i = 0; i < table->count && len < size; i++)
	{
		HttpMethod method = table->routes[i].endpoint->method;

		if ((all || match_path(&table->routes[i], request) == best) && (seen & 1U << method) == 0)
		{
			seen |= 1U << method;
			len += (size_t) snprintf(text + len, size - len, "%s%s, ", http_method_name(method),
									 method == HTTP_METHOD_GET ? ", HEAD" : "");
		}
	}
	if (len < size)
		snprintf(text + len, size - len, "%s", http_method_name(HTTP_METHOD_OPTIONS));
}

HttpText
route_segment(const Route *route, const HttpRequest *request, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < route->segments; i++)
	{
		const HttpText *pattern = &route->pattern[i];

		if (is_name(pattern) && pattern->len >= len + 2 &&
			memcmp(pattern->data + 1, name, len) == 0 && pattern->data[len + 1] == '}')
		{
			return (HttpText){.data = request->segments[i].data,
							  .len = request->segments[i].len - literal_of(pattern).len};
		}
	}
	return (HttpText){.data = NULL, .len = 0};
}
