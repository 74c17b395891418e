/*
 * leftovers.h
 *		Wipes used data that remains in memory which is not freed.
 *
 * free() itself wipes freed memory (wipe_on_free.c).  Used data can remain in two more
 * places.
 *
 * The *stack* below the caller still holds the local variables of functions that have
 * returned.
 *
 * A *library's buffers* live as long as the library's object, and the library neither wipes
 * them nor says where they are.  A Leftovers records such buffers when they are allocated,
 * recognising them by their size, and keeps track of them when they are reallocated.  This
 * works only in programs that are linked with wipe_on_free.c; in others nothing is recorded
 * and nothing is wiped.
 *
 * A Leftovers belongs to the thread that called leftovers_begin() for it.
 */
#ifndef LIB_LEFTOVERS_H
#define LIB_LEFTOVERS_H

#include <stdbool.h>
#include <stddef.h>

#define LEFTOVERS_BLOCKS_MAX 2

/* Smaller blocks are not tracked, so that free() need not look up most blocks. */
#define LEFTOVERS_BLOCK_MIN (16 * 1024)

/* A zeroed one has no blocks.  Its address must not change until leftovers_forget(). */
typedef struct Leftovers
{
	struct Leftovers *next;
	size_t wanted; /* the allocation size of the blocks to record; 0: never began */
	void *blocks[LEFTOVERS_BLOCKS_MAX];
	int count;
} Leftovers;

/*
 * Until leftovers_end(), records the first LEFTOVERS_BLOCKS_MAX blocks that are allocated
 * with exactly this size, which must be at least LEFTOVERS_BLOCK_MIN.
 */
extern void leftovers_begin(Leftovers *leftovers, size_t size);
extern void leftovers_end(void);

/* Wipes the blocks.  They must hold nothing that the library will read again. */
extern void leftovers_wipe(const Leftovers *leftovers);

/* Stops tracking the blocks. */
extern void leftovers_forget(Leftovers *leftovers);

/* Wipes the stack below the caller, deeper than our callbacks reach. */
extern void leftovers_wipe_stack(void);

/* The allocator calls these (wipe_on_free.c). */
extern void leftovers_allocated(void *block, size_t size);
extern void leftovers_moved(const void *from, void *to);
extern void leftovers_freed(const void *block);

#endif
