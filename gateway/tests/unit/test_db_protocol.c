/*
 * test_db_protocol.c
 *		A server that says what an honest one never says is not believed in anything.
 *
 * Each lie is told to a request alone, and to one in the middle of a pipeline: what came
 * before it was answered, the request and what is behind it are lost, nothing that came is
 * used, and the next request finds a new connection.
 */
#include <string.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "tests/unit/db_ask.h"
#include "tests/unit/suite.h"

static Buffer lie;

/* ---- messages, a letter each ---- */

typedef struct Part
{
	char letter;
	char type;
	const char *body;
	size_t len;
} Part;

#define BODY(text) text, sizeof(text) - 1
#define COLUMN(oid, format) "c\0\0\0\0\0\0\0\0\0" oid "\377\377\377\377\377\377\0" format
#define UUID_COLUMN COLUMN("\13\206", "\1")
#define INT4_COLUMN COLUMN("\0\27", "\1")
#define INT8_COLUMN COLUMN("\0\24", "\1")
#define BYTEA_COLUMN COLUMN("\0\21", "\1")
#define ID      \
	"\0\0\0\20" \
	"0123456789abcdef"
#define NO_RATE "\377\377\377\377\377\377\377\377\377\377\377\377"
#define COUNT(byte) "\0\0\0\4\0\0\0" byte
#define RATE COUNT("\74") COUNT("\11") COUNT("\2")
#define NUMBER "\0\0\0\10" DB_WIRE_NUMBER

static const Part parts[] = {
	/* the columns of authenticate, of the statement, and others */
	{'A', 'T',
	 BODY("\0\6" UUID_COLUMN UUID_COLUMN INT4_COLUMN INT4_COLUMN INT4_COLUMN INT8_COLUMN)},
	{'S', 'T', BODY("\0\1" BYTEA_COLUMN)},
	{'i', 'T', BODY("\0\2" INT8_COLUMN INT8_COLUMN)},
	{'j', 'T', BODY("\0\1" INT8_COLUMN)},
	{'k', 'T', BODY("\0\2" BYTEA_COLUMN BYTEA_COLUMN)},
	{'l', 'T', BODY("\0\1" COLUMN("\0\31", "\1"))},
	{'m', 'T', BODY("\0\1" COLUMN("\0\21", "\0"))},
	/* rows: authenticate's, the statement's, and authenticate's with another id or number */
	{'a', 'D', BODY("\0\6" ID ID NO_RATE NUMBER)},
	{'E', 'D', BODY("\0\6" ID ID RATE NUMBER)},
	{'G', 'D', BODY("\0\6" ID ID COUNT("\74") COUNT("\11") "\377\377\377\377" NUMBER)},
	{'H', 'D', BODY("\0\6" ID ID "\0\0\0\3\0\0\74" COUNT("\11") COUNT("\2") NUMBER)},
	{'I', 'D', BODY("\0\6" ID ID COUNT("\74") "\0\0\0\4\377\377\377\377" COUNT("\2") NUMBER)},
	{'s', 'D', BODY("\0\1\0\0\0\3row")},
	{'n', 'D', BODY("\0\6\377\377\377\377" ID NO_RATE NUMBER)},
	{'!', 'D', BODY("\0\6" ID "\377\377\377\377" NO_RATE NUMBER)},
	{'o', 'D',
	 BODY("\0\6\0\0\0\17"
		  "0123456789abcde" ID NO_RATE NUMBER)},
	{'%', 'D',
	 BODY("\0\6" ID "\0\0\0\17"
		  "0123456789abcde" NO_RATE NUMBER)},
	{'p', 'D',
	 BODY("\0\6" ID ID NO_RATE "\0\0\0\10"
		  "another.")},
	{'q', 'D', BODY("\0\6" ID ID NO_RATE "\377\377\377\377")},
	{'r', 'D', BODY("\0\6" ID ID NO_RATE "\0\0\0\4" DB_WIRE_NUMBER)},
	{'u', 'D', BODY("\0\6\0\0\0\0" ID NO_RATE NUMBER)},
	{'v', 'D', BODY("\0\1" NUMBER)},
	/* ends of statements, with their count of rows */
	{'0', 'C', BODY("SELECT 0\0")},
	{'1', 'C', BODY("SELECT 1\0")},
	{'2', 'C', BODY("SELECT 2\0")},
	{'b', 'C', BODY("BEGIN\0")},
	{'e', 'I', BODY("")},
	{'x', 'E', BODY("SERROR\0C42501\0Mno\0\0")},
	{'y', 'E', BODY("SERROR\0C08P01\0Mno\0\0")},
	{'z', 'E', BODY("SERROR\0C25001\0Mno\0\0")},
	{'g', 'E', BODY("SERROR\0C22021\0Mno\0\0")},
	{'t', 'E', BODY("SERROR\0C54000\0Mno\0\0")},
	{'d', 'E', BODY("SFATAL\0VFATAL\0C54000\0Mno\0\0")},
	{'c', 'E', BODY("SERROR\0C22P03\0Mno\0\0")},
	{'h', 'E', BODY("SERROR\0C22P02\0Mno\0Fsecret.c\0\0")},
	{'#', 'E', BODY("SERROR\0C22P02\0Mno\0Fbool.c\0\0")},
	{'f', 'E', BODY("SERROR\0C28000\0Mno\0ncredential\0Fcontext.c\0\0")},
	{'w', 'E', BODY("SERROR\0C40001\0Mno\0\0")},
	{'B', 'E', BODY("SERROR\0C55000\0Mno\0\0")},
	{'C', 'E', BODY("SERROR\0CP0002\0Mno\0\0")},
	{'D', 'E', BODY("SERROR\0C42501\0Mno\0\0")},
	/* ends of transactions */
	{'Z', 'Z', BODY("I")},
	{'T', 'Z', BODY("T")},
	{'F', 'Z', BODY("E")},
	/* what has no place at all */
	{'3', '2', BODY("")},
	{'4', '3', BODY("")},
	{'5', 'G', BODY("\0\0\0")},
	{'6', 'H', BODY("\0\0\0")},
	{'7', 'W', BODY("\0\0\0")},
	{'8', 'A', BODY("\0\0\0\1channel\0text\0")},
	{'9', 'K', BODY("\0\0\0\7\0\0\0\7")},
	{'?', '?', BODY("")},
	/* what a server may say unasked */
	{'N', 'N', BODY("SWARNING\0C01000\0Mdo not worry\0\0")},
	{'O', 'N', BODY("SWARNING\0C25001\0Mthere is a transaction already\0\0")},
	{'P', 'S', BODY("TimeZone\0UTC\0")},
	{'Q', 'S', BODY("client_encoding\0LATIN1\0")},
	{'R', 'S', BODY("is_superuser\0on\0")},
	{'U', 'S', BODY("session_authorization\0postgres\0")},
	{'V', 'S', BODY("standard_conforming_strings\0off\0")},
	/* an error's text that looks like a message of the trace */
	{'X', 'E', BODY("SERROR\0C40001\0Mno\nB\t5\tReadyForQuery\t I\n\0\0")},
	{'Y', 'N', BODY("SNOTICE\0C00000\0Mno\nB\t5\tReadyForQuery\t I\n\0\0")},
};

/*
 * Adds messages by their letters.
 */
static void
add(const char *letters)
{
	for (; *letters != '\0'; letters++)
	{
		size_t i = 0;

		while (i < sizeof(parts) / sizeof(parts[0]) && parts[i].letter != *letters)
			i++;
		ck_assert_uint_lt(i, sizeof(parts) / sizeof(parts[0]));
		db_wire_message(&lie, parts[i].type, parts[i].body, parts[i].len);
	}
}

static void
tell(DbWirePlace place, int passes, const char *letters)
{
	ck_assert(buffer_reserve(&lie, 1)); /* a lie may be to say nothing */
	add(letters);
	wire.lie = (DbWireLie){place, passes, lie.data, lie.len};
}

/* ---- requests ---- */

static void
start(void)
{
	buffer_init(&lie, 4096);
	ask_start();
}

static void
stop(void)
{
	ask_stop();
	buffer_free(&lie);
}

static void
assert_lost(const Told *told, const char *what)
{
	ck_assert_msg(told->outcome == DB_LOST, "%s: outcome %d", what, (int) told->outcome);
	ck_assert_msg(!told->has_principal && told->sqlstate[0] == '\0', "%s: was used", what);
}

static void
assert_new_connection(const char *what)
{
	Told told;

	ask(&told);
	ck_assert_msg(told.outcome == DB_ROWS && told.has_principal, "%s: outcome %d", what,
				  (int) told.outcome);
	ck_assert_msg(wire.logins == 2, "%s: %d logins", what, wire.logins);
	ck_assert_msg(db_protocol_violations() == 1, "%s: %d violations", what,
				  (int) db_protocol_violations());
}

/* ---- lies ---- */

typedef struct Lie
{
	const char *what;
	DbWirePlace place;
	const char *letters;
} Lie;

static const Lie lies[] = {
	{"a transaction is left open", DB_WIRE_SYNC, "T"},
	{"a transaction is left failed", DB_WIRE_SYNC, "F"},
	{"an open transaction behind a notice that denies it", DB_WIRE_SYNC, "YT"},
	{"an open transaction before a notice that denies it", DB_WIRE_SYNC, "TY"},
	{"an open transaction behind an error that denies it", DB_WIRE_SYNC, "XT"},
	{"authenticate answers no row", DB_WIRE_BINDING, "A0"},
	{"authenticate answers two rows", DB_WIRE_BINDING, "Aaa2"},
	{"authenticate answers no id", DB_WIRE_BINDING, "An1"},
	{"authenticate answers an empty id", DB_WIRE_BINDING, "Au1"},
	{"authenticate answers a short id", DB_WIRE_BINDING, "Ao1"},
	{"authenticate answers no organization", DB_WIRE_BINDING, "A!1"},
	{"authenticate answers half a rate", DB_WIRE_BINDING, "AG1"},
	{"authenticate answers a short rate", DB_WIRE_BINDING, "AH1"},
	{"authenticate answers that less than nothing is left", DB_WIRE_BINDING, "AI1"},
	{"authenticate answers half an organization", DB_WIRE_BINDING, "A%1"},
	{"authenticate answers another request's number", DB_WIRE_BINDING, "Ap1"},
	{"authenticate answers no number", DB_WIRE_BINDING, "Aq1"},
	{"authenticate answers half a number", DB_WIRE_BINDING, "Ar1"},
	{"authenticate answers other columns", DB_WIRE_BINDING, "ia1"},
	{"authenticate answers the number alone", DB_WIRE_BINDING, "jv1"},
	{"authenticate answers what the statement answers", DB_WIRE_BINDING, "Ss1"},
	{"authenticate answers nothing", DB_WIRE_BINDING, ""},
	{"authenticate answers that a command was done", DB_WIRE_BINDING, "b"},
	{"authenticate answers an empty query", DB_WIRE_BINDING, "e"},
	{"the statement answers more columns", DB_WIRE_STATEMENT, "k0"},
	{"the statement answers columns of other types", DB_WIRE_STATEMENT, "ls1"},
	{"the statement answers in text", DB_WIRE_STATEMENT, "ms1"},
	{"the statement answers what authenticate answers", DB_WIRE_STATEMENT, "Aa1"},
	{"a row is missing", DB_WIRE_STATEMENT, "S1"},
	{"a row comes twice", DB_WIRE_STATEMENT, "Sss1"},
	{"the statement's end is missing", DB_WIRE_STATEMENT, "Ss"},
	{"rows without columns", DB_WIRE_STATEMENT, "s1"},
	{"the statement answers nothing", DB_WIRE_STATEMENT, ""},
	{"a result comes twice", DB_WIRE_STATEMENT, "Ss1Ss1"},
	{"an end comes twice", DB_WIRE_STATEMENT, "Ss11"},
	{"another row behind the end", DB_WIRE_STATEMENT, "Ss1s"},
	{"the Sync is answered before the statement", DB_WIRE_STATEMENT, "ZSs1"},
	{"the Sync is answered within the statement", DB_WIRE_STATEMENT, "SZs1"},
	{"a statement is bound before the Sync is answered", DB_WIRE_SYNC, "3Z"},
	{"something is closed before the Sync is answered", DB_WIRE_SYNC, "4Z"},
	{"an error that tells of lost messages", DB_WIRE_STATEMENT, "y"},
	{"an error that tells of an open transaction", DB_WIRE_BINDING, "z"},
	{"what it is sent has no form that authenticate takes", DB_WIRE_BINDING, "#"},
	{"authenticate does not take what it is sent", DB_WIRE_BINDING, "g"},
	{"what it is sent is too much for authenticate", DB_WIRE_BINDING, "t"},
	{"the statement's values are of other types than it is sent", DB_WIRE_STATEMENT, "c"},
	{"the statement runs without authenticate", DB_WIRE_BINDING, "f"},
	{"the statement runs behind authenticate's transaction", DB_WIRE_STATEMENT, "f"},
	{"rows behind an error", DB_WIRE_STATEMENT, "xSs1"},
	{"an error behind the rows that no commit has", DB_WIRE_SYNC, "hZ"},
	{"two errors of one statement", DB_WIRE_STATEMENT, "xx"},
	{"copying in", DB_WIRE_STATEMENT, "5"},
	{"copying out", DB_WIRE_STATEMENT, "6"},
	{"copying both ways", DB_WIRE_STATEMENT, "7"},
	{"a notification", DB_WIRE_SYNC, "8Z"},
	{"the key of another process", DB_WIRE_STATEMENT, "9Ss1"},
	{"an unknown message", DB_WIRE_STATEMENT, "?"},
	{"a warning of an open transaction", DB_WIRE_STATEMENT, "OSs1"},
	{"another encoding", DB_WIRE_SYNC, "QZ"},
	{"other quoting of strings", DB_WIRE_SYNC, "VZ"},
	{"a superuser", DB_WIRE_SYNC, "RZ"},
	{"another role", DB_WIRE_SYNC, "UZ"},
};

/*
 * libpq forgets a result that it has begun when the Sync's comes, which costs memory once,
 * and is not ours to free.
 */
static void
forgive_leaks(const Lie *it)
{
#ifdef __SANITIZE_ADDRESS__
	if (strcmp(it->letters, "Ss") == 0 || strcmp(it->letters, "SZs1") == 0)
		__lsan_disable();
#else
	(void) it;
#endif
}

START_TEST(a_request_that_is_lied_to_is_lost)
{
	const Lie *it = &lies[_i];
	Told told;

	forgive_leaks(it);
	ask(&told);
	tell(it->place, 0, it->letters);
	ask(&told);
	assert_lost(&told, it->what);
	assert_new_connection(it->what);
}
END_TEST

START_TEST(what_is_behind_it_is_lost_and_what_was_before_is_not)
{
	const Lie *it = &lies[_i];
	Told before;
	Told told;
	Told behind;

	forgive_leaks(it);
	ask(&told);
	tell(it->place, 1, it->letters);
	ask_submit(&before, ASK_LONG_MS);
	ask_submit(&told, ASK_LONG_MS);
	ask_submit(&behind, ASK_LONG_MS);
	db_wire_run_until(&wire, &behind.done);
	ck_assert_msg(before.outcome == DB_ROWS, "%s: outcome %d", it->what, (int) before.outcome);
	assert_lost(&told, it->what);
	assert_lost(&behind, it->what);
	assert_new_connection(it->what);
}
END_TEST

/* An answer that has come to the wrong request, whole as it is. */
START_TEST(an_answer_that_slips_to_the_next_request_is_lost)
{
	Told told;
	Told behind;

	ask(&told);
	tell(DB_WIRE_SYNC, 0, "ZAp1Ss1Z");
	ask_submit(&told, ASK_LONG_MS);
	ask_submit(&behind, ASK_LONG_MS);
	db_wire_run_until(&wire, &behind.done);
	ck_assert_int_eq(told.outcome, DB_ROWS);
	assert_lost(&behind, "slipped");
	assert_new_connection("slipped");
}
END_TEST

START_TEST(a_sync_that_is_answered_twice_answers_one_request)
{
	Told told;
	Told behind;

	ask(&told);
	tell(DB_WIRE_SYNC, 0, "ZZ");
	ask_submit(&told, ASK_LONG_MS);
	ask_submit(&behind, ASK_LONG_MS);
	db_wire_run_until(&wire, &behind.done);
	ck_assert_int_eq(told.outcome, DB_ROWS);
	assert_lost(&behind, "twice");
	assert_new_connection("twice");
}
END_TEST

START_TEST(what_comes_unasked_ends_the_connection)
{
	static const char *const unasked[] = {"Ss1", "Z", "T", "x", "8", "O", "Q", "9", "3", "?"};

	Told told;

	ask(&told);
	add(unasked[_i]);
	db_wire_say(&wire, lie.data, lie.len);
	db_wire_run(&wire, 20);
	assert_new_connection(unasked[_i]);
}
END_TEST

START_TEST(what_servers_may_say_unasked_changes_nothing)
{
	Told told;

	ask(&told);
	add("NP");
	db_wire_say(&wire, lie.data, lie.len);
	db_wire_run(&wire, 20);
	buffer_clear(&lie);
	tell(DB_WIRE_SYNC, 0, "NPZN");
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_ROWS);
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_ROWS);
	ck_assert_int_eq(wire.logins, 1);
	ck_assert_uint_eq(db_protocol_violations(), 0);
}
END_TEST

START_TEST(the_rate_of_a_key_is_told)
{
	Told told;

	ask(&told);
	ck_assert_int_eq(told.rate.per_minute, 0);
	tell(DB_WIRE_BINDING, 0, "AE1");
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_ROWS);
	ck_assert_int_eq(told.rate.per_minute, 60);
	ck_assert_int_eq(told.rate.left, 9);
	ck_assert_int_eq(told.rate.full_in, 2);
	/* not to the next request */
	ask(&told);
	ck_assert_int_eq(told.rate.per_minute, 0);
}
END_TEST

START_TEST(a_credential_that_is_refused_is_an_answer)
{
	static const char *const refusals[] = {"h", "x", "d"};
	static const char *const sqlstates[] = {"22P02", "42501", "54000"};
	Told told;
	Told behind;

	tell(DB_WIRE_BINDING, 0, refusals[_i]);
	ask_submit(&told, ASK_LONG_MS);
	ask_submit(&behind, ASK_LONG_MS);
	db_wire_run_until(&wire, &behind.done);
	ck_assert_int_eq(told.outcome, DB_REFUSED);
	ck_assert_str_eq(told.sqlstate, sqlstates[_i]);
	ck_assert_int_eq(wire.logins, 1);
	ck_assert_uint_eq(db_protocol_violations(), 0);
}
END_TEST

static const struct
{
	const char *answer;
	const char *sqlstate;
} failing_commits[] = {{"wZ", "40001"}, {"BZ", "55000"}, {"CZ", "P0002"}, {"DZ", "42501"}};

START_TEST(a_commit_that_fails_is_an_answer)
{
	Told told;

	tell(DB_WIRE_SYNC, 0, failing_commits[_i].answer);
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_REFUSED);
	ck_assert_str_eq(told.sqlstate, failing_commits[_i].sqlstate);
	ask(&told);
	ck_assert_int_eq(told.outcome, DB_ROWS);
	ck_assert_int_eq(wire.logins, 1);
	ck_assert_uint_eq(db_protocol_violations(), 0);
}
END_TEST

START_TEST(a_request_without_a_credential_is_tied_to_its_answer_too)
{
	Told told;
	DbRequest *request;

	ask(&told);
	request = db_request_new(db_statement_find("gateway", "ready"), DB_LANE_FAST, ASK_LONG_MS,
							 ask_told, &told);

	told = (Told){0};
	tell(DB_WIRE_BINDING, 0, "Ap1");
	ck_assert(db_submit(db, request));
	db_wire_run_until(&wire, &told.done);
	assert_lost(&told, "unbound");
	assert_new_connection("unbound");
}
END_TEST

START_TEST(statements_that_are_not_as_known_are_not_prepared)
{
	static const Lie lies_at_start[] = {
		{"authenticate has other columns", DB_WIRE_PREPARED, "i"},
		{"authenticate has one column", DB_WIRE_PREPARED, "j"},
		{"authenticate takes nothing", DB_WIRE_PREPARED, "A"},
		{"a result that nothing was asked for", DB_WIRE_LOGIN, "Ss1"},
		{"an open transaction", DB_WIRE_LOGIN, "T"},
	};
	const Lie *it = &lies_at_start[_i];

	tell(it->place, 0, it->letters);
	for (int i = 0; i < 100 && !db_ready(db); i++)
		db_wire_run(&wire, 20);
	assert_new_connection(it->what);
}
END_TEST

static void
add_tests(TCase *cases)
{
	int count = (int) (sizeof(lies) / sizeof(lies[0]));

	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_loop_test(cases, a_request_that_is_lied_to_is_lost, 0, count);
	tcase_add_loop_test(cases, what_is_behind_it_is_lost_and_what_was_before_is_not, 0, count);
	tcase_add_test(cases, an_answer_that_slips_to_the_next_request_is_lost);
	tcase_add_test(cases, a_sync_that_is_answered_twice_answers_one_request);
	tcase_add_loop_test(cases, what_comes_unasked_ends_the_connection, 0, 10);
	tcase_add_test(cases, what_servers_may_say_unasked_changes_nothing);
	tcase_add_test(cases, the_rate_of_a_key_is_told);
	tcase_add_loop_test(cases, a_credential_that_is_refused_is_an_answer, 0, 3);
	tcase_add_loop_test(cases, a_commit_that_fails_is_an_answer, 0, 4);
	tcase_add_test(cases, a_request_without_a_credential_is_tied_to_its_answer_too);
	tcase_add_loop_test(cases, statements_that_are_not_as_known_are_not_prepared, 0, 5);
}

SUITE_WITH("db_protocol", add_tests)
