/*
 * wipe_on_free.c
 *		This program's malloc(), realloc() and free(), which wipe memory before freeing it.
 *
 * Our own code wipes what it knows to be secret.  But a request also passes through libraries
 * (libevent, OpenSSL, libpq, curl), which copy it and free the copies without wiping them.
 * So free() overwrites each block, and realloc() overwrites what it moves or cuts off.
 * Everything else is done by the next allocator, which is the C library's or a preloaded
 * one.  calloc() and the aligned allocation functions free nothing, so they are not replaced.
 *
 * Only the programs and this file's own test are linked with this file.  The sanitizers have
 * their own allocator, so with them this file is empty.
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

/* dlsym() returns a pointer to data even for a function; the union converts it. */
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

/* Called by the first allocation, which the loader makes before any code of ours runs. */
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

/* The next allocator's realloc() could leave the old bytes in freed memory. */
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

/* A block that shrinks to no less than half stays in place, and the cut-off part is wiped. */
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
