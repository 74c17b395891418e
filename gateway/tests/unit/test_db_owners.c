/*
 * test_db_owners.c
 *		Whose turn a request takes, and what is remembered of credentials.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "db/owners.h"
#include "tests/unit/suite.h"

static const uint8_t one_org[DB_UUID_SIZE] = "0123456789abcde";
static const uint8_t other_org[DB_UUID_SIZE] = "edcba9876543210";

static Owners *owners;

static int allocations; /* of libcrypto */

static void *
count_malloc(size_t size, const char *file, int line)
{
	(void) file;
	(void) line;
	allocations++;
	return malloc(size);
}

static void *
count_realloc(void *block, size_t size, const char *file, int line)
{
	(void) file;
	(void) line;
	allocations++;
	return realloc(block, size);
}

static void
release(void *block, const char *file, int line)
{
	(void) file;
	(void) line;
	free(block);
}

/* libcrypto takes another allocator only before it has allocated something itself. */
static void
start(void)
{
	ck_assert_int_eq(CRYPTO_set_mem_functions(count_malloc, count_realloc, release), 1);
	owners = owners_create();
	ck_assert_ptr_nonnull(owners);
}

static void
stop(void)
{
	owners_free(owners);
}

static FairOwner
of_key(const char *key, const char *address)
{
	return owner_of_credential(owners, key, strlen(key), address, strlen(address));
}

static FairOwner
of_address(const char *address)
{
	return owner_of_address(owners, address, strlen(address));
}

static bool
is_same(FairKey one, FairKey other)
{
	return memcmp(one.bytes, other.bytes, sizeof(one.bytes)) == 0;
}

static void
learn(const char *key, const uint8_t org[DB_UUID_SIZE])
{
	FairOwner owner = of_key(key, "192.0.2.1");

	owners_learn(owners, &owner, org);
}

START_TEST(a_credential_that_is_not_known_takes_the_turn_of_its_address)
{
	FairOwner owner = of_key("wa_a", "192.0.2.1");

	ck_assert_int_eq(owner.class, FAIR_ADDRESS);
	ck_assert(is_same(owner.group, of_address("192.0.2.1").group));
	ck_assert(is_same(owner.group, of_key("wa_b", "192.0.2.1").group));
	ck_assert(!is_same(owner.flow, of_key("wa_b", "192.0.2.1").flow));
	ck_assert(!is_same(owner.group, of_key("wa_a", "192.0.2.2").group));
	ck_assert_int_eq(of_key("wa_a", "").class, FAIR_ADDRESS);
}
END_TEST

START_TEST(one_that_was_accepted_takes_that_of_its_organization)
{
	FairOwner owner;

	learn("wa_a", one_org);
	learn("wa_b", one_org);
	learn("wa_c", other_org);
	owner = of_key("wa_a", "192.0.2.7");
	ck_assert_int_eq(owner.class, FAIR_ORG);
	ck_assert(is_same(owner.group, of_key("wa_b", "192.0.2.8").group));
	ck_assert(!is_same(owner.flow, of_key("wa_b", "192.0.2.8").flow));
	ck_assert(!is_same(owner.group, of_key("wa_c", "192.0.2.7").group));
	ck_assert(is_same(owner.group, owner_of_org(owners, one_org).group));
	ck_assert_int_eq(owner_of_org(owners, one_org).class, FAIR_ORG);
}
END_TEST

START_TEST(one_that_is_refused_is_known_no_more)
{
	FairOwner owner;

	learn("wa_a", one_org);
	owner = of_key("wa_a", "192.0.2.1");
	owners_forget(owners, &owner);
	ck_assert_int_eq(of_key("wa_a", "192.0.2.1").class, FAIR_ADDRESS);
	owners_forget(owners, &owner);
	ck_assert_int_eq(owners_known(owners), 0);
}
END_TEST

START_TEST(what_was_learned_last_counts)
{
	learn("wa_a", one_org);
	learn("wa_a", other_org);
	ck_assert_int_eq(owners_known(owners), 1);
	ck_assert(is_same(of_key("wa_a", "192.0.2.1").group, owner_of_org(owners, other_org).group));
}
END_TEST

/* Tokens can be had by the thousand: who goes on asking stays known. */
START_TEST(the_longest_unused_is_forgotten_first)
{
	char key[32];

	learn("wa_used", one_org);
	learn("wa_unused", one_org);
	for (int i = 0; i < OWNERS_MAX - 1; i++)
	{
		snprintf(key, sizeof(key), "wau_%d", i);
		learn(key, other_org);
		ck_assert_int_eq(of_key("wa_used", "192.0.2.1").class, FAIR_ORG);
	}
	ck_assert_int_eq(owners_known(owners), OWNERS_MAX);
	ck_assert_int_eq(of_key("wa_unused", "192.0.2.1").class, FAIR_ADDRESS);
}
END_TEST

START_TEST(an_address_is_an_ipv4_address_or_a_network_of_ipv6)
{
	static const struct
	{
		const char *one;
		const char *other;
		bool same;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1", true},          {"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},   {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		{"2001:db8::1", "2001:db8::2", true},      {"2001:db8::1", "2001:db8:0:0:ffff::1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false}, {"2001:db8::1", "2001:DB8::", true},
		{"not an address", "another", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		FairOwner one = of_address(cases[i].one);

		ck_assert_int_eq(one.class, FAIR_ADDRESS);
		ck_assert_int_eq(is_same(one.group, of_address(cases[i].other).group), cases[i].same);
	}
}
END_TEST

START_TEST(what_comes_from_nowhere_is_the_programs_own)
{
	ck_assert_int_eq(of_address("").class, FAIR_OWN);
}
END_TEST

/* Nobody can say which digests an address or a key will have. */
START_TEST(digests_differ_from_process_to_process)
{
	Owners *others = owners_create();

	ck_assert_ptr_nonnull(others);
	ck_assert(!is_same(of_address("192.0.2.1").group,
					   owner_of_address(others, "192.0.2.1", strlen("192.0.2.1")).group));
	owners_free(others);
}
END_TEST

/* The state of a digest, and nothing to search for the algorithm. */
START_TEST(a_credential_costs_libcrypto_at_most_one_allocation)
{
	learn("wa_a", one_org);
	ck_assert_int_gt(allocations, 0);
	allocations = 0;
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(of_key("wa_a", "192.0.2.1").class, FAIR_ORG);
	ck_assert_int_le(allocations, 100);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, a_credential_that_is_not_known_takes_the_turn_of_its_address);
	tcase_add_test(cases, one_that_was_accepted_takes_that_of_its_organization);
	tcase_add_test(cases, one_that_is_refused_is_known_no_more);
	tcase_add_test(cases, what_was_learned_last_counts);
	tcase_add_test(cases, the_longest_unused_is_forgotten_first);
	tcase_add_test(cases, an_address_is_an_ipv4_address_or_a_network_of_ipv6);
	tcase_add_test(cases, what_comes_from_nowhere_is_the_programs_own);
	tcase_add_test(cases, a_credential_costs_libcrypto_at_most_one_allocation);
	tcase_add_test(cases, digests_differ_from_process_to_process);
}

SUITE_WITH("db_owners", add_tests)
