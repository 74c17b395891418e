/*-------------------------------------------------------------------------
 *
 * shared_memory.h
 *		Memory that all backends share, for the rooms that keep something there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_SHARED_MEMORY_H
#define SRC_SHARED_MEMORY_H

#include "postgres.h"

#include "storage/lwlock.h"

/*
 * What a room wants.  Definitions are static.  "attach" is called in every process
 * that has the memory, with a lock on it of the room's own, if it wants one, else
 * NULL; is_new: the memory is all zeros, and nobody else has it yet.
 */
typedef struct WaSharedMemory
{
	const char *name; /* of the memory, and of the lock's tranche */
	Size size;
	bool with_lock;
	void (*attach)(void *memory, LWLock *lock, bool is_new);
	struct WaSharedMemory *next; /* shared_memory.c's own */
} WaSharedMemory;

/* Ask for it; called once for each, while shared_preload_libraries is processed. */
extern void wa_shared_memory_want(WaSharedMemory *wanted);

/* Fill a part of new memory with random bytes; FATAL when there are none. */
extern void wa_shared_memory_seed(void *bytes, size_t len);

#endif
