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
 * earlier than necessary.
 *
 * A count does not see messages of transactions that are in progress.  So a
 * part of the room is kept back for them (the caller of wa.set_queue_room()
 * decides how much), and a transaction can take only the room of a few messages
 * without a turn.  Where the queue is nearly full, all senders take turns: a
 * turn is a lock of the server's lock table that is held until the transaction
 * ends, so that its holder sees all messages of those who had a turn before.
 * The server detects deadlocks with it.  Where a count leaves room that can be
 * taken without a turn, the turn ends at once, except in a transaction that has
 * queued more than a few messages.
 *
 * Invariants:
 * - The memory has a fixed size.  A session can be in the slots of one set
 *   only.  A set is ordered by use, the last use first.  A new session takes a
 *   free slot, otherwise the last one of its own organization, otherwise the
 *   last one of the organization that has most of them: who uses many sessions
 *   gives up their own.  The other session's queue is then counted at its next
 *   message.  The slot of a session that is deleted or logged out is free.
 * - Nobody can tell which sessions are in one set, as the hash has a random seed.
 *   Otherwise the time of a count would tell an organization that fills a set
 *   when a session of another one is used.
 * - The lock is held for one look at one set.  Nothing under it can raise an
 *   error.
 *
 * A restart of the server forgets all numbers.  Without shared_preload_libraries
 * there is no such memory, and the queue is counted for each message.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

#include "src/compatibility.h"
#include "src/context.h"
#include "src/queue_room.h"
#include "src/shared_memory.h"

/* 1024 sets of 8 slots of 16 bytes: 128 kB. */
#define SETS 1024
#define SLOTS 8

typedef struct Slot
{
	uint64 session; /* 0: free */
	int32 room;
	uint16 owner;  /* a hash of the organization */
	bool in_turns; /* only those who have a turn may take it */
} Slot;

typedef struct Rooms
{
	uint64 seed;
	Slot sets[SETS][SLOTS];
} Rooms;

/* For how many messages, of all sessions, a transaction takes the room without a turn. */
#define WITHOUT_TURN_MAX 8

static Rooms *rooms = NULL;
static LWLock *lock = NULL;

PG_FUNCTION_INFO_V1(wa_take_queue_room);
PG_FUNCTION_INFO_V1(wa_set_queue_room);
PG_FUNCTION_INFO_V1(wa_forget_queue_room);
PG_FUNCTION_INFO_V1(wa_await_queue_turn);
PG_FUNCTION_INFO_V1(wa_end_queue_turn);

static uint64
hashed_id(const pg_uuid_t *id)
{
	uint64 seed = rooms != NULL ? rooms->seed : 0;

	return hash_bytes_extended(id->data, UUID_LEN, hash_combine64(seed, MyDatabaseId));
}

/* The hash of a session of this database; never 0. */
static uint64
hashed(const pg_uuid_t *session)
{
	uint64 hash = hashed_id(session);

	return hash == 0 ? 1 : hash;
}

/* The organization that this transaction acts for, as the owner of slots. */
static uint16
acting_owner(void)
{
	const WaPrincipal *principal = wa_context_principal();

	return principal == NULL ? 0 : (uint16) hashed_id(&principal->org_id);
}

static int
count_slots(const Slot set[SLOTS], uint16 owner)
{
	int count = 0;

	for (int i = 0; i < SLOTS; i++)
		count += set[i].owner == owner ? 1 : 0;
	return count;
}

/* The place of the slot that a new session of this owner takes.  Free slots are the last ones. */
static int
place_for(const Slot set[SLOTS], uint16 owner)
{
	int place = SLOTS - 1;

	if (set[place].session == 0)
		return place;
	for (int i = SLOTS - 1; i >= 0; i--)
	{
		if (set[i].owner == owner)
			return i;
		if (count_slots(set, set[i].owner) > count_slots(set, set[place].owner))
			place = i;
	}
	return place;
}

/* Makes the slot at this place of a set the first one, with this content. */
static Slot *
put_first(Slot set[SLOTS], int place, Slot slot)
{
	memmove(&set[1], &set[0], place * sizeof(Slot));
	set[0] = slot;
	return &set[0];
}

/* The slot of a session, which becomes the first of its set, or NULL.  The lock is held. */
static Slot *
find_slot(uint64 session)
{
	Slot *set = rooms->sets[session % SETS];

	for (int place = 0; place < SLOTS; place++)
		if (set[place].session == session)
			return put_first(set, place, set[place]);
	return NULL;
}

/* Without a turn, this transaction has taken the room of so many messages, or has tried to. */
static int taken_without_turn = 0;

/* Whether this transaction has taken all that it can take without a turn; counts this one. */
static bool
needs_turn(void)
{
	static TimestampTz transaction = 0; /* start of the transaction that is counted */

	if (transaction != GetCurrentTransactionStartTimestamp())
		taken_without_turn = 0;
	transaction = GetCurrentTransactionStartTimestamp();
	return taken_without_turn++ >= WITHOUT_TURN_MAX;
}

/*
 * wa.take_queue_room(session, has_turn): takes one.  False: the caller needs a turn, or has one
 * and has to count the queue.
 */
Datum
wa_take_queue_room(PG_FUNCTION_ARGS)
{
	uint64 session = hashed(PG_GETARG_UUID_P(0));
	bool has_turn = PG_GETARG_BOOL(1);
	bool taken = false;
	Slot *slot;

	if (rooms == NULL || (!has_turn && needs_turn()))
		PG_RETURN_BOOL(false);
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(session);
	if (slot != NULL && slot->room > 0 && (has_turn || !slot->in_turns))
	{
		slot->room--;
		taken = true;
	}
	LWLockRelease(lock);
	PG_RETURN_BOOL(taken);
}

/* wa.set_queue_room(session, room, in_turns): what a count has left.  The caller has a turn. */
Datum
wa_set_queue_room(PG_FUNCTION_ARGS)
{
	Slot counted = {.session = hashed(PG_GETARG_UUID_P(0)),
					.room = PG_GETARG_INT32(1),
					.owner = acting_owner(),
					.in_turns = PG_GETARG_BOOL(2)};
	Slot *slot;

	if (rooms == NULL)
		PG_RETURN_VOID();
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(counted.session);
	if (slot != NULL)
		*slot = counted;
	else
	{
		Slot *set = rooms->sets[counted.session % SETS];

		put_first(set, place_for(set, counted.owner), counted);
	}
	LWLockRelease(lock);
	PG_RETURN_VOID();
}

/* wa.forget_queue_room(session): frees its slot, which becomes the last of its set. */
Datum
wa_forget_queue_room(PG_FUNCTION_ARGS)
{
	uint64 session = hashed(PG_GETARG_UUID_P(0));
	Slot *slot;

	if (rooms == NULL)
		PG_RETURN_VOID();
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(session);
	if (slot != NULL)
	{
		memmove(slot, slot + 1, (SLOTS - 1) * sizeof(Slot));
		slot[SLOTS - 1] = (Slot){0};
	}
	LWLockRelease(lock);
	PG_RETURN_VOID();
}

static LOCKTAG
turn_of(const pg_uuid_t *session)
{
	uint64 hash = hashed(session);
	LOCKTAG tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId,
					   get_relname_relid("session", get_namespace_oid("wa", false)), (uint32) hash,
					   (uint16) (hash >> 32));
	return tag;
}

/*
 * wa.await_queue_turn(session): waits until the transactions that had a turn before have ended,
 * and makes those that come behind wait for the end of this one.  Two sessions with the same
 * hash only wait for each other.
 */
Datum
wa_await_queue_turn(PG_FUNCTION_ARGS)
{
	LOCKTAG tag = turn_of(PG_GETARG_UUID_P(0));

	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	PG_RETURN_VOID();
}

/*
 * wa.end_queue_turn(session): lets those that come behind begin, if the message could be queued
 * without a turn: there is room left for that, and the transaction has queued only a few.  A
 * turn that it has had before stays.
 */
Datum
wa_end_queue_turn(PG_FUNCTION_ARGS)
{
	const pg_uuid_t *session = PG_GETARG_UUID_P(0);
	LOCKTAG tag = turn_of(session);
	const Slot *slot;
	bool needed;

	if (rooms == NULL || taken_without_turn > WITHOUT_TURN_MAX)
		PG_RETURN_VOID();
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(hashed(session));
	needed = slot == NULL || slot->in_turns;
	LWLockRelease(lock);
	if (!needed)
		(void) LockRelease(&tag, ExclusiveLock, false);
	PG_RETURN_VOID();
}

static void
attach_memory(void *memory, LWLockPadded *locks, bool is_new)
{
	rooms = memory;
	lock = &locks->lock;
	if (is_new)
		wa_shared_memory_seed(&rooms->seed, sizeof(rooms->seed));
}

void
wa_queue_room_init(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys_queue_room",
		.size = sizeof(Rooms),
		.lock_count = 1,
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
}
