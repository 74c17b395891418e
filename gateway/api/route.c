/*
 * route.c
 *		Splits the patterns once and compares them with paths segment by segment.
 *
 * The HTTP code has split and decoded the path already, so a %2F within a segment is not a
 * separator here.  Only rows with the path's number of segments are compared, one after the
 * other, and each of these, since a later one may match better.
 */
#include "api/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "lib/log.h"

/* The text after the name in "{name}:start", or the whole segment if it has no name. */
static HttpText
literal_of(const HttpText *pattern)
{
	bool named = pattern->len > 2 && pattern->data[0] == '{';
	const char *end = named ? memchr(pattern->data, '}', pattern->len) : NULL;
	size_t name = end == NULL ? 0 : (size_t) (end + 1 - pattern->data);

	return (HttpText){.data = pattern->data + name, .len = pattern->len - name};
}

static bool
is_name(const Route *route, int i)
{
	return route->literal[i].len < route->pattern[i].len;
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
		int i = route->segments;

		if (i == ROUTE_SEGMENTS_MAX)
			return false;
		route->pattern[i] = (HttpText){.data = at, .len = len};
		route->literal[i] = literal_of(&route->pattern[i]);
		route->fitted += route->literal[i].len > 0 ? 1 : 0;
		route->segments++;
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

/* From the last to the first, so that each list has the order of the rows. */
static void
join_similar(RouteTable *table)
{
	for (int i = table->count - 1; i >= 0; i--)
	{
		Route *route = &table->routes[i];

		route->similar = table->first[route->segments];
		table->first[route->segments] = route;
	}
}

bool
routes_make(RouteTable *table, const Endpoint *const *resources)
{
	int count = 0;

	for (int i = 0; resources[i] != NULL; i++)
		for (const Endpoint *row = resources[i]; row->pattern != NULL; row++)
			count++;
	*table = (RouteTable){.count = 0};
	table->routes = calloc((size_t) count + 1, sizeof(Route));
	if (table->routes == NULL)
		return false;
	for (int i = 0; resources[i] != NULL; i++)
	{
		for (const Endpoint *row = resources[i]; row->pattern != NULL; row++)
			if (!make_route(&table->routes[table->count++], row))
				return false;
	}
	join_similar(table);
	return true;
}

void
routes_free(RouteTable *table)
{
	for (int i = 0; i < table->count; i++)
		free(table->routes[i].names);
	free(table->routes);
	*table = (RouteTable){.count = 0};
}

static bool
segment_matches(const Route *route, int i, const HttpText *segment)
{
	const HttpText *literal = &route->literal[i];
	size_t before = segment->len - literal->len;

	if (segment->len < literal->len ||
		memcmp(segment->data + before, literal->data, literal->len) != 0)
		return false;
	return is_name(route, i) ? before > 0 : before == 0;
}

/* Begins with the last segment, because the first ones of most routes are equal. */
static bool
path_matches(const Route *route, const HttpRequest *request)
{
	for (int i = route->segments - 1; i >= 0; i--)
		if (!segment_matches(route, i, &request->segments[i]))
			return false;
	return true;
}

/* The first route with as many segments as the path has. */
static const Route *
first_similar(const RouteTable *table, const HttpRequest *request)
{
	return request->n_segments > ROUTE_SEGMENTS_MAX ? NULL : table->first[request->n_segments];
}

static bool
method_matches(const Endpoint *endpoint, HttpMethod method)
{
	return endpoint->method == (method == HTTP_METHOD_HEAD ? HTTP_METHOD_GET : method);
}

/* The best match decides, with any method; of equally good ones the first. */
RouteResult
route_find(const RouteTable *table, const HttpRequest *request, const Route **route)
{
	const Route *found = NULL;
	int best = -1;

	for (const Route *each = first_similar(table, request); each != NULL; each = each->similar)
	{
		if (each->fitted < best || !path_matches(each, request))
			continue;
		if (each->fitted > best)
			found = NULL;
		best = each->fitted;
		if (found == NULL && method_matches(each->endpoint, request->method))
			found = each;
	}
	if (found == NULL)
		return best < 0 ? ROUTE_NO_PATH : ROUTE_NO_METHOD;
	*route = found;
	return ROUTE_FOUND;
}

/* The fit of the best match, with any method; -1: none. */
static int
best_fit(const RouteTable *table, const HttpRequest *request)
{
	int best = -1;

	for (const Route *each = first_similar(table, request); each != NULL; each = each->similar)
		if (each->fitted > best && path_matches(each, request))
			best = each->fitted;
	return best;
}

static bool
fits(const Route *route, const HttpRequest *request, int fitted)
{
	return (size_t) route->segments == request->n_segments && route->fitted == fitted &&
		   path_matches(route, request);
}

void
route_allow(const RouteTable *table, const HttpRequest *request, char *text, size_t size)
{
	bool all = strcmp(request->path.data, "*") == 0;
	int best = best_fit(table, request);
	size_t len = 0;
	unsigned seen = 0;

	text[0] = '\0';
	for (int i = 0; i < table->count && len < size; i++)
	{
		HttpMethod method = table->routes[i].endpoint->method;

		if ((all || fits(&table->routes[i], request, best)) && (seen & 1U << method) == 0)
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

		if (is_name(route, i) && pattern->len >= len + 2 &&
			memcmp(pattern->data + 1, name, len) == 0 && pattern->data[len + 1] == '}')
		{
			return (HttpText){.data = request->segments[i].data,
							  .len = request->segments[i].len - route->literal[i].len};
		}
	}
	return (HttpText){.data = NULL, .len = 0};
}
