/*
 * test_worker_signature.c
 *		What receivers verify: WAHA's documented vector, and Standard Webhooks' own.
 */
#include <string.h>

#include "tests/unit/suite.h"
#include "worker/signature.h"

/* The example of WAHA's documentation. */
#define WAHA_KEY "my-secret-key"
#define WAHA_BODY "{\"event\":\"message\",\"session\":\"default\",\"engine\":\"WEBJS\"}"

/* The example of the Standard Webhooks libraries. */
#define STANDARD_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define STANDARD_ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define STANDARD_TIME_MS INT64_C(1614265330000)
#define STANDARD_BODY "{\"test\": 2432232314}"
#define STANDARD_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static SignatureInput
standard_input(const char *secret, const char *previous)
{
	return (SignatureInput){.secret = secret,
							.previous = previous,
							.id = STANDARD_ID,
							.timestamp_ms = STANDARD_TIME_MS,
							.body = STANDARD_BODY,
							.body_length = strlen(STANDARD_BODY)};
}

static Signature
sign(const char *secret, const char *previous)
{
	SignatureInput input = standard_input(secret, previous);
	Signature signature;

	ck_assert(signature_make(&input, &signature));
	return signature;
}

START_TEST(the_vector_of_waha_verifies)
{
	SignatureInput input = {
		.secret = WAHA_KEY, .id = "x", .body = WAHA_BODY, .body_length = strlen(WAHA_BODY)};
	Signature signature;

	ck_assert(signature_make(&input, &signature));
	ck_assert_uint_eq(strlen(signature.hmac), 128);
	ck_assert(strncmp(signature.hmac, "208f8a55dde9e055", 16) == 0);
	ck_assert_str_eq(signature.hmac + 128 - 10, "076153fa89");
}
END_TEST

START_TEST(the_vector_of_standard_webhooks_verifies)
{
	ck_assert_str_eq(sign(STANDARD_SECRET, NULL).standard, STANDARD_SIGNATURE);
}
END_TEST

START_TEST(a_fraction_of_a_second_does_not_count)
{
	SignatureInput input = standard_input(STANDARD_SECRET, NULL);
	Signature signature;

	input.timestamp_ms += 999;
	ck_assert(signature_make(&input, &signature));
	ck_assert_str_eq(signature.standard, STANDARD_SIGNATURE);
}
END_TEST

START_TEST(both_secrets_sign_while_one_replaces_the_other)
{
	Signature both = sign("another-secret-of-ours", STANDARD_SECRET);
	Signature first = sign("another-secret-of-ours", NULL);
	size_t length = strlen(first.standard);

	ck_assert(strncmp(both.standard, first.standard, length) == 0);
	ck_assert_str_eq(both.standard + length, " " STANDARD_SIGNATURE);
	ck_assert_str_eq(both.hmac, first.hmac);
}
END_TEST

/* Padding may be left out; what is no base64 is the secret's text. */
START_TEST(the_key_is_what_stands_behind_the_prefix)
{
	ck_assert_str_eq(sign("whsec_YWJjZA==", NULL).standard, sign("abcd", NULL).standard);
	ck_assert_str_eq(sign("whsec_YWJjZA", NULL).standard, sign("abcd", NULL).standard);
	ck_assert_str_ne(sign("whsec_YWJjZA=", NULL).standard, sign("abcd", NULL).standard);
	ck_assert_str_ne(sign("YWJjZA==", NULL).standard, sign("abcd", NULL).standard);
	ck_assert_str_ne(sign("whsec_not base64!", NULL).standard, sign("whsec_", NULL).standard);
	ck_assert_str_ne(sign("whsec_YWJjZA==", NULL).hmac, sign("abcd", NULL).hmac);
}
END_TEST

START_TEST(each_part_is_signed)
{
	SignatureInput input = standard_input(STANDARD_SECRET, NULL);
	Signature signature;

	input.id = "msg_another";
	ck_assert(signature_make(&input, &signature));
	ck_assert_str_ne(signature.standard, STANDARD_SIGNATURE);
	input = standard_input(STANDARD_SECRET, NULL);
	input.timestamp_ms += 1000;
	ck_assert(signature_make(&input, &signature));
	ck_assert_str_ne(signature.standard, STANDARD_SIGNATURE);
	input = standard_input(STANDARD_SECRET, NULL);
	input.body_length--;
	ck_assert(signature_make(&input, &signature));
	ck_assert_str_ne(signature.standard, STANDARD_SIGNATURE);
}
END_TEST

START_TEST(a_secret_has_a_longest_length)
{
	char secret[SIGNATURE_SECRET_MAX + 2];
	SignatureInput input = standard_input(secret, NULL);
	Signature signature;

	for (int prefixed = 0; prefixed < 2; prefixed++)
	{
		memset(secret, 'A', sizeof(secret));
		memcpy(secret, prefixed ? "whsec_" : "AAAAAA", 6);
		secret[SIGNATURE_SECRET_MAX] = '\0';
		ck_assert(signature_make(&input, &signature));
		secret[SIGNATURE_SECRET_MAX] = 'A';
		secret[SIGNATURE_SECRET_MAX + 1] = '\0';
		ck_assert(!signature_make(&input, &signature));
		ck_assert_str_eq(signature.standard, "");
	}
}
END_TEST

SUITE("worker_signature", the_vector_of_waha_verifies, the_vector_of_standard_webhooks_verifies,
	  a_fraction_of_a_second_does_not_count, both_secrets_sign_while_one_replaces_the_other,
	  the_key_is_what_stands_behind_the_prefix, each_part_is_signed, a_secret_has_a_longest_length)
