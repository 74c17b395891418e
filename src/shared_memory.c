/*-------------------------------------------------------------------------
 *
 * shared_memory.c
 *		Memory that all backends share, for the files that keep something there.
 *
 * The server asks for sizes first and lets processes attach later.  Both happen
 * in hooks, and an extension must call the hook that was installed before its
 * own.  This file does that once for all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "src/compatibility.h"
#include "src/shared_memory.h"

static WaSharedMemory *all = NULL;

static shmem_request_hook_type next_request_hook = NULL;
static shmem_startup_hook_type next_startup_hook = NULL;

static void
request_memory(void)
{
	if (next_request_hook)
		next_request_hook();
	for (WaSharedMemory *wanted = all; wanted != NULL; wanted = wanted->next)
	{
		RequestAddinShmemSpace(MAXALIGN(wanted->size));
		if (wanted->lock_count > 0)
			RequestNamedLWLockTranche(wanted->name, wanted->lock_count);
	}
}

static void
attach(WaSharedMemory *wanted)
{
	bool found;
	void *memory = ShmemInitStruct(wanted->name, wanted->size, &found);

	if (!found)
		memset(memory, 0, wanted->size);
	wanted->attach(memory, wanted->lock_count > 0 ? GetNamedLWLockTranche(wanted->name) : NULL,
				   !found);
}

static void
attach_memory(void)
{
	if (next_startup_hook)
		next_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (WaSharedMemory *wanted = all; wanted != NULL; wanted = wanted->next)
		attach(wanted);
	LWLockRelease(AddinShmemInitLock);
}

void
wa_shared_memory_want(WaSharedMemory *wanted)
{
	if (all == NULL)
	{
		next_request_hook = shmem_request_hook;
		shmem_request_hook = request_memory;
		next_startup_hook = shmem_startup_hook;
		shmem_startup_hook = attach_memory;
	}
	wanted->next = all;
	all = wanted;
}

void
wa_shared_memory_seed(void *bytes, size_t len)
{
	if (!pg_strong_random(bytes, len))
		ereport(FATAL,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
}
