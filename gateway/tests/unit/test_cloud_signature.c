/*
 * test_cloud_signature.c
 *		Only the secret of the app makes the signature of a body.
 */
#include <string.h>

#include "cloud/signature.h"
#include "tests/unit/suite.h"

#define SECRET "wa-cloud-test-secret"
#define BODY "{\"object\":\"whatsapp_business_account\",\"entry\":[]}"
#define MADE "sha256=ce519af329f0d73192d11d52d294f4b7f018eff4187162e7ea63b7b83fb7e74f"
#define ESCAPED                                                                       \
	"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":" \
	"[{\"field\":\"messages\",\"value\":{\"t\":\"\\u00e4\\ud83d\\ude00 a\\/b @ <&\"}}]}]}"
#define ESCAPED_MADE "sha256=71c65e1722f1f2b8b51f256f7d9481681635d702aa299782fa273e56ac9f0382"

static bool
is_of(const char *value, const char *secret, const char *body)
{
	uint8_t signature[SIGNATURE_SIZE];

	return signature_read(value, strlen(value), signature) &&
		   signature_is_of(signature, secret, body, strlen(body));
}

START_TEST(the_known_signatures_are_those_of_their_bodies)
{
	ck_assert(is_of(MADE, SECRET, BODY));
	ck_assert_uint_eq(strlen(ESCAPED), 137);
	ck_assert(is_of(ESCAPED_MADE, SECRET, ESCAPED));
}
END_TEST

START_TEST(a_signature_of_another_body_secret_or_nobody_is_refused)
{
	ck_assert(!is_of(MADE, SECRET, BODY " "));
	ck_assert(!is_of(MADE, SECRET, ESCAPED));
	ck_assert(!is_of(MADE, SECRET "x", BODY));
	ck_assert(!is_of(MADE, "", BODY));
}
END_TEST

START_TEST(each_digit_of_a_signature_counts)
{
	for (size_t i = strlen("sha256="); i < strlen(MADE); i++)
	{
		char changed[] = MADE;

		changed[i] = changed[i] == '0' ? '1' : '0';
		ck_assert(!is_of(changed, SECRET, BODY));
	}
}
END_TEST

/* HMAC with an empty key is a signature too, which anybody can make. */
START_TEST(without_a_secret_no_signature_is_right)
{
	ck_assert(
		!is_of("sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", "", ""));
}
END_TEST

START_TEST(what_is_no_signature_is_not_read)
{
	static const char *const wrong[] = {
		"",
		"sha256=",
		"sha1=ce519af329f0d73192d11d52d294f4b7f018eff4",
		MADE "0",
		MADE " ",
		"SHA256=ce519af329f0d73192d11d52d294f4b7f018eff4187162e7ea63b7b83fb7e74f",
		"sha256=ce519af329f0d73192d11d52d294f4b7f018eff4187162e7ea63b7b83fb7e74",
		"sha256=ge519af329f0d73192d11d52d294f4b7f018eff4187162e7ea63b7b83fb7e74f"};
	uint8_t signature[SIGNATURE_SIZE];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert(!signature_read(wrong[i], strlen(wrong[i]), signature));
}
END_TEST

SUITE("cloud_signature", the_known_signatures_are_those_of_their_bodies,
	  a_signature_of_another_body_secret_or_nobody_is_refused, each_digit_of_a_signature_counts,
	  without_a_secret_no_signature_is_right, what_is_no_signature_is_not_read)
