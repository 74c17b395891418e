/*
 * wipe_on_free.c
 *		This program's malloc(), realloc() and free(): what is freed is wiped first.
 *
 * Our own code wipes what it knows to be secret.  But a request passes through libraries
 * too (libevent, OpenSSL, libpq, curl), which copy it and free the copies as they are.  So
 * each block is overwritten when it is freed, and when it moves or shrinks; the rest is
 * left to the next allocator in line, which is the C library's or one that was preloaded.
 * calloc() and the aligned ones leave nothing behind and stay as they are.
 *
 * Only the programs are linked with this file, and no test but its own.  The sanitizers
 * have an allocator of their own, and with them this file is empty.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/memory.h"
#include "lib/leftovers.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#endif

#ifndef SANITIZED

static void *(*next_malloc)(size_t size);
static void (*next_free)(void *block);

typedef void (*Function)(void);

/* dlsym() gives a pointer to data for what is a function. */
static Function
find_next(const char *name)
{
	union
	{
		void *data;
		Function function;
	} found = {.data = dlsym(RTLD_NEXT, name)};

	if (found.data == NULL)
		abort();
	return found.function;
}

/* Before anything else runs: the first call comes from the loader. */
static void
find_allocator(void)
{
	next_free = (void (*)(void *)) find_next("free");
	next_malloc = (void *(*) (size_t)) find_next("malloc");
}

void *
malloc(size_t size)
{
	void *block;

	if (next_malloc == NULL)
		find_allocator();
	block = next_malloc(size);
	leftovers_allocated(block, size);
	return block;
}

void
free(void *block)
{
	size_t size;

	if (block == NULL)
		return;
	if (next_malloc == NULL)
		find_allocator();
	size = malloc_usable_size(block);
	if (size >= LEFTOVERS_BLOCK_MIN)
		leftovers_freed(block);
	wak_wipe(block, size);
	next_free(block);
}

/* The next allocator's realloc() would leave the bytes behind where they were. */
static void *
move(void *block, size_t old_size, size_t size)
{
	void *moved = malloc(size);

	if (moved == NULL)
		return NULL;
	memcpy(moved, block, old_size < size ? old_size : size);
	if (old_size >= LEFTOVERS_BLOCK_MIN)
		leftovers_moved(block, moved);
	free(block);
	return moved;
}

/* A block that gets a little smaller stays, and what is cut off is wiped. */
void *
realloc(void *block, size_t size)
{
	size_t old_size;

	if (block == NULL)
		return malloc(size);
	if (size == 0)
	{
		free(block);
		return NULL;
	}
	old_size = malloc_usable_size(block);
	if (size > old_size || size < old_size / 2)
		return move(block, old_size, size);
	wak_wipe((char *) block + size, old_size - size);
	return block;
}

#endif
