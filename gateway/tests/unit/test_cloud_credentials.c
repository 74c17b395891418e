/*
 * test_cloud_credentials.c
 *		Credentials are opened with the right key, for the right organization, and only if their
 *		texts can be parts of URLs and headers.
 */
#include <string.h>

#include "cloud/credentials.h"
#include "lib/buffer.h"
#include "src/common/typeid.h"
#include "tests/unit/suite.h"

#define RIGHT                                                                                 \
	"\"phoneNumberId\":\"106540352242922\",\"wabaId\":\"102290129340398\",\"appId\":\"670\"," \
	"\"accessToken\":\"EAAG\",\"appSecret\":\"0f1e\",\"verifyToken\":\"w7!\\\"\""

static const uint8_t org[DB_UUID_SIZE] = {1, 2, 3};
static const uint8_t other_org[DB_UUID_SIZE] = {1, 2, 4};
static CloudKeys keys;
static CloudCredentials credentials;
static uint8_t box[8192];
static size_t box_len;

static void
start(void)
{
	keys.count = 2;
	ck_assert(sealed_box_make_key(&keys.keys[0]));
	ck_assert(sealed_box_make_key(&keys.keys[1]));
}

/* Seals an object with these members for the organization, to the second key. */
static void
seal(const char *members)
{
	char id[WAK_TYPEID_MAX + 1];
	Buffer plain;

	wak_typeid_encode("org", org, id);
	buffer_init(&plain, sizeof(box));
	ck_assert(buffer_printf(&plain, "{\"organizationId\":\"%s\",%s}", id, members));
	box_len = plain.len + SEALED_BOX_EXTRA;
	ck_assert(sealed_box_seal(keys.keys[1].public_key, plain.data, plain.len, box));
	buffer_free(&plain);
}

static void
is_refused(const uint8_t *of, const char *with)
{
	static const CloudCredentials nothing;
	const char *problem = cloud_credentials_open(&keys, of, box, box_len, &credentials);

	ck_assert_ptr_nonnull(problem);
	ck_assert_msg(strstr(problem, with) != NULL, "%s", problem);
	ck_assert_mem_eq(&credentials, &nothing, sizeof(nothing));
}

START_TEST(they_are_opened_with_whichever_key_fits)
{
	seal(RIGHT);
	ck_assert_ptr_null(cloud_credentials_open(&keys, org, box, box_len, &credentials));
	ck_assert_str_eq(credentials.phone_number_id, "106540352242922");
	ck_assert_str_eq(credentials.waba_id, "102290129340398");
	ck_assert_str_eq(credentials.app_id, "670");
	ck_assert_str_eq(credentials.access_token, "EAAG");
	ck_assert_str_eq(credentials.app_secret, "0f1e");
	ck_assert_str_eq(credentials.verify_token, "w7!\"");
	ck_assert_str_eq(credentials.graph_version, "");
	seal(RIGHT ",\"graphVersion\":\"v26.0\"");
	ck_assert_ptr_null(cloud_credentials_open(&keys, org, box, box_len, &credentials));
	ck_assert_str_eq(credentials.graph_version, "v26.0");
}
END_TEST

START_TEST(those_of_another_organization_are_refused)
{
	seal(RIGHT);
	is_refused(other_org, "another organization");
}
END_TEST

START_TEST(without_its_key_or_changed_nobody_reads_them)
{
	seal(RIGHT);
	box[box_len - 1] ^= 1;
	is_refused(org, "no key that opens");
	box[box_len - 1] ^= 1;
	keys.count = 1;
	is_refused(org, "no key that opens");
	box_len = SEALED_BOX_EXTRA - 1;
	is_refused(org, "cannot be read");
	box_len = sizeof(box) + 1;
	is_refused(org, "cannot be read");
}
END_TEST

/* Whoever can write to the database and knows the public key can seal what he likes. */
static const char *const wrong[] = {
	"\"phoneNumberId\":\"1/../2\"", "\"phoneNumberId\":\"\"",
	"\"phoneNumberId\":1",          "\"phoneNumberId\":\"123456789012345678901\"",
	"\"wabaId\":\"1?a\"",           "\"appId\":\"1a\"",
	"\"accessToken\":\"a\\r\\nb\"", "\"accessToken\":\"a b\"",
	"\"appSecret\":\"\xC3\xA4\"",   "\"verifyToken\":[]",
	"\"graphVersion\":\"../v1.0\"", "\"graphVersion\":\"v123456.0\"",
};

START_TEST(what_cannot_be_part_of_a_url_or_a_header_is_refused)
{
	static const char *const names[] = {"phoneNumberId", "wabaId",    "appId",
										"accessToken",   "appSecret", "verifyToken"};
	const char *member = wrong[_i];
	Buffer members;

	buffer_init(&members, sizeof(box));
	buffer_append_text(&members, member);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(member + 1, names[i], strlen(names[i])) != 0)
			buffer_printf(&members, ",\"%s\":\"1\"", names[i]);
	seal(members.data);
	is_refused(org, "cannot be read");
	buffer_free(&members);
}
END_TEST

START_TEST(each_member_is_needed)
{
	seal(
		"\"phoneNumberId\":\"1\",\"wabaId\":\"1\",\"appId\":\"1\",\"accessToken\":\"1\",\"appSecret\":\"1\"");
	is_refused(org, "cannot be read");
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, NULL);
	tcase_add_test(cases, they_are_opened_with_whichever_key_fits);
	tcase_add_test(cases, those_of_another_organization_are_refused);
	tcase_add_test(cases, without_its_key_or_changed_nobody_reads_them);
	tcase_add_loop_test(cases, what_cannot_be_part_of_a_url_or_a_header_is_refused, 0,
						(int) (sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(cases, each_member_is_needed);
}

SUITE_WITH("cloud_credentials", add_tests)
