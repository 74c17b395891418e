/*
 * route.h
 *		From method and path to an endpoint.
 */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/endpoint.h"

#define ROUTE_SEGMENTS_MAX 10

typedef struct Route
{
	const Endpoint *endpoint;
	int statement;   /* index in db_statements; -1 for endpoints that are open */
	HttpText *names; /* of the columns, quoted, with a colon: what a row is written with */
	int segments;
	HttpText pattern[ROUTE_SEGMENTS_MAX]; /* "{name}" matches any one segment, "{name}:start"
										   * one that ends so */
} Route;

typedef struct RouteTable
{
	Route *routes;
	int count;
} RouteTable;

typedef enum RouteResult
{
	ROUTE_FOUND,
	ROUTE_NO_PATH,  /* 404 */
	ROUTE_NO_METHOD /* 405: the path is there, with other methods */
} RouteResult;

/*
 * Make the table of all resources; false when memory is out or a row is wrong, which
 * is logged.  routes_free takes an empty table too.
 */
extern bool routes_make(RouteTable *table, const Endpoint *const *resources);
extern void routes_free(RouteTable *table);

/*
 * The row that matches.  Where several patterns fit a path, the one with more in it than
 * bare names counts: "/a/{x}:start" before "/a/{x}".
 */
extern RouteResult
route_find(const RouteTable *table, const HttpRequest *request, const Route **route);

/*
 * The methods that a known path has, for the header Allow: "GET, HEAD, POST, OPTIONS".  The
 * target "*" has those of all paths.
 */
extern void
route_allow(const RouteTable *table, const HttpRequest *request, char *text, size_t size);

/*
 * What stands in place of {name}; its data is NULL when the pattern has no such name, which
 * endpoint_problem() has ruled out for the names of parameters.
 */
extern HttpText route_segment(const Route *route, const HttpRequest *request, const char *name);

#endif
