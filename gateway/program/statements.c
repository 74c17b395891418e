/*
 * statements.c
 *		The registered statements of a program; see statements.h.
 */
#include "program/statements.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"

#define DIGEST_SIZE 32 /* of SHA-256 */

bool
statements_find(ProgramStatements *statements, char *error, size_t size)
{
	for (int i = 0; i < statements->count; i++)
	{
		statements->found[i] = db_statement_find(statements->role, statements->rows[i].name);
		if (statements->found[i] < 0)
		{
			snprintf(error, size, "the statement %s is not built in", statements->rows[i].name);
			return false;
		}
	}
	return true;
}

static bool
add_text(DbRequest *request, const char *text)
{
	return text == NULL ? db_param_null(request) : db_param_text(request, text, strlen(text));
}

static bool
add_uuid(DbRequest *request, const uint8_t *uuid)
{
	return uuid == NULL ? db_param_null(request) : db_param_uuid(request, uuid);
}

static bool
add_json(DbRequest *request, const char *json)
{
	return db_param_jsonb(request, json, strlen(json));
}

static bool
add_uuids(DbRequest *request, va_list *values)
{
	const uint8_t(*uuids)[DB_UUID_SIZE] = va_arg(*values, const uint8_t(*)[DB_UUID_SIZE]);

	return db_param_uuid_array(request, uuids, va_arg(*values, int));
}

static bool
add_texts(DbRequest *request, va_list *values)
{
	const char *const *texts = va_arg(*values, const char *const *);
	int count = va_arg(*values, int);
	size_t lengths[STATEMENTS_TEXTS_MAX];

	if (texts == NULL)
		return db_param_null(request);
	if (count > STATEMENTS_TEXTS_MAX)
		return false;
	for (int i = 0; i < count; i++)
		lengths[i] = strlen(texts[i]);
	return db_param_text_array(request, texts, lengths, count);
}

static bool
add_param(DbRequest *request, char type, va_list *values)
{
	int number;

	switch (type)
	{
		case 'n':
			number = va_arg(*values, int);
			return number == 0 ? db_param_null(request) : db_param_int32(request, number);
		case 'u':
			return add_uuid(request, va_arg(*values, const uint8_t *));
		case 'j':
			return add_json(request, va_arg(*values, const char *));
		case 'b':
			return db_param_bool(request, va_arg(*values, int) != 0);
		case 'i':
			return db_param_int32(request, va_arg(*values, int));
		case 'd':
			return db_param_bytes(request, va_arg(*values, const uint8_t *), DIGEST_SIZE);
		case 'I':
			return db_param_int64(request, va_arg(*values, int64_t));
		case 'U':
			return add_uuids(request, values);
		case 'A':
			return add_texts(request, values);
		case 'T':
			return db_param_time_us(request, va_arg(*values, int64_t));
		case 't':
			return db_param_time_ms(request, va_arg(*values, int64_t));
		case 'l':
			return db_param_interval_ms(request, va_arg(*values, int));
		default:
			return add_text(request, va_arg(*values, const char *));
	}
}

DbRequest *
statements_request(const ProgramStatements *statements, int statement, const uint8_t *org,
				   DbDone done, void *arg, const char *types, ...)
{
	DbRequest *request =
		db_request_new(statements->found[statement], statements->rows[statement].lane,
					   statements->answer_ms, done, arg);
	bool complete = request != NULL;
	va_list values;

	if (request != NULL && org != NULL)
		db_request_org(request, org);
	va_start(values, types);
	for (; complete && *types != '\0'; types++)
		complete = add_param(request, *types, &values);
	va_end(values);
	if (complete)
		return request;
	db_request_free(request);
	return NULL;
}

void
statements_log_failure(const ProgramStatements *statements, int statement, const DbResult *result)
{
	log_line(LOG_LEVEL_WARNING, "statement_failed",
			 log_text("statement", statements->rows[statement].name),
			 log_text("outcome", db_outcome_names[result->outcome]),
			 log_text("sqlstate", result->sqlstate[0] == '\0' ? NULL : result->sqlstate),
			 log_text("message", result->message[0] == '\0' ? NULL : result->message));
}

DbRequest *
statements_submit(Db *db, DbRequest *request)
{
	return request != NULL && db_submit(db, request) ? request : NULL;
}

void
statements_drop(DbRequest **request)
{
	if (*request != NULL)
		db_abandon(*request);
	*request = NULL;
}
