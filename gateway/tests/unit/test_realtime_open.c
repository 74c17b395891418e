/*
 * test_realtime_open.c
 *		From a request to a socket: in which order, what ends it, and that a credential which
 *		the database has made is given back, once.
 */
#include <string.h>

#include "tests/unit/realtime_stage.h"
#include "tests/unit/suite.h"

static StageRequest asked;
static StageRequest other;

/* Whose caller asks. */
static uint8_t organization = 1;
static uint8_t sockets_max = STAGE_SOCKETS_MAX;

static const uint8_t event[DB_UUID_SIZE] = {3};

static void
ask(StageRequest *request, const char *types, const char *since)
{
	memset(request, 0, sizeof(*request));
	sample_request(&request->sample, HTTP_METHOD_GET, "/api/v1/realtime");
	if (types != NULL)
		sample_parameter(&request->sample, "types", types);
	if (since != NULL)
		sample_parameter(&request->sample, "since", since);
	realtime_take(stage_realtime, &request->sample.http, "caller", 6, false);
}

static void
ask_by_ticket(StageRequest *request)
{
	memset(request, 0, sizeof(*request));
	sample_request(&request->sample, HTTP_METHOD_GET, "/api/v1/realtime");
	sample_parameter(&request->sample, "ticket", "the-ticket");
	realtime_take(stage_realtime, &request->sample.http, "the-ticket", 10, true);
}

/* The database makes a credential of the socket's own. */
static void
answer_open(const char *types_problem)
{
	const uint8_t org[DB_UUID_SIZE] = {organization};
	const uint8_t limit[4] = {[3] = sockets_max};
	const DbStageCell cells[] = {
		{"socket", 6},
		{org, DB_UUID_SIZE},
		{NULL, 0},
		{limit, sizeof(limit)},
		{types_problem, types_problem == NULL ? 0 : (int) strlen(types_problem)}};

	db_stage_answer_rows("realtime_open", 1, 5, cells);
}

static void
answer_position(uint8_t key)
{
	static const uint8_t epoch[4] = {0, 0, 0, 1};
	static const uint8_t ordinal[8] = {[7] = 'b'};
	const uint8_t holder[DB_UUID_SIZE] = {key};
	const DbStageCell cells[] = {
		{epoch, 4}, {ordinal, 8}, {event, DB_UUID_SIZE}, {holder, DB_UUID_SIZE}, {NULL, 0}};

	db_stage_answer_rows("realtime_start", 1, 5, cells);
}

static void
open_socket(StageRequest *request, uint8_t key)
{
	ask(request, NULL, NULL);
	answer_open(NULL);
	answer_position(key);
	ck_assert_ptr_nonnull(request->socket.member);
}

/* The client leaves. */
static void
go(StageRequest *request)
{
	request->gone(&request->sample.http, request->gone_context);
}

/* Whether the socket's credential is given back; and nothing else is under way. */
static bool
only_gives_back(void)
{
	int len;
	const char *credential;

	if (db_stage_find("realtime_close") == NULL || db_stage_count() != 1)
		return false;
	credential = stage_param("realtime_close", 0, &len);
	return len == 6 && memcmp(credential, "socket", 6) == 0;
}

static bool
presents(const char *statement, const char *credential)
{
	const DbRequest *request = db_stage_find(statement);

	return request != NULL && request->credential_len == strlen(credential) &&
		   memcmp(request->credential, credential, strlen(credential)) == 0 &&
		   strcmp(request->needs, "events") == 0;
}

/* ---- order ---- */

START_TEST(a_credential_then_a_position_then_a_socket_then_a_read)
{
	ask(&asked, "message,chat.update", NULL);
	ck_assert_int_eq(db_stage_count(), 1);
	ck_assert(presents("realtime_open", "caller"));
	answer_open(NULL);
	ck_assert_int_eq(asked.answers, 0);
	ck_assert_int_eq(db_stage_count(), 1);
	ck_assert(presents("realtime_start", "socket"));
	answer_position(1);
	ck_assert_int_eq(asked.answers, 1);
	ck_assert_int_eq(asked.status, 0);
	ck_assert_ptr_eq(strstr(asked.socket.got, "{\"event\":\"connected\""), asked.socket.got);
	ck_assert_ptr_nonnull(strstr(asked.socket.got, "[\"chat.update\",\"message\"]"));
	ck_assert(presents("realtime_batch", "socket"));
	ck_assert_int_eq(stage_read_from(), 'b');
	ck_assert_ptr_nonnull(db_stage_find("event_wait"));
}
END_TEST

START_TEST(a_ticket_is_redeemed_and_presents_nothing_else)
{
	ask_by_ticket(&asked);
	ck_assert_int_eq(db_stage_count(), 1);
	ck_assert_ptr_nonnull(db_stage_find("realtime_redeem"));
	ck_assert_uint_eq(db_stage_find("realtime_redeem")->credential_len, 0);
	db_stage_refuse("realtime_redeem", DB_REFUSED, "28000");
	ck_assert_int_eq(asked.status, 401);
	ck_assert_int_eq(db_stage_count(), 0);
}
END_TEST

START_TEST(a_position_that_is_not_kept_is_said_and_begins_anew)
{
	int len;

	ask(&asked, NULL, "evt_03000000000000000000000000");
	answer_open(NULL);
	ck_assert_ptr_nonnull(stage_param("realtime_start", 0, &len));
	db_stage_refuse("realtime_start", DB_REFUSED, "WA001");
	ck_assert_ptr_null(stage_param("realtime_start", 0, &len));
	answer_position(1);
	ck_assert_ptr_nonnull(strstr(asked.socket.got, "}{\"event\":\"resync_required\"}"));
}
END_TEST

/* ---- refusals ---- */

START_TEST(without_the_permission_nothing_is_opened)
{
	ask(&asked, NULL, NULL);
	stage_refuse_permission("realtime_open", "events");
	ck_assert_int_eq(asked.answers, 1);
	ck_assert_int_eq(asked.status, 403);
	ck_assert_str_eq(asked.detail, "required");
	ck_assert_str_eq(asked.detail_text, "events");
	ck_assert_int_eq(db_stage_count(), 0);
	ck_assert_int_eq(stage_realtime->sockets, 0);
}
END_TEST

START_TEST(a_permission_that_goes_meanwhile_gives_the_credential_back)
{
	ask(&asked, NULL, NULL);
	answer_open(NULL);
	stage_refuse_permission("realtime_start", "events");
	ck_assert_int_eq(asked.status, 403);
	ck_assert(only_gives_back());
}
END_TEST

START_TEST(types_that_are_none_are_said_and_the_credential_is_given_back)
{
	ask(&asked, "nonsense", NULL);
	answer_open("has \"nonsense\", but …");
	ck_assert_int_eq(asked.answers, 1);
	ck_assert_int_eq(asked.status, 400);
	ck_assert_str_eq(asked.detail, "types");
	ck_assert_str_eq(asked.detail_text, "has \"nonsense\", but …");
	ck_assert(only_gives_back());
}
END_TEST

START_TEST(a_database_that_is_away_is_a_503)
{
	ask(&asked, NULL, NULL);
	db_stage_refuse("realtime_open", DB_UNAVAILABLE, "");
	ck_assert_int_eq(asked.status, 503);
	db_stage_is_full = true;
	ask(&asked, NULL, NULL);
	ck_assert_int_eq(asked.answers, 1);
	ck_assert_int_eq(asked.status, 503);
	ck_assert_int_eq(stage_realtime->opening_count, 0);
}
END_TEST

/* ---- clients that leave ---- */

START_TEST(a_client_that_leaves_first_leaves_no_credential)
{
	ask(&asked, NULL, NULL);
	go(&asked);
	answer_open(NULL);
	ck_assert(only_gives_back());
	ck_assert_int_eq(asked.answers, 1);
}
END_TEST

START_TEST(a_client_that_leaves_before_the_position_leaves_no_credential)
{
	ask(&asked, NULL, NULL);
	answer_open(NULL);
	go(&asked);
	answer_position(1);
	ck_assert(only_gives_back());
	ck_assert_int_eq(asked.answers, 1);
	ck_assert_int_eq(stage_realtime->sockets, 0);
}
END_TEST

START_TEST(a_socket_that_does_not_come_about_leaves_no_credential)
{
	ask(&asked, NULL, NULL);
	asked.is_refused = true;
	answer_open(NULL);
	answer_position(1);
	ck_assert(only_gives_back());
	ck_assert_int_eq(stage_realtime->sockets, 0);
}
END_TEST

START_TEST(a_socket_that_breaks_at_its_first_frame_leaves_no_credential)
{
	ask(&asked, NULL, NULL);
	asked.socket.breaks = true;
	answer_open(NULL);
	answer_position(1);
	ck_assert(only_gives_back());
	ck_assert_int_eq(stage_realtime->sockets, 0);
}
END_TEST

/* ---- bounds ---- */

START_TEST(a_key_has_so_many_sockets_and_no_more)
{
	static StageRequest requests[STAGE_KEY_SOCKETS_MAX];

	for (int i = 0; i < STAGE_KEY_SOCKETS_MAX; i++)
		open_socket(&requests[i], 1);
	ask(&asked, NULL, NULL);
	answer_open(NULL);
	answer_position(1);
	ck_assert_int_eq(asked.status, 429);
	ck_assert_int_eq(stage_realtime->sockets, STAGE_KEY_SOCKETS_MAX);
	ck_assert_ptr_nonnull(db_stage_find("realtime_close"));
	/* of that key: another one's is opened */
	open_socket(&other, 2);
}
END_TEST

START_TEST(an_organization_has_half_of_the_sockets_and_no_more)
{
	static StageRequest requests[STAGE_SOCKETS_MAX / 2];

	for (int i = 0; i < STAGE_SOCKETS_MAX / 2; i++)
		open_socket(&requests[i], (uint8_t) (1 + i / (STAGE_KEY_SOCKETS_MAX / 2)));
	ask(&asked, NULL, NULL);
	answer_open(NULL);
	answer_position(9);
	ck_assert_int_eq(asked.answers, 1);
	ck_assert_int_eq(asked.status, 429);
	ck_assert_str_eq(asked.detail, "limit");
	ck_assert_str_eq(asked.detail_text, "sockets");
	ck_assert_int_eq(stage_realtime->sockets, STAGE_SOCKETS_MAX / 2);
	ck_assert_ptr_nonnull(db_stage_find("realtime_close"));
	/* of that organization: another one's is opened */
	organization = 2;
	open_socket(&other, 10);
	/* and one of its own in place of one that has closed */
	organization = 1;
	stage_leave(&requests[0].socket);
	open_socket(&asked, 9);
}
END_TEST

START_TEST(an_organization_has_as_many_sockets_as_its_limit_allows)
{
	static StageRequest requests[2];

	sockets_max = 2;
	open_socket(&requests[0], 1);
	open_socket(&requests[1], 2);
	ask(&asked, NULL, NULL);
	answer_open(NULL);
	answer_position(3);
	ck_assert_int_eq(asked.answers, 1);
	ck_assert_int_eq(asked.status, 429);
	ck_assert_str_eq(asked.detail_text, "sockets");
	ck_assert_ptr_nonnull(db_stage_find("realtime_close"));
	/* another organization's are counted apart */
	organization = 2;
	open_socket(&other, 4);
	/* a limit that is raised counts from the next one on */
	organization = 1;
	sockets_max = 3;
	open_socket(&asked, 3);
	sockets_max = STAGE_SOCKETS_MAX;
}
END_TEST

START_TEST(those_that_are_opening_count_as_sockets)
{
	static StageRequest requests[STAGE_SOCKETS_MAX];

	for (int i = 0; i < STAGE_SOCKETS_MAX; i++)
		ask(&requests[i], NULL, NULL);
	ask(&asked, NULL, NULL);
	ck_assert_int_eq(asked.status, 503);
	ck_assert_int_eq(db_stage_count(), STAGE_SOCKETS_MAX);
	db_stage_refuse("realtime_open", DB_UNAVAILABLE, "");
	ask(&other, NULL, NULL);
	ck_assert_int_eq(other.answers, 0);
}
END_TEST

START_TEST(credentials_are_given_back_a_few_at_a_time)
{
	for (int i = 0; i < FORGETS_AT_ONCE + 2; i++)
	{
		char credential[] = "credential";

		forget_credential(stage_realtime, credential);
		ck_assert_int_eq(credential[0], '\0');
	}
	ck_assert_int_eq(db_stage_count(), FORGETS_AT_ONCE);
	db_stage_answer_rows("realtime_close", 0, 0, NULL);
	ck_assert_int_eq(db_stage_count(), FORGETS_AT_ONCE);
	ck_assert_int_eq(stage_realtime->forget_count, FORGETS_AT_ONCE + 1);
}
END_TEST

START_TEST(so_many_wait_to_be_given_back_and_no_more)
{
	for (int i = 0; i < FORGET_MAX + 1; i++)
	{
		char credential[] = "credential";

		forget_credential(stage_realtime, credential);
	}
	ck_assert_int_eq(stage_realtime->forget_count, FORGET_MAX);
}
END_TEST

/* ---- the end ---- */

static void
note_drained(void *context)
{
	++*(int *) context;
}

START_TEST(it_has_drained_when_all_is_given_back)
{
	int drained = 0;

	open_socket(&asked, 1);
	stage_settle();
	members_close_all(stage_realtime, WEBSOCKET_GOING_AWAY, "");
	ck_assert_int_eq(asked.socket.code, WEBSOCKET_GOING_AWAY);
	realtime_drain(stage_realtime, note_drained, &drained);
	event_base_loop(stage_realtime->base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(drained, 0);
	db_stage_answer_rows("realtime_close", 0, 0, NULL);
	event_base_loop(stage_realtime->base, EVLOOP_ONCE);
	ck_assert_int_eq(drained, 1);
}
END_TEST

/* What it leaves behind is seen by db_stage_count(), and by the leak check of unit-asan. */
START_TEST(everything_under_way_ends_with_it)
{
	static StageRequest opening;
	static StageRequest placing;

	open_socket(&asked, 1);
	stage_settle();
	stage_wake();
	open_socket(&other, 2);
	ask(&placing, NULL, NULL);
	answer_open(NULL);
	for (int i = 0; i < FORGETS_AT_ONCE + 2; i++)
	{
		char credential[] = "credential";

		forget_credential(stage_realtime, credential);
	}
	ask(&opening, "message", NULL);
	ck_assert_ptr_nonnull(db_stage_find("realtime_batch"));
	ck_assert_ptr_nonnull(db_stage_find("realtime_open"));
	ck_assert_ptr_nonnull(db_stage_find("realtime_start"));
	ck_assert_ptr_nonnull(db_stage_find("realtime_close"));
	ck_assert_ptr_nonnull(db_stage_find("event_wait"));
}
END_TEST

static void
add_tests(TCase *cases)
{
	const TTest *const tests[] = {
		a_credential_then_a_position_then_a_socket_then_a_read,
		a_ticket_is_redeemed_and_presents_nothing_else,
		a_position_that_is_not_kept_is_said_and_begins_anew,
		without_the_permission_nothing_is_opened,
		a_permission_that_goes_meanwhile_gives_the_credential_back,
		types_that_are_none_are_said_and_the_credential_is_given_back,
		a_database_that_is_away_is_a_503,
		a_client_that_leaves_first_leaves_no_credential,
		a_client_that_leaves_before_the_position_leaves_no_credential,
		a_socket_that_does_not_come_about_leaves_no_credential,
		a_socket_that_breaks_at_its_first_frame_leaves_no_credential,
		a_key_has_so_many_sockets_and_no_more,
		an_organization_has_half_of_the_sockets_and_no_more,
		an_organization_has_as_many_sockets_as_its_limit_allows,
		those_that_are_opening_count_as_sockets,
		credentials_are_given_back_a_few_at_a_time,
		so_many_wait_to_be_given_back_and_no_more,
		it_has_drained_when_all_is_given_back,
		everything_under_way_ends_with_it,
	};

	tcase_add_checked_fixture(cases, stage_start, stage_stop);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
}

SUITE_WITH("realtime_open", add_tests)
