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

/* The most types of a socket's filter, and the most characters of one. */
#define TYPES_MAX 64
#define TYPE_MAX 64

/* Bytes of the name and the description of a parameter that is wrong. */
#define WANTED_NAME_MAX 64
#define WANTED_TEXT_MAX 1000

/* Which events a socket gets. */
typedef struct Filter
{
	bool has_session;
	uint8_t session[DB_UUID_SIZE];
	char *types; /* sorted, separated by commas; NULL: all */
} Filter;

/* What a socket was opened for. */
typedef struct Wanted
{
	Filter filter;
	bool has_since;
	uint8_t since[DB_UUID_SIZE];
	/*
	 * The parameter that is wrong.  It is reported after the credential was found valid.
	 * "": none.
	 */
	char problem[WANTED_NAME_MAX + 1];
	char problem_text[WANTED_TEXT_MAX + 1];
} Wanted;

/* Reads the query: a ticket and nothing else, or the filter and since. */
extern void wanted_read_query(Wanted *wanted, const HttpRequest *request, bool is_ticket);

/*
 * Reads a ticket's filter from these columns of the first row.  Returns false when they
 * cannot be one.
 */
extern bool
wanted_read_row(Wanted *wanted, const DbResult *result, int session, int types, int since);

/* Notes what is wrong with the types.  The database says it in this column; NULL: nothing. */
extern void wanted_check_types(Wanted *wanted, const DbResult *result, int problem);

/* Adds the filter's types as a parameter. */
extern bool filter_add_types(DbRequest *request, const Filter *filter);

/* Whether two sockets with these filters get the same events. */
extern bool filter_same(const Filter *a, const Filter *b);

#endif
