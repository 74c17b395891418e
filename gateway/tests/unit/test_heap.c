/*
 * test_heap.c
 *		A peak does not stay with the process.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/heap.h"
#include "tests/unit/suite.h"

/* Blocks of a size that the C library does not give back one by one. */
#define BLOCKS 2000
#define BLOCK_BYTES (64 * 1024)

static long
resident_mib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	ck_assert(file != NULL && fscanf(file, "%*s %ld", &pages) == 1);
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE) / (1024 * 1024);
}

/* The compiler would leave out what it sees to be useless. */
static void *
written_block(void)
{
	void *block = malloc(BLOCK_BYTES);

	ck_assert_ptr_nonnull(block);
	explicit_bzero(block, BLOCK_BYTES);
	return block;
}

/* Behind the peak something stays, which holds all of it. */
static void *
peak(void)
{
	static void *blocks[BLOCKS];
	void *last;

	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = written_block();
	last = written_block();
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	return last;
}

START_TEST(what_was_freed_goes_back_each_time)
{
	long before = resident_mib();

	heap_give_back();
	for (int i = 0; i < 2; i++)
	{
		void *last = peak();

		ck_assert_int_gt(resident_mib(), before + 100);
		usleep((HEAP_LOOK_MS + 50) * 1000);
		heap_give_back();
		ck_assert_int_lt(resident_mib(), before + 32);
		free(last);
	}
}
END_TEST

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#endif

/* A sanitizer has an allocator of its own, which keeps what is freed on purpose. */
static void
add_tests(TCase *cases)
{
	tcase_set_timeout(cases, 20);
#ifndef SANITIZED
	tcase_add_test(cases, what_was_freed_goes_back_each_time);
#else
	(void) what_was_freed_goes_back_each_time;
#endif
}

SUITE_WITH("heap", add_tests)
