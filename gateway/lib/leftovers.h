/*
 * leftovers.h
 *		What has been done with, but is still in memory that others hold: wiped.
 *
 * Freed memory is wiped by free() itself (wipe_on_free.c).  Two places remain.
 *
 * The *stack* below the caller has what functions that have returned left there.
 *
 * The *buffers of a library* live as long as what they belong to, and the library neither
 * wipes them nor tells where they are.  A Leftovers notes them when they are allocated,
 * by their size, and follows them when they are reallocated.  This works only in programs
 * that are linked with wipe_on_free.c; elsewhere nothing is noted and nothing is wiped.
 *
 * All of it belongs to one thread: the one that began to note.
 */
#ifndef LIB_LEFTOVERS_H
#define LIB_LEFTOVERS_H

#include <stdbool.h>
#include <stddef.h>

#define LEFTOVERS_BLOCKS_MAX 2

/* No smaller block is followed, so that almost every free() needs not ask. */
#define LEFTOVERS_BLOCK_MIN (16 * 1024)

/* Zeroed, it has no blocks.  It stays where it is until leftovers_forget(). */
typedef struct Leftovers
{
	struct Leftovers *next;
	size_t wanted; /* bytes that a block is asked for with; 0: noted before, or never */
	void *blocks[LEFTOVERS_BLOCKS_MAX];
	int count;
} Leftovers;

/*
 * From here to leftovers_end(), notes the first LEFTOVERS_BLOCKS_MAX blocks that are
 * allocated with exactly this size, which is at least LEFTOVERS_BLOCK_MIN.
 */
extern void leftovers_begin(Leftovers *leftovers, size_t size);
extern void leftovers_end(void);

/* Wipes the blocks.  The library must hold nothing in them that it will look at again. */
extern void leftovers_wipe(const Leftovers *leftovers);

/* Follows its blocks no longer. */
extern void leftovers_forget(Leftovers *leftovers);

/* Wipes the stack below the caller, as deep as callbacks of ours go. */
extern void leftovers_wipe_stack(void);

/* What the allocator tells (wipe_on_free.c). */
extern void leftovers_allocated(void *block, size_t size);
extern void leftovers_moved(const void *from, void *to);
extern void leftovers_freed(const void *block);

#endif
