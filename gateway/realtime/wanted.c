/*
 * wanted.c
 *		Reads what a socket was opened for, from the query or from the ticket.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "realtime/wanted.h"
#include "src/common/typeid.h"

#define TYPES_WANTED "must be event types, or *, separated by commas"

/* ---- filters ---- */

/* Splits the types, in the order of the text.  Returns their number. */
static int
split_types(const char *types, HttpText parts[TYPES_MAX])
{
	int count = 0;

	while (*types != '\0' && count < TYPES_MAX)
	{
		size_t len = strcspn(types, ",");

		parts[count++] = (HttpText){.data = types, .len = len};
		types += len + (types[len] == ',' ? 1 : 0);
	}
	return count;
}

static int
compare_types(const void *a, const void *b)
{
	const HttpText *one = a;
	const HttpText *other = b;
	size_t len = one->len < other->len ? one->len : other->len;
	int order = memcmp(one->data, other->data, len);

	return order != 0 ? order : (one->len > other->len) - (one->len < other->len);
}

/*
 * Makes the same text of all filters that want the same: the types sorted, each once.  The
 * database still decides which types exist.
 */
static void
set_types(Filter *filter, const char *types)
{
	HttpText parts[TYPES_MAX];
	int count = split_types(types, parts);
	char *end = malloc(strlen(types) + 1);

	filter->types = end;
	if (end == NULL)
		return;
	qsort(parts, (size_t) count, sizeof(parts[0]), compare_types);
	for (int i = 0; i < count; i++)
	{
		if (i > 0 && compare_types(&parts[i - 1], &parts[i]) == 0)
			continue;
		if (i > 0)
			*end++ = ',';
		end = mempcpy(end, parts[i].data, parts[i].len);
	}
	*end = '\0';
}

bool
filter_add_types(DbRequest *request, const Filter *filter)
{
	HttpText parts[TYPES_MAX];
	const char *texts[TYPES_MAX];
	size_t lengths[TYPES_MAX];
	int count;

	if (filter->types == NULL)
		return db_param_null(request);
	count = split_types(filter->types, parts);
	for (int i = 0; i < count; i++)
	{
		texts[i] = parts[i].data;
		lengths[i] = parts[i].len;
	}
	return db_param_text_array(request, texts, lengths, count);
}

/* The star sorts before the first letter of every type. */
static bool
wants_all(const Filter *filter)
{
	return filter->types == NULL || filter->types[0] == '*';
}

bool
filter_same(const Filter *a, const Filter *b)
{
	bool same_types = wants_all(a) || wants_all(b) ? wants_all(a) == wants_all(b)
												   : strcmp(a->types, b->types) == 0;

	return same_types && a->has_session == b->has_session &&
		   memcmp(a->session, b->session, sizeof(a->session)) == 0;
}

/* ---- a ticket ---- */

/* Reads the types as one text.  Returns false when they cannot be a filter. */
static bool
read_types(Filter *filter, const DbResult *result, int column)
{
	const char *text;
	size_t len;
	DbArray array;
	Buffer types;

	if (db_is_null(result, 0, column))
		return true;
	buffer_init(&types, TYPES_MAX * (TYPE_MAX + 1));
	if (!db_array(result, 0, column, &array))
		return false;
	buffer_append(&types, "", 0);
	while (db_array_next(&array, &text, &len))
	{
		if (types.len > 0)
			buffer_append_char(&types, ',');
		buffer_append(&types, text, text == NULL ? 0 : len);
	}
	if (!types.failed)
		set_types(filter, types.data);
	buffer_free(&types);
	return filter->types != NULL;
}

bool
wanted_read_row(Wanted *wanted, const DbResult *result, int session, int types, int since)
{
	wanted->filter.has_session = db_uuid(result, 0, session, wanted->filter.session);
	wanted->has_since = db_uuid(result, 0, since, wanted->since);
	return read_types(&wanted->filter, result, types);
}

/* ---- a query ---- */

/* Notes the first problem only.  The name may come from the caller and be long. */
static void __attribute__((format(printf, 3, 4)))
note_problem(Wanted *wanted, const char *name, const char *format, ...)
{
	va_list arguments;

	if (wanted->problem[0] != '\0')
		return;
	utf8_copy_start(wanted->problem, WANTED_NAME_MAX, name);
	va_start(arguments, format);
	vsnprintf(wanted->problem_text, sizeof(wanted->problem_text), format, arguments);
	va_end(arguments);
}

void
wanted_check_types(Wanted *wanted, const DbResult *result, int problem)
{
	char text[WANTED_TEXT_MAX + 1];

	if (!db_is_null(result, 0, problem))
		note_problem(wanted, "types", "%s",
					 db_text_copy(result, 0, problem, text, sizeof(text)) ? text : TYPES_WANTED);
}

/* The database knows the types; here they only have to form a list that can be a filter. */
static void
check_list(Wanted *wanted, const HttpText *value)
{
	size_t types = 1;
	size_t len = 0;

	for (size_t i = 0; i < value->len; i++)
	{
		bool comma = value->data[i] == ',';

		types += comma ? 1 : 0;
		len = comma ? 0 : len + 1;
		if (types > TYPES_MAX)
			note_problem(wanted, "types", "must be at most %d event types", TYPES_MAX);
		if (len > TYPE_MAX)
			note_problem(wanted, "types", "has a type of more than %d characters", TYPE_MAX);
	}
	if (value->len == 0)
		note_problem(wanted, "types", TYPES_WANTED);
	else if (len == 0)
		note_problem(wanted, "types", "ends with a comma");
}

static void
take_types_parameter(Wanted *wanted, const HttpText *value)
{
	check_list(wanted, value);
	if (wanted->problem[0] != '\0')
		return;
	set_types(&wanted->filter, value->data);
	if (wanted->filter.types == NULL)
		note_problem(wanted, "types", "out of memory");
}

static void
take_parameter(Wanted *wanted, const HttpField *parameter)
{
	const char *name = parameter->name.data;
	const HttpText *value = &parameter->value;

	if (strcmp(name, "session") == 0)
	{
		wanted->filter.has_session = wak_typeid_decode(value->data, value->len, "sess",
													   wanted->filter.session) == WAK_TYPEID_OK;
		if (!wanted->filter.has_session)
			note_problem(wanted, "session", "must be the id of a session");
	}
	else if (strcmp(name, "since") == 0)
	{
		wanted->has_since =
			wak_typeid_decode(value->data, value->len, "evt", wanted->since) == WAK_TYPEID_OK;
		if (!wanted->has_since)
			note_problem(wanted, "since", "must be the id of an event");
	}
	else if (strcmp(name, "types") == 0)
	{
		take_types_parameter(wanted, value);
	}
	else
	{
		note_problem(wanted, name, "is not known here");
	}
}

/*
 * A ticket has its own filter.  Otherwise the filter is in the query, where each parameter
 * may occur once.
 */
void
wanted_read_query(Wanted *wanted, const HttpRequest *request, bool is_ticket)
{
	for (size_t i = 0; i < request->n_parameters; i++)
	{
		size_t count;

		http_request_parameter(request, request->parameters[i].name.data, &count);
		if (count > 1)
			note_problem(wanted, request->parameters[i].name.data, "is given twice");
		else if (!is_ticket)
			take_parameter(wanted, &request->parameters[i]);
		else if (strcmp(request->parameters[i].name.data, "ticket") != 0)
			note_problem(wanted, "query", "a ticket says everything by itself");
	}
}
