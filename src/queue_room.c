/*-------------------------------------------------------------------------
 *
 * queue_room.c
 *		How many messages may still be queued before a session's queue is counted.
 *
 * Counting the messages that wait in a session costs more than a send.  So a
 * count says how many more may be queued, and each message takes one of them.
 * When none is left, the queue is counted again.  The number is kept in shared
 * memory, so that senders do not wait for each other's commit, as they would
 * for a row.
 *
 * The number is not taken back by a rollback.  Then the queue is counted
 * earlier than necessary.  A count does not see messages of transactions that
 * are in progress.  So a queue can exceed its limit by these.
 *
 * Invariants:
 * - The memory has a fixed size.  A session can be in the slots of one set
 *   only.  A new one takes the slot with the least room, which only means that
 *   the other session's queue is counted at its next message.
 * - The lock is held for one look at one set.  Nothing under it can raise an
 *   error.
 *
 * A restart of the server forgets all numbers.  Without shared_preload_libraries
 * there is no such memory, and the queue is counted for each message.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/uuid.h"

#include "src/compatibility.h"
#include "src/queue_room.h"
#include "src/shared_memory.h"

/* 1024 sets of 8 slots of 16 bytes: 128 kB. */
#define SETS 1024
#define SLOTS 8

typedef struct Slot
{
	uint64 session; /* 0: free */
	int64 room;
} Slot;

static Slot (*table)[SLOTS] = NULL;
static LWLock *lock = NULL;

PG_FUNCTION_INFO_V1(wa_take_queue_room);
PG_FUNCTION_INFO_V1(wa_set_queue_room);

/* The hash of a session of this database; never 0. */
static uint64
hashed(const pg_uuid_t *session)
{
	uint64 hash = hash_bytes_extended(session->data, UUID_LEN, MyDatabaseId);

	return hash == 0 ? 1 : hash;
}

/* The slot of a session, or otherwise that of its set with the least room.  The lock is held. */
static Slot *
slot_for(uint64 session)
{
	Slot *set = table[session % SETS];
	Slot *least = &set[0];

	for (int i = 0; i < SLOTS; i++)
	{
		if (set[i].session == session)
			return &set[i];
		if (set[i].room < least->room)
			least = &set[i];
	}
	return least;
}

/* wa.take_queue_room(session): takes one; false if the queue has to be counted. */
Datum
wa_take_queue_room(PG_FUNCTION_ARGS)
{
	uint64 session = hashed(PG_GETARG_UUID_P(0));
	bool taken = false;
	Slot *slot;

	if (table == NULL)
		PG_RETURN_BOOL(false);
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = slot_for(session);
	if (slot->session == session && slot->room > 0)
	{
		slot->room--;
		taken = true;
	}
	LWLockRelease(lock);
	PG_RETURN_BOOL(taken);
}

/* wa.set_queue_room(session, room): what a count has left. */
Datum
wa_set_queue_room(PG_FUNCTION_ARGS)
{
	uint64 session = hashed(PG_GETARG_UUID_P(0));

	if (table == NULL)
		PG_RETURN_VOID();
	LWLockAcquire(lock, LW_EXCLUSIVE);
	*slot_for(session) = (Slot){session, PG_GETARG_INT32(1)};
	LWLockRelease(lock);
	PG_RETURN_VOID();
}

static void
attach_memory(void *memory, LWLock *memory_lock, bool is_new)
{
	table = memory;
	lock = memory_lock;
}

void
wa_queue_room_init(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys_queue_room",
		.size = sizeof(Slot[SETS][SLOTS]),
		.with_lock = true,
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
}
