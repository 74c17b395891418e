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

/* Bytes of what is said of a parameter that is wrong. */
#define WANTED_NAME_MAX 64
#define WANTED_TEXT_MAX 1000

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
	/* The parameter that is wrong, told once the credential is good; "" = none is. */
	char problem[WANTED_NAME_MAX + 1];
	char problem_text[WANTED_TEXT_MAX + 1];
} Wanted;

/* Reads what the query says: a ticket and nothing else, or the filter and since. */
extern void wanted_read_query(Wanted *wanted, const HttpRequest *request, bool is_ticket);

/* Reads what a ticket says from these columns of the first row; false when it cannot be. */
extern bool
wanted_read_row(Wanted *wanted, const DbResult *result, int session, int types, int since);

/* Notes what is wrong with the types, as the database says; NULL there: nothing is. */
extern void wanted_check_types(Wanted *wanted, const DbResult *result, int problem);

/* Adds the filter's types as a parameter. */
extern bool filter_add_types(DbRequest *request, const Filter *filter);

/* Whether two sockets with these see the same. */
extern bool filter_same(const Filter *a, const Filter *b);

#endif
