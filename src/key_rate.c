/*-------------------------------------------------------------------------
 *
 * key_rate.c
 *		The requests of keys that have a limit are counted.
 *
 * All processes of a server authenticate here, so they share one count of each
 * key, whichever gateway or application they serve.  It is in shared memory,
 * which is not transactional: no rollback takes a request back.
 *
 * Invariants:
 * - Only wa.authenticate() counts, after it has accepted a key that has a limit,
 *   and once in a transaction.  Neither unknown nor ended keys take a slot.
 * - The memory has a fixed size: sets of a few slots, and a key can be in one set
 *   only.  A bucket that is full again gives its slot to a new key, because it
 *   says nothing that a new one does not say.  While no bucket of a set is full,
 *   a new key is refused until one is.  So no key gets rid of its count.  A bucket
 *   is full again after an hour at most (wa.read_burst()).
 * - Keys are hashed with a random value that is made when the server starts, so
 *   that nobody can tell which keys are in one set.
 * - The lock is held for one look at one set.  Nothing under it can raise an
 *   error.
 *
 * A restart of the server forgets all counts.  Without shared_preload_libraries
 * there is no such memory, and keys that have a limit are refused.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"

#include "src/key_rate.h"
#include "src/shared_memory.h"

/* 1024 sets of 32 slots of 32 bytes: one megabyte, for 32,768 keys, some 16,000 of them in debt. */
#define SETS 1024
#define SLOTS 32

typedef struct Slot
{
	uint64 key; /* 0: the slot was never taken */
	WakBucket bucket;
	WakRate rate; /* of the latest request */
} Slot;

typedef struct Rates
{
	uint64 seed;
	Slot slots[SETS][SLOTS];
} Rates;

static Rates *rates = NULL;
static LWLock *lock = NULL;

static void
attach_memory(void *memory, LWLock *memory_lock, bool is_new)
{
	rates = memory;
	lock = memory_lock;
	if (is_new)
		wa_shared_memory_seed(&rates->seed, sizeof(rates->seed));
}

void
wa_key_rate_init(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys_rate",
		.size = sizeof(Rates),
		.with_lock = true,
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
}

/* The hash of a key of this database; never 0. */
static uint64
hashed(const WaPrincipal *key)
{
	struct
	{
		pg_uuid_t org_id;
		pg_uuid_t id;
		Oid database;
	} name;
	uint64 hash;

	memset(&name, 0, sizeof(name));
	name.org_id = key->org_id;
	name.id = key->id;
	name.database = MyDatabaseId;
	hash = hash_bytes_extended((const unsigned char *) &name, sizeof(name), rates->seed);
	return hash == 0 ? 1 : hash;
}

static int64
full_in(const Slot *slot, TimestampTz now)
{
	return slot->key == 0 ? 0 : wak_bucket_full_in(&slot->bucket, slot->rate, now);
}

/* The slot of a key, or otherwise that of its set whose bucket is full first. */
static Slot *
slot_for(uint64 key, TimestampTz now)
{
	Slot *set = rates->slots[key % SETS];
	Slot *first = &set[0];

	for (int i = 0; i < SLOTS; i++)
		if (set[i].key == key)
			return &set[i];
	for (int i = 1; i < SLOTS && full_in(first, now) > 0; i++)
		if (full_in(&set[i], now) < full_in(first, now))
			first = &set[i];
	return first;
}

/* The lock is held. */
static WakBucketState
take(uint64 key, WakRate rate, TimestampTz now)
{
	Slot *slot = slot_for(key, now);
	int64 wait = slot->key == key ? 0 : full_in(slot, now);

	if (wait > 0)
		return (WakBucketState){.wait_us = wait, .full_us = wait};
	if (slot->key != key)
		*slot = (Slot){.key = key};
	slot->rate = rate;
	return wak_bucket_take(&slot->bucket, rate, now);
}

int
wa_key_rate_seconds(int64 us)
{
	return (int) ((us + USECS_PER_SEC - 1) / USECS_PER_SEC);
}

static void
require_memory(void)
{
	if (rates == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the requests of this key cannot be counted"),
				 errhint("Add wa_apikeys to shared_preload_libraries and restart the server.")));
}

/* The gateway reads the three numbers of the detail (gateway/api/rate.c). */
WakBucketState
wa_key_rate_take(const WaPrincipal *key)
{
	WakBucketState state;
	uint64 hash;

	require_memory();
	hash = hashed(key);
	LWLockAcquire(lock, LW_EXCLUSIVE);
	state = take(hash, key->rate, GetCurrentTimestamp());
	LWLockRelease(lock);
	if (!state.taken)
		ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
						errmsg("key has made too many requests"),
						errdetail("%d seconds until the next request is accepted, at a rate of "
								  "%d a minute; %d seconds until all of its burst is.",
								  wa_key_rate_seconds(state.wait_us), key->rate.per_minute,
								  wa_key_rate_seconds(state.full_us)),
						err_generic_string(PG_DIAG_CONSTRAINT_NAME, "key_rate")));
	return state;
}
