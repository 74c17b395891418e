/*-------------------------------------------------------------------------
 *
 * send_limits.c
 *		How messages are counted against a session's limits without a convoy.
 *
 * The queue: counting the messages that wait in a session costs more than a
 * send.  So a count says how many more may be queued, and each message takes
 * one of them.  When none is left, the queue is counted again.  The number is
 * kept in shared memory, so that senders do not wait for each other's commit,
 * as they would for a row.  It is not taken back by a rollback; then the queue
 * is counted earlier than necessary.  A count does not see messages of
 * transactions that are in progress.  So a queue can exceed its limit by these.
 *
 * The rates: a session that has rates counts its messages in a row, exactly,
 * and the row is locked until the commit.  Backends that wait for one row all
 * wake up at each commit, and all but one wait again.  They would also share
 * the lock on the session's row, and each one that is added to the sharers
 * copies the list of all.  So senders of such a session take turns before they
 * lock anything.  The turn is a lock of the server's lock table.  It passes
 * from one to the next in the order of their arrival, it belongs to the
 * transaction, and the server detects deadlocks with it.  The turn is for
 * fairness only: the row decides.  Senders of a session without rates, or whose
 * rates are used up, wait for nobody.
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

#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "src/compatibility.h"
#include "src/row_lookup.h"
#include "src/send_limits.h"
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
PG_FUNCTION_INFO_V1(wa_await_turn);

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

/* Whether as many messages were counted in a window as the rate allows. */
static bool
is_used_up(int32 rate, TimestampTz start, int64 length, int32 count)
{
	return rate > 0 && count >= rate && GetCurrentTimestamp() < start + length;
}

/*
 * Whether senders of a session have to take turns, by what is committed now: it has rates, and
 * they are not used up.  If they are, the message will be refused, and waits for nobody.
 */
static bool
takes_turns(Datum org_id, Datum session)
{
	static WaLookupTable sessions = {
		.name = "session",
		.index = "session_pkey",
		.key_count = 2,
		.columns = {"org_id", "id", "rate_per_min", "rate_per_hour"},
	};
	static WaLookupTable counts = {
		.name = "session_rate",
		.index = "session_rate_pkey",
		.key_count = 2,
		.columns = {"org_id", "session_id", "minute_start", "minute_count", "hour_start",
					"hour_count"},
	};
	Datum keys[] = {org_id, session};
	int32 per_minute;
	int32 per_hour;
	WaLookupRow row;

	if (!wa_row_find(&sessions, keys, &row))
		return false;
	per_minute = DatumGetInt32(row.values[2]);
	per_hour = DatumGetInt32(row.values[3]);
	if (per_minute == 0 && per_hour == 0)
		return false;
	return !wa_row_find(&counts, keys, &row) ||
		   !(is_used_up(per_minute, DatumGetTimestampTz(row.values[2]), USECS_PER_MINUTE,
						DatumGetInt32(row.values[3])) ||
			 is_used_up(per_hour, DatumGetTimestampTz(row.values[4]), USECS_PER_HOUR,
						DatumGetInt32(row.values[5])));
}

/*
 * wa.await_turn(org, session): whether this transaction has its turn to count a message against
 * the session's rates.  It waits until the transactions that came before have ended, and makes
 * those that come behind wait for the end of this one.  Two sessions with the same hash only
 * wait for each other.
 */
Datum
wa_await_turn(PG_FUNCTION_ARGS)
{
	uint64 session = hashed(PG_GETARG_UUID_P(1));
	LOCKTAG tag;

	if (!takes_turns(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)))
		PG_RETURN_BOOL(false);
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId,
					   get_relname_relid("session_rate", get_namespace_oid("wa", false)),
					   (uint32) session, (uint16) (session >> 32));
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	PG_RETURN_BOOL(true);
}

static void
attach_memory(void *memory, LWLock *memory_lock, bool is_new)
{
	table = memory;
	lock = memory_lock;
}

void
wa_send_limits_init(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys_queue_room",
		.size = sizeof(Slot[SETS][SLOTS]),
		.with_lock = true,
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
}
