/*
 * test_sandbox_jobs.c
 *		What happens to a message or an action from its claim to its end.
 */
#include <event2/event.h>
#include <string.h>

#include "lib/log.h"
#include "media/store.h"
#include "sandbox/jobs.h"
#include "tests/unit/db_stage.h"
#include "tests/unit/suite.h"

#define POLL_MS 600000
#define COLUMNS 11 /* the last three are the digest, media type and size of a file */
#define REPORTS 8  /* the most that a test answers at once */
#define SOMEBODY "4915112345678@s.whatsapp.net"
#define NOBODY "15550000000@s.whatsapp.net"
#define COPY "01234567-89ab-7def-8123-456789abcdef"

static Sandbox sandbox;
static Jobs *jobs;
static int drained;

static void
on_drained(void *context)
{
	ck_assert_ptr_null(context);
	drained++;
}

static void
run(void)
{
	for (int i = 0; i < 5; i++)
		event_base_loop(sandbox.base, EVLOOP_NONBLOCK);
}

static void
start_jobs(void)
{
	jobs = jobs_start(&sandbox, POLL_MS, on_drained, NULL);
	ck_assert_ptr_nonnull(jobs);
	run();
}

static void
start(void)
{
	char error[64];

	log_set_level(LOG_LEVEL_ERROR + 1);
	ck_assert(statements_find(&sandbox_statements, error, sizeof(error)));
	sandbox =
		(Sandbox){.base = event_base_new(), .owner = "me", .lease_ms = 15000, .reports_max = 10};
	drained = 0;
	start_jobs();
}

static void
stop(void)
{
	jobs_free(jobs);
	ck_assert_int_eq(db_stage_count(), 0);
	event_base_free(sandbox.base);
}

/* ---- the database ---- */

/* The number of the claim, as PostgreSQL sends it. */
static const uint8_t attempt[4] = {0, 0, 0, 7};

/* One row; the last three texts are chat, type and body, or type, to and copy. */
static void
claim(const char *statement, uint8_t number, const char *fourth, const char *fifth,
	  const char *sixth, bool maybe_sent)
{
	static const uint8_t org[DB_UUID_SIZE] = {1};
	static const uint8_t session[DB_UUID_SIZE] = {2};
	const uint8_t id[DB_UUID_SIZE] = {3, number};
	const char flag = maybe_sent ? 1 : 0;
	const DbStageCell cells[COLUMNS] = {{org, DB_UUID_SIZE},
										{id, DB_UUID_SIZE},
										{session, DB_UUID_SIZE},
										{fourth, (int) strlen(fourth)},
										{fifth, fifth == NULL ? 0 : (int) strlen(fifth)},
										{sixth, sixth == NULL ? 0 : (int) strlen(sixth)},
										{&flag, 1},
										{attempt, sizeof(attempt)}};

	db_stage_answer_rows(statement, 1, COLUMNS, cells);
	run();
}

static void
claim_text(const char *body)
{
	claim("claim", 0, SOMEBODY, "text", body, false);
	ck_assert_int_eq(jobs_count(jobs), 1);
}

/* Whether the statement on its way begins with such a report. */
static bool
is_reported(const char *report)
{
	const DbRequest *request = db_stage_find("report");
	char beginning[40];

	snprintf(beginning, sizeof(beginning), "[{\"report\":\"%s\",", report);
	return request != NULL && strncmp(request->bytes.data, beginning, strlen(beginning)) == 0;
}

/* Row by row: whether the database says that it has changed something. */
static void
answer(int rows, const char *changed)
{
	DbStageCell cells[4 * REPORTS];

	for (int i = 0; i < rows; i++)
	{
		const DbStageCell row[] = {{changed[i] == '!'   ? NULL
									: changed[i] == 't' ? "\1"
														: "\0",
									1},
								   {NULL, 0},
								   {changed[i] == '!' ? "22023" : NULL, 5},
								   {changed[i] == '!' ? "x" : NULL, 1}};

		memcpy(cells + 4 * i, row, sizeof(row));
	}
	db_stage_answer_rows("report", rows, 4, cells);
	run();
}

/* The report that is awaited came, and the database says whether it has changed anything. */
static void
take(const char *report, bool changed)
{
	ck_assert_msg(is_reported(report), "%s is not reported", report);
	answer(1, changed ? "t" : "f");
}

static void
refuse(const char *report, DbOutcome outcome, const char *sqlstate)
{
	ck_assert_msg(is_reported(report), "%s is not reported", report);
	db_stage_refuse("report", outcome, sqlstate);
	run();
}

/* Until what could not be reported is reported again. */
static void
wait_for(const char *report)
{
	while (!is_reported(report))
		event_base_loop(sandbox.base, EVLOOP_ONCE);
}

/* Nothing more is asked but the other claim, which was not answered. */
static void
assert_gone(void)
{
	ck_assert_int_eq(jobs_count(jobs), 0);
	ck_assert_int_eq(db_stage_count(), 1);
}

/* ---- messages ---- */

START_TEST(a_text_is_sent_delivered_read_and_answered)
{
	claim_text("hello");
	take("sent", true);
	take("status", true);
	take("status", true);
	take("receive", true);
	assert_gone();
}
END_TEST

START_TEST(a_text_gets_the_reaction_and_the_message_of_the_phone_that_it_asks_for)
{
	claim_text("react, my phone");
	take("sent", true);
	take("status", true);
	take("status", true);
	take("change", true);
	take("receive", true);
	take("receive", true);
	assert_gone();
}
END_TEST

START_TEST(what_is_no_text_is_not_answered)
{
	claim("claim", 0, SOMEBODY, "image", "react", false);
	take("sent", true);
	take("status", true);
	take("status", true);
	assert_gone();
}
END_TEST

/* The report on its way is an answer with this member. */
static void
take_answer(const char *member)
{
	const DbRequest *request = db_stage_find("report");

	ck_assert_ptr_nonnull(request);
	ck_assert_msg(strstr(request->bytes.data, member) != NULL, "%s", request->bytes.data);
	take("receive", true);
}

START_TEST(a_text_that_asks_for_a_file_gets_it)
{
	sandbox.media = (struct MediaStore *) &sandbox; /* only whether there is one is asked */
	claim_text("please SEND A PICTURE");
	take("sent", true);
	take("status", true);
	take("status", true);
	take_answer("\"type\":\"image\",\"media\":{\"reference\":\"sandbox:picture.png\"");
	assert_gone();
}
END_TEST

START_TEST(without_a_store_it_gets_the_text)
{
	claim_text("send a picture");
	take("sent", true);
	take("status", true);
	take("status", true);
	take_answer("\"type\":\"text\",\"body\":\"send a picture\"");
	assert_gone();
}
END_TEST

static void
claim_file(const char *caption)
{
	static const uint8_t id[DB_UUID_SIZE] = {1};
	static const uint8_t digest[MEDIA_DIGEST_SIZE] = {0xab};
	static const char size[] = {0, 0, 0, 0, 0, 0, 0, 42};
	static const char flag = 0;
	const DbStageCell cells[COLUMNS] = {{id, DB_UUID_SIZE},
										{id, DB_UUID_SIZE},
										{id, DB_UUID_SIZE},
										{SOMEBODY, sizeof(SOMEBODY) - 1},
										{"document", 8},
										{caption, (int) strlen(caption)},
										{&flag, 1},
										{attempt, sizeof(attempt)},
										{digest, MEDIA_DIGEST_SIZE},
										{"text/plain", 10},
										{size, sizeof(size)}};

	sandbox.media = (struct MediaStore *) &sandbox;
	db_stage_answer_rows("claim", 1, COLUMNS, cells);
	run();
	take("sent", true);
	take("status", true);
	take("status", true);
}

START_TEST(a_file_is_sent_back_to_who_asks)
{
	claim_file("Send it back!");
	take_answer("\"type\":\"document\",\"media\":{\"reference\":\"sandbox:store:ab00");
	assert_gone();
}
END_TEST

START_TEST(without_being_asked_nobody_sends_a_file_back)
{
	claim_file("look");
	assert_gone();
}
END_TEST

START_TEST(a_message_to_nobody_fails)
{
	claim("claim", 0, NOBODY, "text", "hello", false);
	ck_assert_ptr_nonnull(strstr(db_stage_find("report")->bytes.data, "\"attempt\":7"));
	take("failed", true);
	assert_gone();
}
END_TEST

/* Its lease has run out here; both have the same ids on the other side. */
START_TEST(what_is_claimed_twice_is_one)
{
	static const uint8_t id[DB_UUID_SIZE] = {1};
	static const char flag = 1;
	DbStageCell cells[2 * COLUMNS];

	for (int i = 0; i < 2; i++)
	{
		const DbStageCell row[COLUMNS] = {{id, DB_UUID_SIZE}, {id, DB_UUID_SIZE},
										  {id, DB_UUID_SIZE}, {SOMEBODY, sizeof(SOMEBODY) - 1},
										  {"image", 5},       {NULL, 0},
										  {&flag, 1},         {attempt, sizeof(attempt)}};

		memcpy(cells + i * COLUMNS, row, sizeof(row));
	}
	db_stage_answer_rows("claim", 2, COLUMNS, cells);
	ck_assert_int_eq(jobs_count(jobs), 1);
}
END_TEST

/* ---- actions ---- */

START_TEST(a_forward_makes_a_message_that_is_delivered_and_read)
{
	claim("actions", 0, "forward", SOMEBODY, COPY, false);
	take("action_done", true);
	take("status", true);
	take("status", true);
	assert_gone();
}
END_TEST

START_TEST(a_forward_to_nobody_fails)
{
	claim("actions", 0, "forward", NOBODY, COPY, false);
	take("action_failed", true);
	assert_gone();
}
END_TEST

START_TEST(another_action_is_done_and_that_is_all)
{
	claim("actions", 0, "edit", NULL, NULL, true);
	/* its message has no id on the other side */
	ck_assert_ptr_null(strstr(db_stage_find("report")->bytes.data, "wa_message_id"));
	take("action_done", true);
	assert_gone();
}
END_TEST

/* ---- outcomes ---- */

START_TEST(a_job_that_somebody_else_has_taken_over_is_left_to_them)
{
	claim_text("hello");
	take("sent", false);
	assert_gone();
}
END_TEST

/* The first report may have come through, and the second finds nothing to change. */
START_TEST(no_news_is_as_good_as_done_once_it_was_reported)
{
	static const DbOutcome unknown[] = {DB_TIMED_OUT, DB_UNAVAILABLE, DB_LOST};

	claim_text("hello");
	refuse("sent", unknown[_i], "");
	wait_for("sent");
	take("sent", false);
	take("status", false);
	take("status", false);
	take("receive", false);
	assert_gone();
}
END_TEST

START_TEST(an_error_that_may_pass_is_tried_again_and_no_other)
{
	static const struct
	{
		const char *sqlstate;
		bool again;
	} errors[] = {{"40001", true},  {"53300", true},  {"25006", true}, {"57P01", true},
				  {"42501", false}, {"23514", false}, {"22023", false}};

	claim_text("hello");
	refuse("sent", DB_REFUSED, errors[_i].sqlstate);
	ck_assert_int_eq(jobs_count(jobs), errors[_i].again ? 1 : 0);
	if (!errors[_i].again)
		return;
	wait_for("sent");
	take("sent", true);
	ck_assert(is_reported("status"));
}
END_TEST

START_TEST(a_report_is_not_made_for_ever)
{
	claim_text("hello");
	for (int i = 1; i <= SANDBOX_ATTEMPTS_MAX; i++)
	{
		wait_for("sent");
		db_stage_refuse("report", DB_LOST, "");
	}
	run();
	assert_gone();
}
END_TEST

/* Nothing was sent, so that what there is to change is still somebody else's. */
START_TEST(what_could_not_be_asked_is_no_attempt)
{
	db_stage_is_full = true;
	claim_text("hello");
	db_stage_is_full = false;
	wait_for("sent");
	take("sent", false);
	assert_gone();
}
END_TEST

/* ---- many reports ---- */

/* Images, which are answered by nobody, of one organization or of each its own. */
static void
claim_images(int count, int organizations)
{
	static const char flag = 0;
	uint8_t orgs[REPORTS][DB_UUID_SIZE] = {{0}};
	uint8_t ids[REPORTS][DB_UUID_SIZE] = {{0}};
	DbStageCell cells[COLUMNS * REPORTS];

	for (int i = 0; i < count; i++)
	{
		const DbStageCell row[COLUMNS] = {{orgs[i], DB_UUID_SIZE},
										  {ids[i], DB_UUID_SIZE},
										  {orgs[i], DB_UUID_SIZE},
										  {SOMEBODY, sizeof(SOMEBODY) - 1},
										  {"image", 5},
										  {NULL, 0},
										  {&flag, 1},
										  {attempt, sizeof(attempt)}};

		orgs[i][0] = (uint8_t) (i % organizations);
		ids[i][0] = (uint8_t) i;
		memcpy(cells + i * COLUMNS, row, sizeof(row));
	}
	db_stage_answer_rows("claim", count, COLUMNS, cells);
	run();
	ck_assert_int_eq(jobs_count(jobs), count);
}

/* How often a text stands in the statement on its way. */
static int
count_of(const char *text)
{
	int count = 0;

	for (const char *at = db_stage_find("report")->bytes.data; (at = strstr(at, text)) != NULL;
		 at++)
		count++;
	return count;
}

START_TEST(what_is_due_together_is_one_statement_and_keeps_its_order)
{
	const char *first;

	claim_images(3, 1);
	ck_assert_int_eq(count_of("\"report\":\"sent\""), 3);
	first = db_stage_find("report")->bytes.data;
	ck_assert(strstr(first, "\"00000000-") < strstr(first, "\"01000000-"));
	ck_assert(strstr(first, "\"01000000-") < strstr(first, "\"02000000-"));
	answer(3, "ttt");
	ck_assert_int_eq(count_of("\"status\":\"delivered\""), 3);
	answer(3, "ttt");
	ck_assert_int_eq(count_of("\"status\":\"read\""), 3);
	answer(3, "ttt");
	assert_gone();
}
END_TEST

START_TEST(a_report_that_is_wrong_takes_no_other_with_it)
{
	claim_images(3, 1);
	/* the first was taken over by somebody else, the second cannot be reported */
	answer(3, "f!t");
	ck_assert_int_eq(jobs_count(jobs), 1);
	ck_assert_int_eq(count_of("\"report\":"), 1);
	take("status", true);
	take("status", true);
	assert_gone();
}
END_TEST

static void
actions_of_the_same(void)
{
	static const uint8_t zeros[DB_UUID_SIZE] = {0};
	static const char flag = 0;
	const DbStageCell cells[COLUMNS] = {{zeros, DB_UUID_SIZE},
										{zeros, DB_UUID_SIZE},
										{zeros, DB_UUID_SIZE},
										{"edit", 4},
										{NULL, 0},
										{NULL, 0},
										{&flag, 1},
										{attempt, sizeof(attempt)}};

	db_stage_answer_rows("actions", 1, COLUMNS, cells);
	run();
	ck_assert_int_eq(jobs_count(jobs), 3);
}

START_TEST(what_comes_meanwhile_waits_for_the_statement_that_is_on_its_way)
{
	claim_images(2, 1);
	ck_assert_int_eq(count_of("\"report\":"), 2);
	actions_of_the_same();
	/* besides the statement there is nothing: both claims are answered */
	ck_assert_int_eq(db_stage_count(), 1);
	answer(2, "ff");
	take("action_done", true);
	ck_assert_int_eq(db_stage_count(), 0);
	ck_assert_int_eq(jobs_count(jobs), 0);
}
END_TEST

START_TEST(a_statement_has_its_most_reports)
{
	jobs_free(jobs);
	sandbox.reports_max = 2;
	start_jobs();
	claim_images(3, 1);
	ck_assert_int_eq(count_of("\"report\":"), 2);
	answer(2, "tt");
	/* the third has waited longest */
	ck_assert_int_eq(count_of("\"report\":\"sent\""), 1);
	ck_assert_int_eq(count_of("\"report\":\"status\""), 1);
}
END_TEST

START_TEST(each_organization_has_a_statement_of_its_own)
{
	claim_images(4, 2);
	/* besides the claim that was not answered */
	ck_assert_int_eq(db_stage_count(), 3);
	ck_assert_int_eq(count_of("\"report\":\"sent\""), 2);
	answer(2, "ff");
	ck_assert_int_eq(count_of("\"report\":\"sent\""), 2);
	answer(2, "ff");
	assert_gone();
}
END_TEST

/* ... although the connection was lost when all of them were on their way. */
START_TEST(a_lost_connection_loses_no_report)
{
	claim_images(3, 1);
	refuse("sent", DB_LOST, "");
	ck_assert_int_eq(jobs_count(jobs), 3);
	for (int taken = 0; taken < 3;)
	{
		int reported;

		wait_for("sent");
		reported = count_of("\"report\":\"sent\"");
		ck_assert_int_eq(reported, count_of("\"report\":"));
		taken += reported;
		/* the database has them already */
		answer(reported, "fff");
		if (taken == 3)
			break;
	}
	ck_assert_int_eq(count_of("\"status\":\"delivered\""), 3);
}
END_TEST

/* The sessions are not leased any more when the answer comes. */
START_TEST(a_job_that_is_forgotten_needs_no_answer)
{
	Sessions *none = sessions_start(&sandbox, POLL_MS, on_drained, NULL);

	claim_images(2, 1);
	jobs_forget(jobs, none);
	ck_assert_int_eq(jobs_count(jobs), 0);
	answer(2, "tt");
	sessions_free(none);
	assert_gone();
}
END_TEST

/* ---- draining ---- */

START_TEST(with_nothing_under_way_it_is_drained_at_once)
{
	db_stage_refuse("claim", DB_LOST, "");
	db_stage_refuse("actions", DB_LOST, "");
	jobs_drain(jobs);
	ck_assert_int_eq(drained, 1);
}
END_TEST

START_TEST(what_a_claim_brings_while_it_drains_is_done_too)
{
	db_stage_refuse("actions", DB_LOST, "");
	jobs_drain(jobs);
	ck_assert_int_eq(drained, 0);
	claim("claim", 0, SOMEBODY, "image", NULL, false);
	take("sent", true);
	take("status", true);
	ck_assert_int_eq(drained, 0);
	take("status", true);
	ck_assert_int_eq(drained, 1);
	ck_assert_int_eq(db_stage_count(), 0);
}
END_TEST

START_TEST(draining_waits_for_no_step)
{
	jobs_free(jobs);
	sandbox.step_ms = POLL_MS;
	jobs = jobs_start(&sandbox, POLL_MS, on_drained, NULL);
	run();
	claim("claim", 0, SOMEBODY, "text", "hello", false);
	db_stage_refuse("actions", DB_LOST, "");
	ck_assert_ptr_null(db_stage_find("report"));
	jobs_drain(jobs);
	run();
	take("sent", true);
	take("status", true);
	take("status", true);
	take("receive", true);
	ck_assert_int_eq(drained, 1);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_set_timeout(cases, 30);
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, a_text_is_sent_delivered_read_and_answered);
	tcase_add_test(cases, a_text_gets_the_reaction_and_the_message_of_the_phone_that_it_asks_for);
	tcase_add_test(cases, what_is_no_text_is_not_answered);
	tcase_add_test(cases, a_text_that_asks_for_a_file_gets_it);
	tcase_add_test(cases, without_a_store_it_gets_the_text);
	tcase_add_test(cases, a_file_is_sent_back_to_who_asks);
	tcase_add_test(cases, without_being_asked_nobody_sends_a_file_back);
	tcase_add_test(cases, a_message_to_nobody_fails);
	tcase_add_test(cases, what_is_claimed_twice_is_one);
	tcase_add_test(cases, a_forward_makes_a_message_that_is_delivered_and_read);
	tcase_add_test(cases, a_forward_to_nobody_fails);
	tcase_add_test(cases, another_action_is_done_and_that_is_all);
	tcase_add_test(cases, a_job_that_somebody_else_has_taken_over_is_left_to_them);
	tcase_add_loop_test(cases, no_news_is_as_good_as_done_once_it_was_reported, 0, 3);
	tcase_add_loop_test(cases, an_error_that_may_pass_is_tried_again_and_no_other, 0, 7);
	tcase_add_test(cases, a_report_is_not_made_for_ever);
	tcase_add_test(cases, what_could_not_be_asked_is_no_attempt);
	tcase_add_test(cases, what_is_due_together_is_one_statement_and_keeps_its_order);
	tcase_add_test(cases, a_report_that_is_wrong_takes_no_other_with_it);
	tcase_add_test(cases, what_comes_meanwhile_waits_for_the_statement_that_is_on_its_way);
	tcase_add_test(cases, a_statement_has_its_most_reports);
	tcase_add_test(cases, each_organization_has_a_statement_of_its_own);
	tcase_add_test(cases, a_lost_connection_loses_no_report);
	tcase_add_test(cases, a_job_that_is_forgotten_needs_no_answer);
	tcase_add_test(cases, with_nothing_under_way_it_is_drained_at_once);
	tcase_add_test(cases, what_a_claim_brings_while_it_drains_is_done_too);
	tcase_add_test(cases, draining_waits_for_no_step);
}

SUITE_WITH("sandbox_jobs", add_tests)
