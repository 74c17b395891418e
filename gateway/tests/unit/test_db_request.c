/*
 * test_db_request.c
 *		Parameters become PostgreSQL's binary formats, and bounds hold.
 */
#include <stdlib.h>
#include <string.h>

#include "db/db_internal.h"
#include "tests/unit/suite.h"

static DbRequest *
new_request(void)
{
	DbRequest *request = db_request_new(0, DB_LANE_FAST, 1000, NULL, NULL);

	ck_assert_ptr_nonnull(request);
	return request;
}

static void
assert_last(const DbRequest *request, const void *bytes, size_t len)
{
	ck_assert_int_eq(request->lengths[request->params - 1], (int) len);
	ck_assert_uint_ge(request->bytes.len, len);
	ck_assert_mem_eq(request->bytes.data + request->bytes.len - len, bytes, len);
}

START_TEST(numbers_times_and_flags)
{
	DbRequest *request = new_request();

	ck_assert(db_param_int32(request, -2));
	assert_last(request, "\xff\xff\xff\xfe", 4);
	ck_assert(db_param_bool(request, true));
	assert_last(request, "\x01", 1);
	ck_assert(db_param_time_ms(request, INT64_C(946684800001)));
	assert_last(request, "\0\0\0\0\0\0\x03\xe8", 8);
	ck_assert(db_param_jsonb(request, "{}", 2));
	assert_last(request, "\x01{}", 3);
	ck_assert_int_eq(request->params, 4);
	db_request_free(request);
}
END_TEST

START_TEST(null_is_not_empty)
{
	DbRequest *request = new_request();

	ck_assert(db_param_null(request));
	ck_assert(db_param_text(request, "", 0));
	ck_assert_int_eq(request->lengths[0], -1);
	ck_assert_int_eq(request->lengths[1], 0);
	db_request_free(request);
}
END_TEST

START_TEST(text_arrays)
{
	static const char *const texts[] = {"ab", ""};
	static const size_t lengths[] = {2, 0};
	DbRequest *request = new_request();

	ck_assert(db_param_text_array(request, texts, lengths, 2));
	assert_last(request,
				"\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x02\0\0\0\x01\0\0\0\x02"
				"ab\0\0\0\0",
				30);
	ck_assert(db_param_text_array(request, texts, lengths, 0));
	assert_last(request, "\0\0\0\0\0\0\0\0\0\0\0\x19", 12);
	db_request_free(request);
}
END_TEST

START_TEST(times_outside_postgresqls_are_refused)
{
	DbRequest *request = new_request();

	ck_assert(db_param_time_ms(request, DB_TIME_MS_MAX));
	ck_assert(db_param_time_ms(request, DB_TIME_MS_MIN));
	ck_assert(!db_param_time_ms(request, DB_TIME_MS_MAX + 1));
	ck_assert(!db_param_time_ms(request, DB_TIME_MS_MIN - 1));
	ck_assert(!db_param_time_us(request, INT64_MAX));
	ck_assert(!db_param_time_us(request, INT64_MIN));
	ck_assert(db_param_time_none(request));
	db_request_free(request);
}
END_TEST

START_TEST(too_many_parameters_are_refused)
{
	DbRequest *request = new_request();

	for (int i = 0; i < DB_PARAMS_MAX; i++)
		ck_assert(db_param_int32(request, i));
	ck_assert(!db_param_int32(request, 0));
	ck_assert(!db_param_null(request));
	ck_assert_int_eq(request->params, DB_PARAMS_MAX);
	db_request_free(request);
}
END_TEST

START_TEST(too_many_bytes_are_refused)
{
	DbRequest *request = new_request();
	char *large = calloc(1, DB_PARAM_BYTES_MAX);

	ck_assert(!db_param_text(request, large, DB_PARAM_BYTES_MAX + (size_t) 1));
	ck_assert_int_eq(request->params, 0);
	free(large);
	db_request_free(request);
}
END_TEST

START_TEST(credentials_that_are_too_long_are_refused)
{
	char credential[DB_CREDENTIAL_MAX + 1];
	DbRequest *request = new_request();

	memset(credential, 'a', sizeof(credential));
	ck_assert(!db_request_credential(request, credential, 0, NULL));
	ck_assert(!db_request_credential(request, credential, sizeof(credential), NULL));
	ck_assert(db_request_credential(request, credential, DB_CREDENTIAL_MAX, "read"));
	db_request_free(request);
}
END_TEST

START_TEST(addresses_that_are_too_long_are_not_passed_on)
{
	char address[DB_ADDRESS_MAX + 1];
	DbRequest *request = new_request();

	memset(address, '1', sizeof(address));
	ck_assert_uint_eq(request->address_len, 0);
	db_request_address(request, address, DB_ADDRESS_MAX);
	ck_assert_uint_eq(request->address_len, DB_ADDRESS_MAX);
	db_request_address(request, address, sizeof(address));
	ck_assert_uint_eq(request->address_len, 0);
	db_request_free(request);
}
END_TEST

START_TEST(names_of_programs_are_cut)
{
	char agent[DB_AGENT_MAX + 1];
	DbRequest *request = new_request();

	memset(agent, 'a', sizeof(agent));
	ck_assert_uint_eq(request->agent_len, 0);
	db_request_agent(request, agent, 3);
	ck_assert_uint_eq(request->agent_len, 3);
	db_request_agent(request, agent, sizeof(agent));
	ck_assert_uint_eq(request->agent_len, DB_AGENT_MAX);
	ck_assert_mem_eq(request->agent, agent, DB_AGENT_MAX);
	db_request_free(request);
}
END_TEST

SUITE("db_request", numbers_times_and_flags, null_is_not_empty, text_arrays,
	  times_outside_postgresqls_are_refused, too_many_parameters_are_refused,
	  too_many_bytes_are_refused, credentials_that_are_too_long_are_refused,
	  addresses_that_are_too_long_are_not_passed_on, names_of_programs_are_cut)
