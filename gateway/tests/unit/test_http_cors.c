/*
 * test_http_cors.c
 *		Which origins may read answers: none by default, and then exactly the configured ones.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "http/cors.h"
#include "api_request.h"

#define ALLOW "GET, HEAD, OPTIONS"

static const char *const texts[] = {"https://a.example,http://localhost:3000",
									" https://b.example , https://c.example:8443"};
static const HttpOrigins origins = {texts, 2};
static const HttpOrigins none = {NULL, 0};

/* What is said to a request of that origin; NULL = it has none.  Freed by the next call. */
static const char *
answer(const HttpOrigins *configured, HttpMethod method, const char *origin, const char *asked,
	   const char *allow)
{
	static Buffer head;
	SampleRequest sample;

	buffer_free(&head);
	buffer_init(&head, 4096);
	sample_request(&sample, method, "/api/v1/me");
	if (origin != NULL)
		sample_header(&sample, "origin", origin);
	if (asked != NULL)
		sample_header(&sample, "access-control-request-method", asked);
	http_cors_append(&head, configured, &sample.http, allow);
	return head.data == NULL ? "" : head.data;
}

START_TEST(off_by_default)
{
	ck_assert_str_eq(answer(&none, HTTP_METHOD_GET, "https://a.example", NULL, NULL), "");
	ck_assert_str_eq(answer(&none, HTTP_METHOD_OPTIONS, "https://a.example", "GET", ALLOW), "");
}
END_TEST

START_TEST(configured_origins_may_read)
{
	static const char *const allowed[] = {"https://a.example", "http://localhost:3000",
										  "https://b.example", "https://c.example:8443"};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
	{
		const char *head = answer(&origins, HTTP_METHOD_GET, allowed[i], NULL, NULL);
		const char *value = strstr(head, "Access-Control-Allow-Origin: ");

		ck_assert_ptr_nonnull(strstr(head, "Vary: Origin\r\n"));
		ck_assert_ptr_nonnull(value);
		value += strlen("Access-Control-Allow-Origin: ");
		ck_assert_uint_eq(strcspn(value, "\r"), strlen(allowed[i]));
		ck_assert_mem_eq(value, allowed[i], strlen(allowed[i]));
		ck_assert_ptr_null(strstr(head, "Allow-Methods"));
		ck_assert_ptr_null(strstr(head, "Credentials"));
	}
}
END_TEST

/* Whatever is near a configured origin is another one; all that they hear is "Vary". */
START_TEST(others_may_not)
{
	static const char *const others[] = {
		"",
		"null",
		"*",
		"https://a.example.evil.example",
		"https://evil.example/https://a.example",
		"http://a.example",
		"https://a.example:443",
		"https://A.example",
		"https://a.exampl",
		"https://a.example/",
		"https://a.example,http://localhost:3000",
		"http://localhost:30000",
		" https://b.example",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		ck_assert_str_eq(answer(&origins, HTTP_METHOD_OPTIONS, others[i], "GET", ALLOW),
						 "Vary: Origin\r\n");
	}
	ck_assert_str_eq(answer(&origins, HTTP_METHOD_GET, NULL, NULL, NULL), "Vary: Origin\r\n");
}
END_TEST

START_TEST(two_origins_are_none)
{
	SampleRequest sample;
	Buffer head;

	buffer_init(&head, 4096);
	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
	sample_header(&sample, "origin", "https://a.example");
	sample_header(&sample, "origin", "https://a.example");
	http_cors_append(&head, &origins, &sample.http, NULL);
	ck_assert_str_eq(head.data, "Vary: Origin\r\n");
	buffer_free(&head);
}
END_TEST

START_TEST(a_preflight_is_told_the_methods)
{
	const char *head = answer(&origins, HTTP_METHOD_OPTIONS, "https://a.example", "GET", ALLOW);

	ck_assert_ptr_nonnull(strstr(head, "Access-Control-Allow-Methods: " ALLOW "\r\n"));
	ck_assert_ptr_nonnull(strstr(head, "Access-Control-Allow-Headers: Authorization, "));
	ck_assert_ptr_nonnull(strstr(head, "Access-Control-Max-Age: "));
	head = answer(&origins, HTTP_METHOD_OPTIONS, "https://a.example", NULL, ALLOW);
	ck_assert_ptr_null(strstr(head, "Allow-Methods"));
	head = answer(&origins, HTTP_METHOD_OPTIONS, "https://a.example", "GET", NULL);
	ck_assert_ptr_null(strstr(head, "Allow-Methods"));
}
END_TEST

START_TEST(what_can_be_configured)
{
	static const struct
	{
		const char *text;
		bool valid;
	} cases[] = {
		{"https://a.example", true},
		{"http://localhost:3000,https://[::1]:8", true},
		{"http://a , http://b", true},
		{"*", false},
		{"null", false},
		{"", false},
		{"https://a.example,", false},
		{",https://a.example", false},
		{"https://", false},
		{"https://a.example/", false},
		{"https://A.example", false},
		{"https://u@a.example", false},
		{"https://*.example", false},
		{"https://a b", false},
		{"https://a:", false},
		{"https://:1", false},
		{"a.example", false},
		{"ftp://a.example", false},
		{"https://a\r\nX: y", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const HttpOrigins one = {&cases[i].text, 1};
		char error[200] = "";

		ck_assert_msg(http_cors_check(&one, error, sizeof(error)) == cases[i].valid, "%s",
					  cases[i].text);
		ck_assert((error[0] == '\0') == cases[i].valid);
	}
	ck_assert(http_cors_check(&none, NULL, 0));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http_cors");
	TCase *tests = tcase_create("origins");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, off_by_default);
	tcase_add_test(tests, configured_origins_may_read);
	tcase_add_test(tests, others_may_not);
	tcase_add_test(tests, two_origins_are_none);
	tcase_add_test(tests, a_preflight_is_told_the_methods);
	tcase_add_test(tests, what_can_be_configured);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
