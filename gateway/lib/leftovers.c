/*
 * leftovers.c
 *		Wipes used data that remains in memory which is not freed; see leftovers.h.
 */
#include "lib/leftovers.h"

#include <malloc.h>

#include "src/common/memory.h"

/* More than the callbacks of our programs use of the stack while they handle a secret. */
#define STACK_BYTES (32 * 1024)

static _Thread_local Leftovers *followed = NULL;
static _Thread_local Leftovers *noting = NULL;

void
leftovers_begin(Leftovers *leftovers, size_t size)
{
	leftovers_forget(leftovers);
	leftovers->wanted = size;
	leftovers->next = followed;
	followed = leftovers;
	noting = leftovers;
}

void
leftovers_end(void)
{
	noting = NULL;
}

void
leftovers_wipe(const Leftovers *leftovers)
{
	for (int i = 0; i < leftovers->count; i++)
		wak_wipe(leftovers->blocks[i], malloc_usable_size(leftovers->blocks[i]));
}

void
leftovers_forget(Leftovers *leftovers)
{
	for (Leftovers **link = &followed; *link != NULL; link = &(*link)->next)
	{
		if (*link == leftovers)
		{
			*link = leftovers->next;
			break;
		}
	}
	*leftovers = (Leftovers){.count = 0};
}

void
leftovers_wipe_stack(void)
{
	char below[STACK_BYTES];

	wak_wipe(below, sizeof(below));
}

/* ---- called by the allocator ---- */

void
leftovers_allocated(void *block, size_t size)
{
	if (noting != NULL && block != NULL && size == noting->wanted &&
		noting->count < LEFTOVERS_BLOCKS_MAX)
		noting->blocks[noting->count++] = block;
}

/* The entry that records this block, or NULL. */
static void **
place_of(const void *block, Leftovers **owner)
{
	for (*owner = followed; *owner != NULL; *owner = (*owner)->next)
	{
		for (int i = 0; i < (*owner)->count; i++)
			if ((*owner)->blocks[i] == block)
				return &(*owner)->blocks[i];
	}
	return NULL;
}

void
leftovers_moved(const void *from, void *to)
{
	Leftovers *owner;
	void **place = place_of(from, &owner);

	if (place != NULL)
		*place = to;
}

void
leftovers_freed(const void *block)
{
	Leftovers *owner;
	void **place = place_of(block, &owner);

	if (place != NULL)
		*place = owner->blocks[--owner->count];
}
