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
	int statement; /* index in db_statements; -1 for endpoints that are open */
	int segments;
	HttpText pattern[ROUTE_SEGMENTS_MAX]; /* "{name}" matches any one segment */
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

/* The first row that matches. */
extern RouteResult
route_find(const RouteTable *table, const HttpRequest *request, const Route **route);

/*
 * Among the rows with the same method and pattern, the one of that variant; NULL when
 * there is none.
 */
extern const Route *
route_variant(const RouteTable *table, const Route *route, const char *variant, size_t length);

/* The variants of a row, as "a, b or c". */
extern void route_variants(const RouteTable *table, const Route *route, char *text, size_t size);

/* The methods that the path has, for the header Allow: "GET, HEAD, POST". */
extern void
route_allow(const RouteTable *table, const HttpRequest *request, char *text, size_t size);

/* The segment that stands in place of {name}; NULL when the pattern has no such name. */
extern const HttpText *
route_segment(const Route *route, const HttpRequest *request, const char *name);

#endif /* API_ROUTE_H */
