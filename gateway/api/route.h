/*
 * route.h
 *		Finds the endpoint of a method and a path.
 */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/endpoint.h"

#define ROUTE_SEGMENTS_MAX 10

typedef struct Route
{
	const Endpoint *endpoint;
	int statement;   /* index in db_statements; -1 for endpoints that answer by themselves */
	HttpText *names; /* names of the columns, quoted, with a colon: written into each row */
	int segments;
	int fitted;                           /* how many of them match by more than a name alone */
	struct Route *similar;                /* the next route with as many segments, or NULL */
	HttpText pattern[ROUTE_SEGMENTS_MAX]; /* "{name}" matches any one segment, "{name}:start"
										   * one that ends with ":start" */
	HttpText literal[ROUTE_SEGMENTS_MAX]; /* of each: what follows the name, or all of it */
} Route;

typedef struct RouteTable
{
	Route *routes;
	int count;
	Route *first[ROUTE_SEGMENTS_MAX + 1]; /* the first route with this number of segments */
} RouteTable;

typedef enum RouteResult
{
	ROUTE_FOUND,
	ROUTE_NO_PATH,  /* 404 */
	ROUTE_NO_METHOD /* 405: the path exists with other methods */
} RouteResult;

/*
 * Makes the table of all resources.  Returns false when memory is out or a row is wrong,
 * which is logged.  routes_free() accepts an empty table too.
 */
extern bool routes_make(RouteTable *table, const Endpoint *const *resources);
extern void routes_free(RouteTable *table);

/*
 * Finds the row that matches.  If several patterns match, the one with more literal text
 * wins: "/a/{x}:start" before "/a/{x}".
 */
extern RouteResult
route_find(const RouteTable *table, const HttpRequest *request, const Route **route);

/*
 * Writes the methods of a known path for the header Allow: "GET, HEAD, POST, OPTIONS".  For
 * the target "*" it writes those of all paths.
 */
extern void
route_allow(const RouteTable *table, const HttpRequest *request, char *text, size_t size);

/*
 * The text of the path in the place of {name}.  Its data is NULL when the pattern has no
 * such name; endpoint_problem() has excluded that for the names of parameters.
 */
extern HttpText route_segment(const Route *route, const HttpRequest *request, const char *name);

#endif
