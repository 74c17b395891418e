/*
 * test_leftovers.c
 *		Blocks of a library are followed from allocation to free(), and wiped; so is the stack.
 *
 * Here the test is the allocator that tells.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/leftovers.h"
#include "tests/unit/suite.h"

#define SIZE LEFTOVERS_BLOCK_MIN

static char *
allocate(size_t size)
{
	char *block = malloc(size);

	memset(block, 'x', size);
	leftovers_allocated(block, size);
	return block;
}

static bool
is_wiped(const char *block, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (block[i] != '\0')
			return false;
	return true;
}

START_TEST(the_first_two_blocks_of_that_size_are_wiped_and_no_other)
{
	Leftovers leftovers = {.count = 0};
	char *before = allocate(SIZE);
	char *blocks[5];

	leftovers_begin(&leftovers, SIZE);
	blocks[0] = allocate(SIZE + 1);
	blocks[1] = allocate(SIZE);
	blocks[2] = allocate(SIZE - 1);
	blocks[3] = allocate(SIZE);
	blocks[4] = allocate(SIZE);
	leftovers_end();

	leftovers_wipe(&leftovers);
	ck_assert(!is_wiped(before, SIZE));
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(is_wiped(blocks[i], SIZE - 1), i == 1 || i == 3);

	leftovers_forget(&leftovers);
	for (int i = 0; i < 5; i++)
		free(blocks[i]);
	free(before);
}
END_TEST

START_TEST(nothing_is_noted_behind_the_end)
{
	Leftovers leftovers = {.count = 0};
	char *block;

	leftovers_begin(&leftovers, SIZE);
	leftovers_end();
	block = allocate(SIZE);
	leftovers_wipe(&leftovers);
	ck_assert(!is_wiped(block, SIZE));
	leftovers_forget(&leftovers);
	free(block);
}
END_TEST

START_TEST(a_block_is_followed_where_it_moves_and_left_alone_once_it_is_free)
{
	Leftovers leftovers = {.count = 0};
	char *stays;
	char *moves;
	char *moved;

	leftovers_begin(&leftovers, SIZE);
	moves = allocate(SIZE);
	stays = allocate(SIZE);
	leftovers_end();

	moved = allocate(2 * SIZE);
	leftovers_moved(moves, moved);
	leftovers_wipe(&leftovers);
	ck_assert(!is_wiped(moves, SIZE));
	ck_assert(is_wiped(moved, 2 * SIZE));
	ck_assert(is_wiped(stays, SIZE));

	memset(moved, 'x', 2 * SIZE);
	memset(stays, 'x', SIZE);
	leftovers_freed(moved);
	leftovers_wipe(&leftovers);
	ck_assert(!is_wiped(moved, 2 * SIZE));
	ck_assert(is_wiped(stays, SIZE));

	leftovers_forget(&leftovers);
	free(moves);
	free(moved);
	free(stays);
}
END_TEST

START_TEST(two_libraries_do_not_meet_and_one_may_begin_again)
{
	Leftovers one = {.count = 0};
	Leftovers other = {.count = 0};
	char *blocks[3];

	leftovers_begin(&one, SIZE);
	blocks[0] = allocate(SIZE);
	leftovers_end();
	leftovers_begin(&other, SIZE);
	blocks[1] = allocate(SIZE);
	leftovers_end();
	leftovers_begin(&one, SIZE);
	blocks[2] = allocate(SIZE);
	leftovers_end();

	leftovers_wipe(&one);
	ck_assert(!is_wiped(blocks[0], SIZE));
	ck_assert(!is_wiped(blocks[1], SIZE));
	ck_assert(is_wiped(blocks[2], SIZE));
	leftovers_forget(&one);
	leftovers_wipe(&other);
	ck_assert(is_wiped(blocks[1], SIZE));
	leftovers_forget(&other);
	leftovers_forget(&other);
	for (int i = 0; i < 3; i++)
		free(blocks[i]);
}
END_TEST

/*
 * Where the sanitizers keep locals apart from the stack there is nothing to look at.  A few
 * bytes may be what was left by chance: addresses, and the canary, which is random.
 */
#if !defined(__SANITIZE_ADDRESS__)
static volatile uintptr_t left_at;

static __attribute__((noinline)) void
leave_something(void)
{
	volatile char local[64];

	for (size_t i = 0; i < sizeof(local); i++)
		local[i] = 'x';
	left_at = (uintptr_t) local;
}

START_TEST(what_a_function_left_on_the_stack_is_wiped)
{
	const volatile char *at;
	int left = 0;

	leave_something();
	at = (const volatile char *) left_at;
	leftovers_wipe_stack();
	for (size_t i = 0; i < 64; i++)
		left += at[i] == 'x' ? 1 : 0;
	ck_assert_int_lt(left, 16);
}
END_TEST
#else
START_TEST(what_a_function_left_on_the_stack_is_wiped)
{
	leftovers_wipe_stack();
}
END_TEST
#endif

SUITE("leftovers", the_first_two_blocks_of_that_size_are_wiped_and_no_other,
	  nothing_is_noted_behind_the_end,
	  a_block_is_followed_where_it_moves_and_left_alone_once_it_is_free,
	  two_libraries_do_not_meet_and_one_may_begin_again, what_a_function_left_on_the_stack_is_wiped)
