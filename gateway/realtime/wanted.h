/*
 * wanted.h
 *		What a socket was opened for.
 */
#ifndef REALTIME_WANTED_H
#define REALTIME_WANTED_H

#include <stdbool.h>
#include <stdint.h>

#include "db/result.h"
#include "http/http.h"

/* Filter of a socket: types, and characters of one. */
#define TYPES_MAX 64
#define TYPE_MAX 64

/* Which events a socket gets. */
typedef struct Filter
{
	bool has_session;
	uint8_t session[DB_UUID_SIZE];
	char *types; /* in order, separated by commas; NULL = all */
} Filter;

/* What a socket was opened for. */
typedef struct Wanted
{
	Filter filter;
	bool has_since;
	uint8_t since[DB_UUID_SIZE];
	const char *problem; /* the parameter that is wrong, told once the credential is good */
	const char *problem_text;
} Wanted;

/* Reads what the query says: a ticket and nothing else, or the filter and since. */
extern void wanted_read_query(Wanted *wanted, const HttpRequest *request, bool is_ticket);

/* Reads what a ticket says from these columns of the first row; false when it cannot be. */
extern bool
wanted_read_row(Wanted *wanted, const DbResult *result, int session, int types, int since);

/* The types are none that the database knows. */
extern void wanted_refuse_types(Wanted *wanted);

/* Adds the filter's types as a parameter. */
extern bool filter_add_types(DbRequest *request, const Filter *filter);

/* Whether two sockets with these see the same. */
extern bool filter_same(const Filter *a, const Filter *b);

#endif
