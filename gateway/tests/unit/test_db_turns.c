/*
 * test_db_turns.c
 *		The pool serves organizations and addresses in turns, whatever one of them asks for.
 *
 * What counts is how many of another's requests are answered first, and not how long it takes.
 */
#include <stdio.h>
#include <string.h>

#include "db/db_internal.h"
#include "tests/unit/db_ask.h"
#include "tests/unit/suite.h"

#define IN_FLIGHT 8
#define QUEUE 100
#define MANY 40
#define ADDRESS "192.0.2.1"
#define OTHER "192.0.2.2"

/* In the order in which they are told, and what they are told. */
static Told told[QUEUE * 2];
static int order[QUEUE * 2];
static int told_count;

static void
on_told(void *arg, const DbResult *result)
{
	ask_told(arg, result);
	order[told_count++] = (int) ((Told *) arg - told);
}

static void
start(int connections)
{
	ask_start_with((DbConfig){.connections = connections,
							  .in_flight = IN_FLIGHT,
							  .queue = QUEUE,
							  .slow_connections = 1,
							  .fair = true});
	while (db_stats(db, DB_LANE_FAST).ready < connections || db_stats(db, DB_LANE_SLOW).ready < 1)
		db_wire_run(&wire, 1);
	memset(told, 0, sizeof(told));
	told_count = 0;
}

static DbRequest *
submit(int number, DbLaneName lane, const char *credential, const char *address)
{
	DbRequest *request = db_request_new(db_statement_find("gateway", "me"), lane, ASK_LONG_MS,
										on_told, &told[number]);

	ck_assert_ptr_nonnull(request);
	db_request_address(request, address, strlen(address));
	if (credential != NULL)
		ck_assert(db_request_credential(request, credential, strlen(credential), "read"));
	ck_assert(db_submit(db, request));
	return request;
}

static void
run_until_told(int number)
{
	db_wire_run_until(&wire, &told[number].done);
}

/* Fills the pipelines, while the server answers nothing. */
static void
dispatch(void)
{
	DbLane *lane = &db->lanes[DB_LANE_FAST];

	event_get_callback(lane->dispatch)(-1, 0, lane);
}

static void
tick(void)
{
	event_get_callback(db->tick)(-1, 0, db);
}

/* How many were told before that one. */
static int
before(int number)
{
	int place = 0;

	while (order[place] != number)
		place++;
	return place;
}

START_TEST(a_newcomer_is_served_before_what_others_have_queued)
{
	start(2);
	for (int i = 0; i < MANY; i++)
		submit(i, DB_LANE_FAST, NULL, ADDRESS);
	submit(MANY, DB_LANE_FAST, NULL, OTHER);
	run_until_told(MANY);
	ck_assert_int_le(before(MANY), IN_FLIGHT + 1);
	for (int i = 0; i < MANY; i++)
	{
		run_until_told(i);
		ck_assert_int_eq(told[i].outcome, DB_ROWS);
	}
}
END_TEST

/* One of several connections does not fill up with one organization's requests. */
START_TEST(one_connection_is_kept_for_who_has_nothing_under_way)
{
	start(4);
	for (int i = 0; i < MANY; i++)
		submit(i, DB_LANE_FAST, NULL, ADDRESS);
	dispatch();
	ck_assert_int_eq(db_stats(db, DB_LANE_FAST).in_flight, 3 * IN_FLIGHT);
	ck_assert_int_eq(db->lanes[DB_LANE_FAST].connections[0].in_flight_count, 0);
	submit(MANY, DB_LANE_FAST, NULL, OTHER);
	dispatch();
	ck_assert_int_eq(db->lanes[DB_LANE_FAST].connections[0].in_flight_count, 1);
	run_until_told(MANY);
	ck_assert_int_eq(told[MANY].outcome, DB_ROWS);
	run_until_told(MANY - 1);
}
END_TEST

/* Also when it came there first, while the other had requests of somebody else. */
START_TEST(who_is_on_the_kept_connection_is_on_no_other)
{
	const DbConnection *connections;

	start(2);
	connections = db->lanes[DB_LANE_FAST].connections;
	submit(MANY, DB_LANE_FAST, NULL, OTHER);
	for (int i = 0; i < MANY; i++)
		submit(i, DB_LANE_FAST, NULL, ADDRESS);
	dispatch();
	ck_assert_int_eq(connections[0].in_flight_count, 1);
	ck_assert_str_eq(TAILQ_FIRST(&connections[0].in_flight)->address, ADDRESS);
	ck_assert_int_eq(connections[1].in_flight_count, 1);
	run_until_told(MANY - 1);
}
END_TEST

START_TEST(the_share_shrinks_when_others_are_there)
{
	static const char *const addresses[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"};
	int most = 0;

	start(1);
	for (int i = 0; i < MANY; i++)
		submit(i, DB_LANE_FAST, NULL, addresses[i % 4]);
	dispatch();
	for (int i = 0; i < 4; i++)
	{
		const DbRequest *request;
		int count = 0;

		TAILQ_FOREACH(request, &db->lanes[DB_LANE_FAST].connections[0].in_flight, link)
		count += strcmp(request->address, addresses[i]) == 0 ? 1 : 0;
		most = count > most ? count : most;
	}
	ck_assert_int_eq(most, IN_FLIGHT / 4);
	run_until_told(MANY - 1);
}
END_TEST

START_TEST(slow_statements_take_turns_one_by_one)
{
	start(1);
	for (int i = 0; i < MANY; i++)
		submit(i, DB_LANE_SLOW, NULL, ADDRESS);
	submit(MANY, DB_LANE_SLOW, NULL, OTHER);
	run_until_told(MANY);
	ck_assert_int_le(before(MANY), 1);
}
END_TEST

/* An organization with many keys is one; an address from which keys are guessed, too. */
START_TEST(many_credentials_get_no_more_turns_than_one)
{
	char key[16];

	start(1);
	for (int i = 0; i < MANY; i++)
	{
		snprintf(key, sizeof(key), "wa_%d", i);
		submit(i, DB_LANE_FAST, key, _i == 0 ? OTHER : ADDRESS);
	}
	for (int i = 0; i < MANY; i++)
		run_until_told(i);
	ck_assert_int_eq(owners_known(db->owners), MANY);
	told_count = 0;
	memset(told, 0, sizeof(told));
	for (int i = 0; i < MANY; i++)
	{
		snprintf(key, sizeof(key), _i == 2 ? "wa_unknown%d" : "wa_%d", i);
		submit(i, DB_LANE_FAST, key, ADDRESS);
	}
	submit(MANY, DB_LANE_FAST, NULL, OTHER);
	run_until_told(MANY);
	ck_assert_int_le(before(MANY), IN_FLIGHT + 1);
}
END_TEST

START_TEST(a_credential_that_is_refused_is_of_no_organization_any_more)
{
	Buffer lie;

	start(1);
	submit(0, DB_LANE_FAST, "wa_x", ADDRESS);
	run_until_told(0);
	ck_assert_int_eq(owners_known(db->owners), 1);
	buffer_init(&lie, 1000);
	db_wire_message(&lie, 'E', "SERROR\0C28000\0Mno\0", 19);
	wire.lie = (DbWireLie){.place = DB_WIRE_BINDING, .bytes = lie.data, .len = lie.len};
	submit(1, DB_LANE_FAST, "wa_x", ADDRESS);
	run_until_told(1);
	ck_assert_int_eq(told[1].outcome, DB_REFUSED);
	ck_assert_int_eq(owners_known(db->owners), 0);
	buffer_free(&lie);
}
END_TEST

/* ---- credentials that are not known yet ---- */

/* The server gives every credential the same organization. */
static bool
has_statement(const DbConnection *connection)
{
	const DbRequest *request;

	TAILQ_FOREACH(request, &connection->in_flight, link)
	{
		if (!request->asks)
			return true;
	}
	return false;
}

/* Runs until that one is told.  The organization never has statements on all connections. */
static void
run_with_one_left(int number)
{
	const DbLane *lane = &db->lanes[DB_LANE_FAST];

	while (!told[number].done)
	{
		int busy = 0;

		for (int i = 0; i < lane->connection_count; i++)
			busy += has_statement(&lane->connections[i]) ? 1 : 0;
		ck_assert_int_lt(busy, lane->connection_count);
		event_base_loop(wire.base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
	}
	ck_assert_int_eq(told[number].outcome, DB_ROWS);
}

static void
submit_fresh(int number)
{
	char key[16];

	snprintf(key, sizeof(key), "wa_fresh%d", number);
	submit(number, DB_LANE_FAST, key, ADDRESS);
}

static void
start_with_a_known_key(int connections)
{
	start(connections);
	submit(MANY, DB_LANE_FAST, "wa_known", ADDRESS);
	run_until_told(MANY);
	memset(told, 0, sizeof(told));
	told_count = 0;
}

/* Known ones first: what is kept is given to a fresh one, whose statement is not sent there. */
START_TEST(a_fresh_key_of_an_organization_with_requests_gets_no_more_connections)
{
	const DbConnection *connections;

	start_with_a_known_key(_i);
	connections = db->lanes[DB_LANE_FAST].connections;
	for (int i = 0; i < MANY; i++)
		submit(i, DB_LANE_FAST, "wa_known", ADDRESS);
	dispatch();
	submit_fresh(MANY);
	dispatch();
	ck_assert_int_eq(connections[0].in_flight_count, 1);
	ck_assert(TAILQ_FIRST(&connections[0].in_flight)->asks);
	for (int i = 0; i <= MANY; i++)
		run_with_one_left(i);
	ck_assert_int_eq(owners_known(db->owners), 2);
	ck_assert_int_eq(db_stats(db, DB_LANE_FAST).owners, 0);
}
END_TEST

/* Fresh ones first, and both mixed. */
START_TEST(fresh_and_known_keys_of_an_organization_leave_one_connection)
{
	start_with_a_known_key(_i);
	for (int i = 0; i < MANY; i++)
		submit_fresh(i);
	dispatch();
	for (int i = MANY; i < QUEUE / 2; i++)
	{
		if (i % 3 == 0)
			submit_fresh(i);
		else
			submit(i, DB_LANE_FAST, "wa_known", ADDRESS);
		event_base_loop(wire.base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
	}
	for (int i = 0; i < QUEUE / 2; i++)
		run_with_one_left(i);
}
END_TEST

/* A key may have a rate, and its requests are counted for its owner. */
START_TEST(each_request_with_a_fresh_key_is_authenticated_once)
{
	start(2);
	for (int i = 0; i < MANY; i++)
		submit(i, DB_LANE_FAST, "wa_fresh", ADDRESS);
	for (int i = 0; i < MANY; i++)
		run_with_one_left(i);
	ck_assert_int_ge(wire.questions, IN_FLIGHT);
	ck_assert_int_eq(wire.authenticated, MANY);
	ck_assert_int_eq(wire.executed, MANY);
}
END_TEST

/* What the server answers in place of an organization. */
static const struct
{
	const char *answer;
	size_t len;
	char type;
	int authenticated; /* whether the request was sent then */
	DbOutcome outcome;
} answers[] = {
	/* a row with NULL: the credential is not valid */
	{"\0\1\377\377\377\377", 6, 'D', 1, DB_ROWS},
	/* the text is no credential, says the type */
	{"SERROR\0C22P02\0Fsecret.c\0Mno\0", 29, 'E', 1, DB_ROWS},
	{"SERROR\0C57014\0Mno\0", 19, 'E', 0, DB_REFUSED},
	/* an answer of two columns */
	{"\0\2\377\377\377\377\377\377\377\377", 10, 'D', 0, DB_UNAVAILABLE},
};

START_TEST(only_a_credential_that_is_not_valid_is_sent_to_be_authenticated)
{
	static const char columns[] = "\0\1c\0\0\0\0\0\0\0\0\0\x0b\x86\377\377\377\377\377\377\0\1";
	Buffer lie;

	start(2);
	buffer_init(&lie, 1000);
	if (answers[_i].type == 'D')
		db_wire_message(&lie, 'T', columns, sizeof(columns) - 1);
	db_wire_message(&lie, answers[_i].type, answers[_i].answer, answers[_i].len);
	if (answers[_i].type == 'D')
		db_wire_message(&lie, 'C', "SELECT 1", 9);
	wire.lie = (DbWireLie){.place = DB_WIRE_QUESTION, .bytes = lie.data, .len = lie.len};
	submit_fresh(0);
	run_until_told(0);
	ck_assert_int_eq(told[0].outcome, answers[_i].outcome);
	ck_assert_int_eq(wire.questions, 0);
	ck_assert_int_eq(wire.authenticated, answers[_i].authenticated);
	ck_assert_int_eq(wire.executed, answers[_i].authenticated);
	buffer_free(&lie);
}
END_TEST

/* The server stops at what was sent to the other connections first. */
START_TEST(a_fresh_key_asks_where_nothing_is_slow)
{
	const DbConnection *connections;

	start_with_a_known_key(3);
	connections = db->lanes[DB_LANE_FAST].connections;
	for (int i = 0; i < 2; i++)
		submit(i, DB_LANE_FAST, "wa_known", ADDRESS);
	for (int i = 2; i < IN_FLIGHT; i++)
		submit_fresh(i);
	dispatch();
	ck_assert_int_eq(connections[0].in_flight_count, IN_FLIGHT - 2);
	ck_assert_int_eq(connections[1].in_flight_count, 1);
	ck_assert_int_eq(connections[2].in_flight_count, 1);
	for (int i = 0; i < IN_FLIGHT; i++)
		run_with_one_left(i);
}
END_TEST

/* Questions are on the kept connection, and slow statements of the same organization on the other. */
START_TEST(who_has_nothing_under_way_gets_the_kept_connection_beside_questions)
{
	const DbConnection *connections;

	start_with_a_known_key(2);
	connections = db->lanes[DB_LANE_FAST].connections;
	for (int i = 0; i < 2; i++)
		submit(i, DB_LANE_FAST, "wa_known", ADDRESS);
	for (int i = 2; i < MANY; i++)
		submit_fresh(i);
	dispatch();
	ck_assert_int_eq(connections[0].in_flight_count, IN_FLIGHT - 1);
	ck_assert_int_eq(connections[1].in_flight_count, 2);
	submit(MANY, DB_LANE_FAST, NULL, OTHER);
	dispatch();
	ck_assert_int_eq(connections[0].in_flight_count, IN_FLIGHT);
	ck_assert_str_eq(TAILQ_LAST(&connections[0].in_flight, RequestList)->address, OTHER);
	for (int i = 0; i <= MANY; i++)
		run_until_told(i);
}
END_TEST

START_TEST(a_fresh_key_that_is_refused_is_told_so)
{
	Buffer lie;

	start(2);
	buffer_init(&lie, 1000);
	db_wire_message(&lie, 'E', "SERROR\0C28000\0Mno\0", 19);
	/* behind the binding of the question */
	wire.lie =
		(DbWireLie){.place = DB_WIRE_BINDING, .passes = 1, .bytes = lie.data, .len = lie.len};
	submit_fresh(0);
	run_until_told(0);
	ck_assert_int_eq(told[0].outcome, DB_REFUSED);
	ck_assert_str_eq(told[0].sqlstate, "28000");
	ck_assert_int_eq(owners_known(db->owners), 0);
	submit_fresh(1);
	run_until_told(1);
	ck_assert_int_eq(told[1].outcome, DB_ROWS);
	ck_assert_int_eq(wire.logins, 3);
	buffer_free(&lie);
}
END_TEST

/* Its statement would do what nobody waits for. */
START_TEST(who_leaves_before_the_statement_is_sent_has_none_sent)
{
	DbRequest *request;

	start(2);
	wire.script = DB_WIRE_ERROR;
	request = submit(0, DB_LANE_FAST, "wa_fresh0", ADDRESS);
	dispatch();
	db_abandon(request);
	while (db_stats(db, DB_LANE_FAST).in_flight > 0)
		db_wire_run(&wire, 1);
	ck_assert(!told[0].done);
	ck_assert_int_eq(owners_known(db->owners), 1);
	ck_assert_int_eq(wire.executed, 0);
	wire.script = DB_WIRE_ROW;
	submit_fresh(1);
	run_until_told(1);
	ck_assert_int_eq(told[1].outcome, DB_ROWS);
	ck_assert_int_eq(wire.executed, 1);
}
END_TEST

/* ---- the bounds ---- */

START_TEST(who_has_half_of_the_queue_gets_no_more_and_others_do)
{
	int crowded = 0;

	start(1);
	for (int i = 0; i < QUEUE; i++)
		submit(i, DB_LANE_FAST, NULL, ADDRESS);
	submit(QUEUE, DB_LANE_FAST, NULL, OTHER);
	for (int i = 0; i <= QUEUE; i++)
	{
		run_until_told(i);
		crowded += told[i].outcome == DB_CROWDED ? 1 : 0;
	}
	ck_assert_int_eq(crowded, QUEUE / 2);
	ck_assert_int_eq(told[QUEUE].outcome, DB_ROWS);
	ck_assert_int_eq(told[QUEUE / 2 - 1].outcome, DB_ROWS);
	ck_assert_uint_eq(db_stats(db, DB_LANE_FAST).crowded, QUEUE / 2);
	ck_assert_int_eq(db_stats(db, DB_LANE_FAST).owners, 0);
}
END_TEST

/* A client that asks again as soon as it is refused has to wait for each refusal. */
START_TEST(who_has_too_many_is_told_at_a_bounded_pace)
{
	start(1);
	for (int i = 0; i < QUEUE; i++)
		submit(i, DB_LANE_FAST, NULL, ADDRESS);
	dispatch();
	ck_assert_int_eq(told_count, 0);
	tick();
	ck_assert_int_eq(told_count, DB_CROWDED_TOLD);
	tick();
	ck_assert_int_eq(told_count, QUEUE / 2);
	for (int i = 0; i < told_count; i++)
		ck_assert_int_eq(told[order[i]].outcome, DB_CROWDED);
	for (int i = 0; i < QUEUE; i++)
		run_until_told(i);
}
END_TEST

/* The client of a refused request leaves before it is told. */
START_TEST(who_has_too_many_may_leave_before_being_told)
{
	DbRequest *refused = NULL;

	start(1);
	for (int i = 0; i <= QUEUE / 2; i++)
		refused = submit(i, DB_LANE_FAST, NULL, ADDRESS);
	db_abandon(refused);
	tick();
	ck_assert_int_eq(told_count, 0);
	for (int i = 0; i < QUEUE / 2; i++)
		run_until_told(i);
}
END_TEST

/* The queue is full of three; a fourth comes and is served. */
START_TEST(when_the_queue_is_full_the_longest_loses_and_not_the_newcomer)
{
	static const char *const addresses[] = {"192.0.2.3", "192.0.2.4", "192.0.2.5"};
	int crowded = 0;

	start(1);
	for (int i = 0; i < QUEUE; i++)
		submit(i, DB_LANE_FAST, NULL, addresses[i % 3]);
	for (int i = QUEUE; i < QUEUE + 10; i++)
		submit(i, DB_LANE_FAST, NULL, OTHER);
	for (int i = 0; i < QUEUE + 10; i++)
	{
		run_until_told(i);
		crowded += told[i].outcome == DB_CROWDED ? 1 : 0;
	}
	ck_assert_int_eq(crowded, 10);
	for (int i = QUEUE; i < QUEUE + 10; i++)
		ck_assert_int_eq(told[i].outcome, DB_ROWS);
}
END_TEST

START_TEST(who_leaves_is_not_told_and_makes_room)
{
	DbRequest *requests[QUEUE];

	start(1);
	for (int i = 0; i < QUEUE; i++)
		requests[i] = submit(i, DB_LANE_FAST, NULL, ADDRESS);
	/* one that waits, and one that was just refused */
	db_abandon(requests[QUEUE / 2 - 1]);
	db_abandon(requests[QUEUE - 1]);
	ck_assert_int_eq(db_stats(db, DB_LANE_FAST).queued, QUEUE / 2 - 1);
	submit(QUEUE, DB_LANE_FAST, NULL, ADDRESS);
	run_until_told(QUEUE);
	ck_assert_int_eq(told[QUEUE].outcome, DB_ROWS);
	ck_assert(!told[QUEUE / 2 - 1].done);
	ck_assert(!told[QUEUE - 1].done);
}
END_TEST

/* ask_stop() closes the pool. */
static void
stop(void)
{
	int waiting = db_stats(db, DB_LANE_FAST).queued;

	ask_stop();
	ck_assert_int_ge(told_count, waiting);
}

START_TEST(closing_tells_everybody)
{
	start(1);
	for (int i = 0; i < QUEUE; i++)
		submit(i, DB_LANE_FAST, NULL, ADDRESS);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, NULL, stop);
	tcase_add_test(cases, a_newcomer_is_served_before_what_others_have_queued);
	tcase_add_test(cases, one_connection_is_kept_for_who_has_nothing_under_way);
	tcase_add_test(cases, who_is_on_the_kept_connection_is_on_no_other);
	tcase_add_test(cases, the_share_shrinks_when_others_are_there);
	tcase_add_test(cases, slow_statements_take_turns_one_by_one);
	tcase_add_loop_test(cases, many_credentials_get_no_more_turns_than_one, 0, 3);
	tcase_add_test(cases, a_credential_that_is_refused_is_of_no_organization_any_more);
	tcase_add_loop_test(
		cases, a_fresh_key_of_an_organization_with_requests_gets_no_more_connections, 2, 5);
	tcase_add_loop_test(cases, fresh_and_known_keys_of_an_organization_leave_one_connection, 2, 5);
	tcase_add_test(cases, each_request_with_a_fresh_key_is_authenticated_once);
	tcase_add_loop_test(cases, only_a_credential_that_is_not_valid_is_sent_to_be_authenticated, 0,
						(int) (sizeof(answers) / sizeof(answers[0])));
	tcase_add_test(cases, a_fresh_key_asks_where_nothing_is_slow);
	tcase_add_test(cases, who_has_nothing_under_way_gets_the_kept_connection_beside_questions);
	tcase_add_test(cases, a_fresh_key_that_is_refused_is_told_so);
	tcase_add_test(cases, who_leaves_before_the_statement_is_sent_has_none_sent);
	tcase_add_test(cases, who_has_half_of_the_queue_gets_no_more_and_others_do);
	tcase_add_test(cases, who_has_too_many_is_told_at_a_bounded_pace);
	tcase_add_test(cases, who_has_too_many_may_leave_before_being_told);
	tcase_add_test(cases, when_the_queue_is_full_the_longest_loses_and_not_the_newcomer);
	tcase_add_test(cases, who_leaves_is_not_told_and_makes_room);
	tcase_add_test(cases, closing_tells_everybody);
}

SUITE_WITH("db_turns", add_tests)
