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
 *   says nothing that a new one does not say.  A bucket is full again after an
 *   hour at most (wa.read_burst()).
 * - While no bucket of a set is full, the organizations share its slots: a new key
 *   gets one of the organization that has most of them there, if that has at least
 *   two more than its own.  Otherwise it is refused until a bucket is full.  So an
 *   organization that has no key in a set is refused only if as many others have
 *   one as there are slots, and a key loses its count only if its own organization
 *   has several in the set that have just been used up.
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
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"

#include "src/key_rate.h"
#include "src/shared_memory.h"

/* 1024 sets of 32 slots of 40 bytes: 1.3 megabytes, for 32,768 keys, some 16,000 of them in debt. */
#define SETS 1024
#define SLOTS 32

typedef struct Slot
{
	uint64 key; /* 0: the slot was never taken */
	uint64 org;
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

PG_FUNCTION_INFO_V1(wa_key_rate_wait);

static void
attach_memory(void *memory, LWLockPadded *locks, bool is_new)
{
	rates = memory;
	lock = &locks->lock;
	if (is_new)
		wa_shared_memory_seed(&rates->seed, sizeof(rates->seed));
}

void
wa_key_rate_init(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys_rate",
		.size = sizeof(Rates),
		.lock_count = 1,
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
}

/* The hash of a key of this database, or of its organization for a zero id; never 0. */
static uint64
hashed(const pg_uuid_t *org_id, const pg_uuid_t *id)
{
	struct
	{
		pg_uuid_t org_id;
		pg_uuid_t id;
		Oid database;
	} name;
	uint64 hash;

	memset(&name, 0, sizeof(name));
	name.org_id = *org_id;
	name.id = *id;
	name.database = MyDatabaseId;
	hash = hash_bytes_extended((const unsigned char *) &name, sizeof(name), rates->seed);
	return hash == 0 ? 1 : hash;
}

static uint64
hashed_org(const pg_uuid_t *org_id)
{
	static const pg_uuid_t none = {{0}};

	return hashed(org_id, &none);
}

static int64
full_in(const Slot *slot, TimestampTz now)
{
	return slot->key == 0 ? 0 : wak_bucket_full_in(&slot->bucket, slot->rate, now);
}

static Slot *
slot_of(Slot *set, uint64 key)
{
	for (int i = 0; i < SLOTS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

/* The slot whose bucket is full first, of an organization, or of all for 0. */
static Slot *
full_first(Slot *set, uint64 org, TimestampTz now)
{
	Slot *first = NULL;

	for (int i = 0; i < SLOTS; i++)
		if ((org == 0 || set[i].org == org) &&
			(first == NULL || full_in(&set[i], now) < full_in(first, now)))
			first = &set[i];
	return first;
}

static int
count_of(const Slot *set, uint64 org)
{
	int count = 0;

	for (int i = 0; i < SLOTS; i++)
		count += set[i].org == org ? 1 : 0;
	return count;
}

/* The organization that has the most slots of a set, if that is at least two more than this one. */
static uint64
greedier_than(const Slot *set, uint64 org)
{
	int most = count_of(set, org) + 1;
	uint64 greediest = 0;

	for (int i = 0; i < SLOTS; i++)
		if (count_of(set, set[i].org) > most)
		{
			greediest = set[i].org;
			most = count_of(set, greediest);
		}
	return greediest;
}

/* The slot that a new key gets.  If there is none, returns NULL and how long until there is. */
static Slot *
slot_for_new(Slot *set, uint64 org, TimestampTz now, int64 *wait)
{
	Slot *first = full_first(set, 0, now);
	uint64 greediest;

	*wait = full_in(first, now);
	if (*wait == 0)
		return first;
	greediest = greedier_than(set, org);
	return greediest == 0 ? NULL : full_first(set, greediest, now);
}

/* The lock is held. */
static WakBucketState
take(uint64 key, uint64 org, WakRate rate, TimestampTz now)
{
	Slot *set = rates->slots[key % SETS];
	Slot *slot = slot_of(set, key);

	if (slot == NULL)
	{
		int64 wait;

		slot = slot_for_new(set, org, now, &wait);
		if (slot == NULL)
			return (WakBucketState){.wait_us = wait, .full_us = wait};
		*slot = (Slot){.key = key, .org = org};
	}
	slot->rate = rate;
	return wak_bucket_take(&slot->bucket, rate, now);
}

/* Microseconds until a request of the key is taken; 0 if one is.  The lock is held, or shared. */
static int64
wait_of(uint64 key, uint64 org, WakRate rate, TimestampTz now)
{
	Slot *set = rates->slots[key % SETS];
	const Slot *slot = slot_of(set, key);
	WakBucket bucket;
	WakBucketState state;
	int64 wait;

	if (slot == NULL)
		return slot_for_new(set, org, now, &wait) == NULL ? wait : 0;
	bucket = slot->bucket;
	state = wak_bucket_take(&bucket, rate, now);
	return state.taken ? 0 : state.wait_us;
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

WakBucketState
wa_key_rate_take(const WaPrincipal *key)
{
	WakBucketState state;
	uint64 hash;
	uint64 org;

	require_memory();
	hash = hashed(&key->org_id, &key->id);
	org = hashed_org(&key->org_id);
	LWLockAcquire(lock, LW_EXCLUSIVE);
	state = take(hash, org, key->rate, GetCurrentTimestamp());
	LWLockRelease(lock);
	return state;
}

/* The gateway reads the three numbers of the detail (gateway/api/rate.c). */
void
wa_key_rate_refuse(const WaPrincipal *key, WakBucketState state)
{
	ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					errmsg("key has made too many requests"),
					errdetail("%d seconds until the next request is accepted, at a rate of "
							  "%d a minute; %d seconds until all of its burst is.",
							  wa_key_rate_seconds(state.wait_us), key->rate.per_minute,
							  wa_key_rate_seconds(state.full_us)),
					err_generic_string(PG_DIAG_CONSTRAINT_NAME, "key_rate")));
}

/* wa.key_rate_wait(org, key, per_minute, burst): seconds until its next request is taken. */
Datum
wa_key_rate_wait(PG_FUNCTION_ARGS)
{
	const WakRate rate = {PG_GETARG_INT32(2), PG_GETARG_INT32(3)};
	uint64 key;
	uint64 org;
	int64 wait;

	if (rates == NULL)
		PG_RETURN_NULL();
	key = hashed(PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1));
	org = hashed_org(PG_GETARG_UUID_P(0));
	LWLockAcquire(lock, LW_SHARED);
	wait = wait_of(key, org, rate, GetCurrentTimestamp());
	LWLockRelease(lock);
	PG_RETURN_INT32(wa_key_rate_seconds(wait));
}
