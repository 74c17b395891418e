/*
 * test_api_credential.c
 *		Exactly one credential, in a header, well formed: all else is refused before the
 *		database is asked.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/credential.h"
#include "api_request.h"

static char key[WAK_CREDENTIAL_MAX + 1];
static char other[WAK_CREDENTIAL_MAX + 1];
static char ticket[WAK_CREDENTIAL_MAX + 1];
static char bearer[WAK_CREDENTIAL_MAX + 16];

static void
make_keys(void)
{
	uint8_t random[WAK_RANDOM_LENGTH] = {1, 2, 3};

	wak_make(WAK_API_KEY, random, key);
	random[0] = 9;
	wak_make(WAK_USER_TOKEN, random, other);
	snprintf(bearer, sizeof(bearer), "Bearer %s", key);
	wak_make(WAK_TICKET, random, ticket);
}

static CredentialResult
find(const SampleRequest *sample, Credential *credential)
{
	return credential_find(&sample->http, credential);
}

START_TEST(one_in_either_header)
{
	SampleRequest sample;
	Credential credential;

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
	sample_header(&sample, "x-api-key", key);
	ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_OK);
	ck_assert_int_eq(credential.kind, WAK_API_KEY);

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
	sample_header(&sample, "authorization", bearer);
	ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_OK);
	ck_assert_uint_eq(credential.len, strlen(key));
	ck_assert_mem_eq(credential.text, key, strlen(key));

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
	sample_header(&sample, "x-api-key", other);
	ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_OK);
	ck_assert_int_eq(credential.kind, WAK_USER_TOKEN);
}
END_TEST

START_TEST(the_scheme_in_any_case)
{
	static const char *const schemes[] = {"bearer ", "BEARER ", "bEaReR   "};

	for (int i = 0; i < 3; i++)
	{
		SampleRequest sample;
		Credential credential;
		char value[WAK_CREDENTIAL_MAX + 16];

		snprintf(value, sizeof(value), "%s%s", schemes[i], key);
		sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
		sample_header(&sample, "authorization", value);
		ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_OK);
	}
}
END_TEST

START_TEST(two_are_refused_even_when_equal)
{
	SampleRequest sample;
	Credential credential;

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
	sample_header(&sample, "x-api-key", key);
	sample_header(&sample, "x-api-key", key);
	ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_SEVERAL);

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
	sample_header(&sample, "authorization", bearer);
	sample_header(&sample, "x-api-key", key);
	ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_SEVERAL);

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
	sample_header(&sample, "authorization", "Basic x");
	sample_header(&sample, "authorization", bearer);
	ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_SEVERAL);
}
END_TEST

START_TEST(in_the_query_is_refused)
{
	static const char *const names[] = {"api_key",      "apiKey",    "API-KEY",      "token",
										"access_token", "x-api-key", "authorization"};
	SampleRequest sample;
	Credential credential;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
		sample_header(&sample, "x-api-key", key);
		sample_parameter(&sample, names[i], "");
		ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_IN_QUERY);
	}
	/* Under any name, when it is one. */
	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
	sample_header(&sample, "x-api-key", key);
	sample_parameter(&sample, "q", key);
	ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_IN_QUERY);

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
	sample_header(&sample, "x-api-key", key);
	sample_parameter(&sample, "q", "keys and tokens");
	ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_OK);
}
END_TEST

START_TEST(none_or_malformed)
{
	static const char *const headers[] = {"",          "Bearer",     "Bearer ",
										  "Basic abc", "Token wa_x", "Bearerwa_x"};
	SampleRequest sample;
	Credential credential;
	char cut[WAK_CREDENTIAL_MAX + 1];

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
	ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_ABSENT);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
	{
		sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
		sample_header(&sample, "authorization", headers[i]);
		ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_ABSENT);
	}
	/* A user token cut anywhere has no valid checksum. */
	for (size_t len = 0; len < strlen(other); len++)
	{
		memcpy(cut, other, len);
		cut[len] = '\0';
		sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
		sample_header(&sample, "x-api-key", cut);
		ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_ABSENT);
	}
}
END_TEST

START_TEST(cookies_tickets_and_invitations_open_nothing)
{
	static const WakKind kinds[] = {WAK_SIGN_IN, WAK_DEVICE, WAK_TICKET, WAK_INVITATION};
	const uint8_t random[WAK_RANDOM_LENGTH] = {5};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		SampleRequest sample;
		Credential credential;
		char text[WAK_CREDENTIAL_MAX + 1];

		wak_make(kinds[i], random, text);
		sample_request(&sample, HTTP_METHOD_GET, "/api/v1/me");
		sample_header(&sample, "x-api-key", text);
		ck_assert_int_eq(find(&sample, &credential), CREDENTIAL_ABSENT);
	}
}
END_TEST

/* ---- the path that takes a ticket ---- */

static CredentialResult
find_ticket(const char *name, const char *value, const char *more, Credential *credential)
{
	static SampleRequest sample;

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/realtime");
	if (name != NULL)
		sample_parameter(&sample, name, value);
	if (more != NULL)
		sample_parameter(&sample, "more", more);
	return credential_find_ticket(&sample.http, credential);
}

START_TEST(a_ticket_may_be_in_the_query)
{
	Credential credential;

	ck_assert_int_eq(find_ticket("ticket", ticket, NULL, &credential), CREDENTIAL_OK);
	ck_assert_int_eq(credential.kind, WAK_TICKET);
	ck_assert_mem_eq(credential.text, ticket, credential.len);
	ck_assert_int_eq(find_ticket("ticket", ticket, "harmless", &credential), CREDENTIAL_OK);
}
END_TEST

START_TEST(nothing_else_may_be_in_its_place_or_beside_it)
{
	Credential credential;

	ck_assert_int_eq(find_ticket("ticket", key, NULL, &credential), CREDENTIAL_IN_QUERY);
	ck_assert_int_eq(find_ticket("ticket", other, NULL, &credential), CREDENTIAL_IN_QUERY);
	ck_assert_int_eq(find_ticket("ticket", ticket, key, &credential), CREDENTIAL_IN_QUERY);
	ck_assert_int_eq(find_ticket("ticket", ticket, ticket, &credential), CREDENTIAL_IN_QUERY);
	ck_assert_int_eq(find_ticket("token", ticket, NULL, &credential), CREDENTIAL_IN_QUERY);
	ck_assert_int_eq(find_ticket(NULL, NULL, ticket, &credential), CREDENTIAL_IN_QUERY);
	ck_assert_int_eq(find_ticket("ticket", "rt_nonsense", NULL, &credential), CREDENTIAL_ABSENT);
	ck_assert_int_eq(find_ticket("ticket", "", NULL, &credential), CREDENTIAL_ABSENT);
	ck_assert_int_eq(find_ticket(NULL, NULL, NULL, &credential), CREDENTIAL_ABSENT);
}
END_TEST

START_TEST(a_ticket_and_a_header_are_one_too_many)
{
	static const char *const headers[] = {"authorization", "x-api-key"};
	Credential credential;

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
	{
		SampleRequest sample;

		sample_request(&sample, HTTP_METHOD_GET, "/api/v1/realtime");
		sample_parameter(&sample, "ticket", ticket);
		sample_header(&sample, headers[i], "Bearer x");
		ck_assert_int_eq(credential_find_ticket(&sample.http, &credential), CREDENTIAL_SEVERAL);
	}
}
END_TEST

START_TEST(without_a_ticket_the_headers_count)
{
	SampleRequest sample;
	Credential credential;

	sample_request(&sample, HTTP_METHOD_GET, "/api/v1/realtime");
	sample_header(&sample, "authorization", bearer);
	ck_assert_int_eq(credential_find_ticket(&sample.http, &credential), CREDENTIAL_OK);
	ck_assert_int_eq(credential.kind, WAK_API_KEY);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("api_credential");
	TCase *tests = tcase_create("rules");
	SRunner *runner;
	int failed;

	make_keys();
	tcase_add_test(tests, one_in_either_header);
	tcase_add_test(tests, the_scheme_in_any_case);
	tcase_add_test(tests, two_are_refused_even_when_equal);
	tcase_add_test(tests, in_the_query_is_refused);
	tcase_add_test(tests, none_or_malformed);
	tcase_add_test(tests, cookies_tickets_and_invitations_open_nothing);
	tcase_add_test(tests, a_ticket_may_be_in_the_query);
	tcase_add_test(tests, nothing_else_may_be_in_its_place_or_beside_it);
	tcase_add_test(tests, a_ticket_and_a_header_are_one_too_many);
	tcase_add_test(tests, without_a_ticket_the_headers_count);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
