/*
 * test_random.c
 *		Random bytes come from a stock, and nobody gets the same ones.
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/random.h"
#include "tests/unit/suite.h"

#define ID 16

static int generated; /* how often bytes were generated */

/* In place of libevent's: each generation has bytes of its own. */
void evutil_secure_rng_get_bytes(void *bytes, size_t len);

void
evutil_secure_rng_get_bytes(void *bytes, size_t len)
{
	generated++;
	for (size_t i = 0; i < len; i++)
		((unsigned char *) bytes)[i] = (unsigned char) (generated + (int) (i / ID));
}

START_TEST(a_stock_serves_many_calls)
{
	unsigned char before[ID];
	unsigned char id[ID];

	random_fill(before, ID);
	for (int i = 1; i < RANDOM_STOCK / ID; i++)
	{
		random_fill(id, ID);
		ck_assert_mem_ne(id, before, ID);
		memcpy(before, id, ID);
	}
	ck_assert_int_eq(generated, 1);
	random_fill(id, ID);
	ck_assert_int_eq(generated, 2);
}
END_TEST

/* The end of a stock that is too short for a call is not used. */
START_TEST(each_call_is_filled_completely)
{
	unsigned char most[RANDOM_STOCK - 1];
	unsigned char id[ID] = {0};

	random_fill(most, sizeof(most));
	random_fill(id, ID);
	ck_assert_int_eq(generated, 2);
	for (int i = 0; i < ID; i++)
		ck_assert_uint_eq(id[i], 2);
}
END_TEST

START_TEST(more_than_a_stock_is_generated_at_once)
{
	unsigned char much[2 * RANDOM_STOCK] = {0};

	random_fill(much, sizeof(much));
	ck_assert_int_eq(generated, 1);
	ck_assert_uint_ne(much[sizeof(much) - 1], 0);
}
END_TEST

START_TEST(a_child_does_not_get_what_its_parent_has_in_stock)
{
	unsigned char id[ID];
	pid_t child;
	int status;

	random_fill(id, ID);
	child = fork();
	if (child == 0)
	{
		random_fill(id, ID);
		_exit(generated);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 2);
	random_fill(id, ID);
	ck_assert_int_eq(generated, 1);
}
END_TEST

SUITE("random", a_stock_serves_many_calls, each_call_is_filled_completely,
	  more_than_a_stock_is_generated_at_once, a_child_does_not_get_what_its_parent_has_in_stock)
