/*-------------------------------------------------------------------------
 *
 * shared_memory.h
 *		Memory that all backends share, for the files that keep something there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_SHARED_MEMORY_H
#define SRC_SHARED_MEMORY_H

#include "postgres.h"

#include "storage/lwlock.h"

/*
 * What a file asks for.  Definitions are static.  "attach" is called in every process that has
 * the memory, with an array of the locks for it, or NULL if none was asked for.  "is_new" means
 * that the memory is all zeros and that no other process has it yet.
 */
typedef struct WaSharedMemory
{
	const char *name; /* of the memory and of the locks' tranche */
	Size size;
	int lock_count;
	void (*attach)(void *memory, LWLockPadded *locks, bool is_new);
	struct WaSharedMemory *next; /* used by shared_memory.c only */
} WaSharedMemory;

/* Requests the memory.  Called once for each, while shared_preload_libraries is processed. */
extern void wa_shared_memory_want(WaSharedMemory *wanted);

/* Fills a part of new memory with random bytes.  FATAL if there are none. */
extern void wa_shared_memory_seed(void *bytes, size_t len);

#endif
