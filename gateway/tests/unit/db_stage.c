/*
 * db_stage.c
 *		A database that only notes what is asked, and answers as the test says.
 */
#include "tests/unit/db_stage.h"

#include <check.h>
#include <libpq-fe.h>
#include <string.h>

bool db_stage_is_full;

static DbRequest *asked[DB_STAGE_ASKED_MAX];
static int asked_count;

/* All that are opened are this one. */
Db *
db_open(struct event_base *base, const DbConfig *config)
{
	static Db stage;

	(void) base;
	(void) config;
	return &stage;
}

void
db_close(Db *db)
{
	(void) db;
}

bool
db_submit(Db *db, DbRequest *request)
{
	(void) db;
	if (db_stage_is_full)
	{
		db_request_free(request);
		return false;
	}
	ck_assert_int_lt(asked_count, DB_STAGE_ASKED_MAX);
	asked[asked_count++] = request;
	return true;
}

static void
forget(int place)
{
	asked_count--;
	memmove(&asked[place], &asked[place + 1], sizeof(asked[0]) * (size_t) (asked_count - place));
}

void
db_abandon(DbRequest *request)
{
	int place = 0;

	while (place < asked_count && asked[place] != request)
		place++;
	ck_assert_int_lt(place, asked_count);
	forget(place);
	db_request_free(request);
}

int
db_stage_count(void)
{
	return asked_count;
}

/* -1: none is asked of this statement. */
static int
place_of(const char *statement)
{
	for (int i = 0; i < asked_count; i++)
		if (strcmp(db_statements[asked[i]->statement].name, statement) == 0)
			return i;
	return -1;
}

const DbRequest *
db_stage_find(const char *statement)
{
	int place = place_of(statement);

	return place < 0 ? NULL : asked[place];
}

void
db_stage_answer(const char *statement, const DbResult *result)
{
	int place = place_of(statement);
	DbRequest *request;
	DbDone done;
	void *arg;

	ck_assert_int_ge(place, 0);
	request = asked[place];
	done = request->done;
	arg = request->arg;
	forget(place);
	db_request_free(request);
	done(arg, result);
}

void
db_stage_refuse(const char *statement, DbOutcome outcome, const char *sqlstate)
{
	const DbResult result = {.outcome = outcome,
							 .sqlstate = sqlstate,
							 .message = "",
							 .detail = "",
							 .column = "",
							 .constraint = ""};

	db_stage_answer(statement, &result);
}

void
db_stage_answer_rows(const char *statement, int rows, int columns, const DbStageCell *cells)
{
	PGresAttDesc descriptions[DB_COLUMNS_MAX];
	PGresult *made = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	const DbRequest *request = db_stage_find(statement);
	DbResult result = {.outcome = DB_ROWS, .rows = rows, .columns = columns, .cells = made};

	ck_assert_ptr_nonnull(request);
	result.has_principal = request->credential_len > 0;
	for (int i = 0; i < columns; i++)
		descriptions[i] = (PGresAttDesc){.name = (char *) "c", .format = 1};
	ck_assert_int_eq(PQsetResultAttrs(made, columns, descriptions), 1);
	for (int i = 0; i < rows * columns; i++)
		ck_assert_int_eq(PQsetvalue(made, i / columns, i % columns, (char *) cells[i].bytes,
									cells[i].bytes == NULL ? -1 : cells[i].len),
						 1);
	db_stage_answer(statement, &result);
	PQclear(made);
}
