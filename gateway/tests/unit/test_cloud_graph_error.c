/*
 * test_cloud_graph_error.c
 *		What is done about an error of the Graph API.
 */
#include <stddef.h>

#include "cloud/graph_error.h"
#include "tests/unit/suite.h"

typedef struct Case
{
	int code;
	int status;
	bool is_transient;
	GraphVerdict verdict;
	int number; /* the tries of GRAPH_AGAIN, the seconds of GRAPH_PAUSED */
} Case;

static const Case cases_[] = {
	{0, 401, false, GRAPH_BARRED, 0},           {190, 401, false, GRAPH_BARRED, 0},
	{102, 401, false, GRAPH_BARRED, 0},         {10, 403, false, GRAPH_BARRED, 0},
	{200, 403, false, GRAPH_BARRED, 0},         {299, 403, false, GRAPH_BARRED, 0},
	{300, 403, false, GRAPH_REFUSED, 0},        {199, 400, false, GRAPH_REFUSED, 0},
	{1, 400, false, GRAPH_REFUSED, 0},          {1, 500, false, GRAPH_AGAIN, 3},
	{2, 503, false, GRAPH_AGAIN, 10},           {4, 400, false, GRAPH_PAUSED, 60},
	{100, 400, false, GRAPH_REFUSED, 0},        {80007, 400, false, GRAPH_PAUSED, 60},
	{130429, 429, false, GRAPH_PAUSED, 0},      {131000, 500, false, GRAPH_AGAIN, 3},
	{131026, 400, false, GRAPH_REFUSED, 0},     {131042, 400, false, GRAPH_REFUSED, 0},
	{131047, 400, false, GRAPH_REFUSED, 0},     {131048, 400, false, GRAPH_PAUSED, 3600},
	{131056, 400, false, GRAPH_PAUSED_CHAT, 0}, {133010, 400, false, GRAPH_BARRED, 0},
	{999999, 400, false, GRAPH_REFUSED, 0},     {999999, 400, true, GRAPH_AGAIN, 10},
	{999999, 500, false, GRAPH_AGAIN, 10},
};

START_TEST(each_code_has_its_advice)
{
	const Case *one = &cases_[_i];
	GraphAdvice advice = graph_error_advice(one->code, one->status, one->is_transient);

	ck_assert_int_eq(advice.verdict, one->verdict);
	if (one->verdict == GRAPH_AGAIN)
		ck_assert_int_eq(advice.tries, one->number);
	if (one->verdict == GRAPH_PAUSED)
		ck_assert_int_eq(advice.wait_s, one->number);
	ck_assert((advice.reason != NULL) == (one->verdict == GRAPH_BARRED));
}
END_TEST

START_TEST(without_a_code_the_status_decides)
{
	ck_assert_int_eq(graph_error_by_status(400).verdict, GRAPH_REFUSED);
	/* nothing of an edge's page is about the token or the number */
	ck_assert_int_eq(graph_error_by_status(401).verdict, GRAPH_PAUSED);
	ck_assert_int_eq(graph_error_by_status(403).verdict, GRAPH_PAUSED);
	ck_assert_int_eq(graph_error_by_status(404).verdict, GRAPH_PAUSED);
	ck_assert_int_eq(graph_error_by_status(408).verdict, GRAPH_PAUSED);
	ck_assert_int_eq(graph_error_by_status(429).verdict, GRAPH_PAUSED);
	/* somebody in between may have passed the request on */
	ck_assert_int_eq(graph_error_by_status(500).verdict, GRAPH_UNCERTAIN);
	ck_assert_int_eq(graph_error_by_status(502).verdict, GRAPH_UNCERTAIN);
	ck_assert_int_eq(graph_error_by_status(200).verdict, GRAPH_UNCERTAIN);
	ck_assert_int_eq(graph_error_by_status(302).verdict, GRAPH_UNCERTAIN);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_loop_test(cases, each_code_has_its_advice, 0,
						(int) (sizeof(cases_) / sizeof(cases_[0])));
	tcase_add_test(cases, without_a_code_the_status_decides);
}

SUITE_WITH("cloud_graph_error", add_tests)
