/*
 * test_wipe_on_free.c
 *		free() and realloc() of the programs leave nothing behind.
 *
 * This test alone is linked with them.  Memory that was freed is read through the kernel,
 * since no program may look at it.  The allocator itself writes to the first bytes of a
 * block that is free.  (With the sanitizers the allocator is theirs; then all that is asked
 * for is that it works.)
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/leftovers.h"
#include "tests/unit/suite.h"

/* What the allocator itself keeps in a block that is free, at most. */
#define ALLOCATORS_OWN 32

/* Of the blocks here. */
#define LARGEST 1000000

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* Called so that the compiler does not know them, and leave out what is written before. */
static void (*volatile release)(void *) = free;
static void *(*volatile resize)(void *, size_t) = realloc;

/*
 * How many of the bytes at an address that may be free are an x.  Nothing is allocated here,
 * and nothing asserted, because an assertion of Check allocates: that could split the free
 * block, and a pointer that the allocator then keeps in the middle of it can have an x among
 * its bytes.
 */
static size_t
count_left(uintptr_t address, size_t len)
{
	static char bytes[LARGEST];
	int memory = open("/proc/self/mem", O_RDONLY);
	size_t left = 0;

	if (len > sizeof(bytes))
		abort();
	/* what was given back to the kernel cannot be read, and is nowhere */
	if (pread(memory, bytes, len, (off_t) address) == (ssize_t) len)
		for (size_t i = 0; i < len; i++)
			left += bytes[i] == 'x' ? 1 : 0;
	close(memory);
	return left;
}

static char *
filled(size_t size)
{
	char *block = malloc(size);

	memset(block, 'x', size);
	return block;
}

START_TEST(what_is_in_use_is_seen)
{
	char *block = filled(1000);

	ck_assert_uint_eq(count_left((uintptr_t) block, 1000), 1000);
	release(block);
}
END_TEST

START_TEST(a_block_that_is_freed_is_wiped)
{
	static const size_t sizes[] = {40, 1000, 20000, LARGEST};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !SANITIZED; i++)
	{
		char *block = filled(sizes[i]);
		uintptr_t address = (uintptr_t) block;

		release(block);
		ck_assert_uint_eq(count_left(address + ALLOCATORS_OWN, sizes[i] - ALLOCATORS_OWN), 0);
	}
	release(NULL);
}
END_TEST

START_TEST(a_block_that_grows_keeps_its_bytes_and_leaves_none_behind)
{
	static const size_t sizes[] = {40, 1000, 20000, LARGEST};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		char *block = filled(sizes[i]);
		char *behind = malloc(16); /* so that it cannot grow where it is */
		uintptr_t address = (uintptr_t) block;
		size_t left;

		block = resize(block, 3 * sizes[i]);
		left = (uintptr_t) block == address
				   ? 0
				   : count_left(address + ALLOCATORS_OWN, sizes[i] - ALLOCATORS_OWN);
		ck_assert_uint_eq(count_left((uintptr_t) block, sizes[i]), sizes[i]);
		if (!SANITIZED)
			ck_assert_uint_eq(left, 0);
		release(block);
		free(behind);
	}
}
END_TEST

START_TEST(what_is_cut_off_is_wiped)
{
	static const size_t smaller[] = {900, 600, 100, 1};

	for (size_t i = 0; i < sizeof(smaller) / sizeof(smaller[0]); i++)
	{
		char *block = filled(1000);
		uintptr_t address = (uintptr_t) block;
		size_t from = smaller[i] > ALLOCATORS_OWN ? smaller[i] : ALLOCATORS_OWN;

		block = resize(block, smaller[i]);
		ck_assert_uint_eq(count_left((uintptr_t) block, smaller[i]), smaller[i]);
		if (!SANITIZED)
			ck_assert_uint_eq(count_left(address + from, 1000 - from), 0);
		release(block);
	}
}
END_TEST

START_TEST(realloc_is_malloc_and_free_at_its_ends)
{
	volatile size_t nothing = 0; /* which the compiler would warn of */
	char *block = resize(NULL, 100);

	memset(block, 'x', 100);
	ck_assert_ptr_null(resize(block, 0));
	block = malloc(nothing);
	block = resize(block, 10);
	ck_assert_ptr_nonnull(block);
	release(block);
	block = calloc(100, 10);
	block = resize(block, 5000);
	ck_assert_int_eq(block[999], '\0');
	release(block);
	ck_assert_int_eq(posix_memalign((void **) &block, 4096, 5000), 0);
	release(block);
}
END_TEST

START_TEST(without_memory_a_block_stays_as_it_was)
{
	char *block = filled(100);

	if (!SANITIZED) /* which end the program */
		ck_assert_ptr_null(resize(block, SIZE_MAX / 4));
	ck_assert_uint_eq(count_left((uintptr_t) block, 100), 100);
	release(block);
}
END_TEST

START_TEST(the_large_blocks_of_a_library_are_followed)
{
	Leftovers leftovers = {.count = 0};
	char *block;

	leftovers_begin(&leftovers, LEFTOVERS_BLOCK_MIN);
	block = filled(LEFTOVERS_BLOCK_MIN);
	leftovers_end();
	ck_assert_int_eq(leftovers.count, SANITIZED ? 0 : 1);
	block = resize(block, 10 * LEFTOVERS_BLOCK_MIN);
	leftovers_wipe(&leftovers);
	if (!SANITIZED)
		ck_assert_uint_eq(count_left((uintptr_t) block, LEFTOVERS_BLOCK_MIN), 0);
	release(block);
	ck_assert_int_eq(leftovers.count, 0);
	leftovers_forget(&leftovers);
}
END_TEST

SUITE("wipe_on_free", what_is_in_use_is_seen, a_block_that_is_freed_is_wiped,
	  a_block_that_grows_keeps_its_bytes_and_leaves_none_behind, what_is_cut_off_is_wiped,
	  realloc_is_malloc_and_free_at_its_ends, without_memory_a_block_stays_as_it_was,
	  the_large_blocks_of_a_library_are_followed)
