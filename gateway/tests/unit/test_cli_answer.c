/*
 * test_cli_answer.c
 *		How wa writes answers: JSON, tables, records, findings and sentences.
 */
#include <locale.h>
#include <string.h>

#include "cli/answer_write.h"
#include "cli/server.h"
#include "tests/unit/suite.h"

#define TEXT 25
#define BOOL 16
#define INT4 23
#define JSON 114
#define TIMESTAMPTZ 1184
#define OUTPUT_MAX 10000

typedef struct Column
{
	const char *name;
	Oid type;
} Column;

/* A result with these columns, and rows of as many values each. */
static PGresult *
make(const Column *columns, int count, const char *const *values, int rows)
{
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc attributes[8] = {0};

	for (int i = 0; i < count; i++)
	{
		attributes[i].name = (char *) (uintptr_t) columns[i].name;
		attributes[i].typid = columns[i].type;
	}
	ck_assert(PQsetResultAttrs(result, count, attributes));
	for (int row = 0; row < rows; row++)
	{
		for (int i = 0; i < count; i++)
		{
			const char *value = values[row * count + i];

			ck_assert(PQsetvalue(result, row, i, (char *) (uintptr_t) value,
								 value != NULL ? (int) strlen(value) : -1));
		}
	}
	return result;
}

/* An answer that lasts until the next one. */
static const Answer *
answer_of(const PGresult *rows, const PGresult *shown)
{
	static Answer answer;

	answer_free(&answer);
	ck_assert(server_answer(rows, shown, &answer));
	return &answer;
}

static void
expect_text(const Answer *answer, const Command *command, const char *expected)
{
	Buffer out;

	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	buffer_init(&out, OUTPUT_MAX);
	answer_write_text(answer, command, &out);
	ck_assert(!out.failed);
	ck_assert_str_eq(out.data, expected);
	buffer_free(&out);
}

static void
expect_json(const Answer *answer, CommandShape shape, const char *expected)
{
	Buffer out;

	buffer_init(&out, OUTPUT_MAX);
	answer_write_json(answer, shape, &out);
	ck_assert(!out.failed);
	ck_assert_str_eq(out.data, expected);
	buffer_free(&out);
}

static const Column key_columns[] = {{"id", TEXT},          {"name", TEXT},
									 {"permissions", JSON}, {"expiresAt", TIMESTAMPTZ},
									 {"uses", INT4},        {"works", BOOL}};
static const char *const key_rows[] = {
	"key_1", "shop",   "[\"read\", \"send\"]", "2030-01-02 03:04:05.678+00",
	"7",     "t", /* */
	"key_2", "日本 é", "[\"read\"]",           NULL,
	"0",     "f"};

START_TEST(a_table_is_aligned_by_what_a_terminal_shows)
{
	PGresult *rows = make(key_columns, 6, key_rows, 2);
	const Answer *answer = answer_of(rows, NULL);
	const Command all = {.shape = COMMAND_LIST};
	const Command some = {.shape = COMMAND_LIST, .columns = "name expiresAt"};

	expect_text(answer, &all,
				"ID     NAME    PERMISSIONS  EXPIRES AT            USES  WORKS\n"
				"key_1  shop    read,send    2030-01-02 03:04:05Z  7     yes\n"
				"key_2  日本 é  read         -                     0     no\n");
	expect_text(answer, &some,
				"NAME    EXPIRES AT\n"
				"shop    2030-01-02 03:04:05Z\n"
				"日本 é  -\n");
	PQclear(rows);
}
END_TEST

START_TEST(an_empty_table_has_its_headings)
{
	PGresult *rows = make(key_columns, 2, NULL, 0);
	const Answer *answer = answer_of(rows, NULL);

	expect_text(answer, &(Command){.shape = COMMAND_LIST}, "ID  NAME\n");
	expect_json(answer, COMMAND_LIST, "[]\n");
	PQclear(rows);
}
END_TEST

START_TEST(json_has_types_and_leaves_nulls_out)
{
	PGresult *rows = make(key_columns, 6, key_rows, 2);
	const Answer *answer = answer_of(rows, NULL);

	expect_json(answer, COMMAND_LIST,
				"[{\"id\":\"key_1\",\"name\":\"shop\",\"permissions\":[\"read\", \"send\"],"
				"\"expiresAt\":\"2030-01-02T03:04:05.678Z\",\"uses\":7,\"works\":true},"
				"{\"id\":\"key_2\",\"name\":\"日本 é\",\"permissions\":[\"read\"],\"uses\":0,"
				"\"works\":false}]\n");
	PQclear(rows);
}
END_TEST

START_TEST(lines_are_an_object_for_each_row_with_and_without_json)
{
	PGresult *rows = make(key_columns, 2, (const char *const[]){"key_1", "a\nb", "key_2", NULL}, 2);
	const char lines[] = "{\"id\":\"key_1\",\"name\":\"a\\nb\"}\n{\"id\":\"key_2\"}\n";

	expect_json(answer_of(rows, NULL), COMMAND_LINES, lines);
	expect_text(answer_of(rows, NULL), &(Command){.shape = COMMAND_LINES}, lines);
	PQclear(rows);
}
END_TEST

START_TEST(what_is_followed_is_a_line_for_each_row_but_those_without_a_type)
{
	static const Column columns[] = {
		{"at", TIMESTAMPTZ}, {"id", TEXT}, {"type", TEXT}, {"sessionId", TEXT}};
	static const char *const values[] = {
		"2030-01-02 03:04:05.678+00", "evt_1", "message", "sess_1", /* */
		"2030-01-02 03:04:06+00",     "evt_2", NULL,      NULL,     /* */
		"2030-01-02 03:04:07+00",     "evt_3", "a\nb",    NULL,     /* */
		"2030-01-02 03:04:08+00",     "evt_4", NULL,      "sess_2"};
	PGresult *rows = make(columns, 4, values, 4);
	const Answer *answer = answer_of(rows, NULL);

	expect_text(answer, &(Command){.shape = COMMAND_FOLLOW},
				"2030-01-02 03:04:05Z  evt_1  message  sess_1\n"
				"2030-01-02 03:04:07Z  evt_3  a b  -\n");
	expect_json(answer, COMMAND_FOLLOW,
				"{\"at\":\"2030-01-02T03:04:05.678Z\",\"id\":\"evt_1\",\"type\":\"message\","
				"\"sessionId\":\"sess_1\"}\n"
				"{\"at\":\"2030-01-02T03:04:07Z\",\"id\":\"evt_3\",\"type\":\"a\\nb\"}\n");
	ck_assert_str_eq(answer_latest_id(answer), "evt_4");
	PQclear(rows);
}
END_TEST

START_TEST(what_was_changed_takes_the_place_of_its_id)
{
	static const Column made_columns[] = {{"id", TEXT}, {"key", TEXT}};
	static const char *const made[] = {"key_1", "wa_secret"};
	PGresult *rows = make(made_columns, 2, made, 1);
	PGresult *shown = make(key_columns, 2, key_rows, 1);
	const Answer *answer = answer_of(rows, shown);

	expect_json(answer, COMMAND_ONE,
				"{\"id\":\"key_1\",\"name\":\"shop\",\"key\":\"wa_secret\"}\n");
	expect_text(answer, &(Command){.shape = COMMAND_ONE},
				"id    key_1\nname  shop\nkey   wa_secret\n");
	PQclear(rows);
	PQclear(shown);
}
END_TEST

START_TEST(a_sentence_says_whether_anything_changed)
{
	static const Column columns[] = {{"name", TEXT}, {"changed", BOOL}};
	static const char *const values[] = {"shop", "t", "shop", "f"};
	const Command command = {.done = "{name} is off", .unchanged = "{name} was off, {none}"};

	for (int i = 0; i < 2; i++)
	{
		PGresult *rows = make(columns, 2, values + i * 2, 1);

		expect_text(answer_of(rows, NULL), &command,
					i == 0 ? "shop is off\n" : "shop was off, -\n");
		PQclear(rows);
	}
}
END_TEST

START_TEST(findings_are_those_that_have_not_passed)
{
	static const Column columns[] = {
		{"name", TEXT}, {"passed", BOOL}, {"detail", TEXT}, {"advice", TEXT}};
	static const char *const values[] = {"good", "t", NULL,        "never mind", /* */
										 "bad",  "f", "wa.broken", "Mend it"};
	PGresult *rows = make(columns, 4, values, 2);
	PGresult *good = make(columns, 4, values, 1);
	const Command command = {.shape = COMMAND_CHECKS};

	expect_text(answer_of(rows, NULL), &command,
				"FAILED  bad\n  found:  wa.broken\n  to do:  Mend it\n"
				"2 checks: 1 passed, 1 failed\n");
	ck_assert(answer_has_findings(answer_of(rows, NULL)));
	ck_assert(!answer_has_findings(answer_of(good, NULL)));
	PQclear(rows);
	PQclear(good);
}
END_TEST

START_TEST(a_terminal_gets_no_control_characters)
{
	static const char *const values[] = {"a\x1B[2Jb\nc\x7F", "\xC2\x9B"
															 "31mé"};
	PGresult *rows = make(key_columns, 2, values, 1);

	expect_text(answer_of(rows, NULL), &(Command){.shape = COMMAND_ONE},
				"id    a [2Jb c \nname   31mé\n");
	PQclear(rows);
}
END_TEST

SUITE("cli_answer", a_table_is_aligned_by_what_a_terminal_shows, an_empty_table_has_its_headings,
	  json_has_types_and_leaves_nulls_out, lines_are_an_object_for_each_row_with_and_without_json,
	  what_is_followed_is_a_line_for_each_row_but_those_without_a_type,
	  what_was_changed_takes_the_place_of_its_id, a_sentence_says_whether_anything_changed,
	  findings_are_those_that_have_not_passed, a_terminal_gets_no_control_characters)
