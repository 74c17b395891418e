/*
 * test_http_error.c
 *		The errors that callers see.
 */
#include <string.h>

#include "http/error.h"
#include "tests/unit/suite.h"

START_TEST(every_row_is_complete_and_every_code_is_its_own)
{
	for (int i = 0; i < HTTP_ERROR_KINDS; i++)
	{
		const HttpError *error = http_error((HttpErrorKind) i);

		ck_assert_int_ge(error->status, 400);
		ck_assert_ptr_nonnull(error->code);
		ck_assert_ptr_nonnull(error->message);
		ck_assert((error->header_name == NULL) == (error->header_value == NULL));
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(error->code, http_error((HttpErrorKind) j)->code);
	}
}
END_TEST

START_TEST(a_401_says_how_to_authenticate_and_a_503_when_to_come_back)
{
	ck_assert_str_eq(http_error(HTTP_ERROR_UNAUTHORIZED)->header_name, "WWW-Authenticate");
	ck_assert_str_eq(http_error(HTTP_ERROR_UNAUTHORIZED)->header_value, "Bearer");
	ck_assert_str_eq(http_error(HTTP_ERROR_UNAVAILABLE)->header_name, "Retry-After");
	ck_assert_str_eq(http_error(HTTP_ERROR_RATE_LIMITED)->header_name, "Retry-After");
}
END_TEST

START_TEST(the_body_has_details_only_when_there_are_some)
{
	HttpDetail details[] = {{"required", "send"}, {"a\"b", "c\nd"}};
	Buffer body;

	buffer_init(&body, 1000);
	ck_assert(http_error_body(&body, http_error(HTTP_ERROR_FORBIDDEN), NULL, 0));
	ck_assert_str_eq(body.data,
					 "{\"error\":{\"code\":\"forbidden\",\"message\":\"permission denied\"}}");
	buffer_clear(&body);
	ck_assert(http_error_body(&body, http_error(HTTP_ERROR_FORBIDDEN), details, 2));
	ck_assert_str_eq(body.data,
					 "{\"error\":{\"code\":\"forbidden\",\"message\":\"permission denied\","
					 "\"details\":{\"required\":\"send\",\"a\\\"b\":\"c\\nd\"}}}");
	buffer_free(&body);
}
END_TEST

SUITE("http_error", every_row_is_complete_and_every_code_is_its_own,
	  a_401_says_how_to_authenticate_and_a_503_when_to_come_back,
	  the_body_has_details_only_when_there_are_some)
