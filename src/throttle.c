/*-------------------------------------------------------------------------
 *
 * throttle.c
 *		Limits on guessing that no rollback takes back.
 *
 * Attempts are counted in shared memory, which is not transactional.  No
 * ROLLBACK, savepoint, cancelled statement or closed connection takes back an
 * attempt that was hashed, and all connections share the counts.  An attempt is
 * charged before the password is checked, so that a hundred attempts at once
 * count as a hundred.  If the transaction ends before the hash has begun,
 * nothing was tried, and the attempt is refunded.  Once the hash has begun,
 * nothing interrupts it (bcrypt.c).  So every attempt that stays counted has
 * cost a hash, whenever it is cancelled.
 *
 * An attempt with the right password is refunded.  The hashing is not: a limit
 * of its own counts how often somebody who knows the password can have it
 * hashed, because a hash keeps a processor busy.
 *
 * Guesses are limited by their source before they are limited for the whole
 * account.  So one guesser uses up only the limit of their own source.  The
 * person can still sign in from anywhere else, and from a browser that has
 * signed in before.
 *
 * An attempt that several limits count is charged to all of them or to none.
 * Otherwise attempts at a blocked account would be charged to the limits before
 * the one that refuses them.  They would fill the table with addresses without
 * the cost of a hash.
 *
 * A limit allows a burst of attempts at once, and then one per period.  For
 * each account or address only one time is stored: the time at which all its
 * charges are paid off.  Its debt is the distance from now to that time.  A
 * charge moves the time on by one period.  It is refused if the debt would then
 * be more than the burst allows.
 *
 * Invariants:
 * - The memory has a fixed size.  Each limit has sets of a few slots, and a key
 *   can be in one set only.  A key without debt gives its slot to a new key.
 *   While all keys of a set have debts, a new key is refused until the first of
 *   them is paid off.  So flooding the table with new keys removes no key that
 *   is blocked.
 * - Keys are hashed with a random value that is made when the server starts.
 *   So nobody can choose keys that fall into one set, and no account name or
 *   address is stored.  The database is hashed too: attempts in one database
 *   count for no other.
 * - The lock is held for one look at one set.  Nothing under it can raise an
 *   error.
 *
 * A restart of the server forgets all counts.  Without shared_preload_libraries
 * there is no such memory, and all attempts are refused.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "src/compatibility.h"
#include "src/digest.h"
#include "src/shared_memory.h"
#include "src/throttle.h"

/* 4 limits of 2048 sets of 8 slots of 16 bytes: one megabyte. */
#define SETS 2048
#define SLOTS 8
#define SEED_LENGTH 32
/* Only this many bytes of a key count.  IP addresses and email addresses are shorter. */
#define KEY_MAX 512

typedef enum LimitId
{
	LIMIT_SOURCE,  /* attempts at the password of one account, from one source */
	LIMIT_ACCOUNT, /* the same from all sources that are not known to be its person's */
	LIMIT_ADDRESS, /* attempts from one network address, at any account */
	LIMIT_HASHING, /* right passwords of one account, which were hashed too */
	LIMIT_COUNT
} LimitId;

static const struct
{
	const char *name;       /* in SQL */
	const char *constraint; /* in the error's constraint-name field */
	int burst;
	int64 period; /* microseconds until one more is allowed */
} limits[LIMIT_COUNT] = {
	[LIMIT_SOURCE] = {"source", "sign_in_source", 10, INT64CONST(60) * USECS_PER_SEC},
	[LIMIT_ACCOUNT] = {"account", "sign_in_account", 100, INT64CONST(60) * USECS_PER_SEC},
	[LIMIT_ADDRESS] = {"address", "sign_in_address", 50, INT64CONST(10) * USECS_PER_SEC},
	[LIMIT_HASHING] = {"hashing", "sign_in_hashing", 30, INT64CONST(10) * USECS_PER_SEC},
};

typedef struct Debt
{
	uint64 key;           /* when all charges are paid off */
	TimestampTz paid_off; /* when all that was charged is worked off */
} Debt;

typedef struct Throttle
{
	uint8 seed[SEED_LENGTH];
	Debt debts[LIMIT_COUNT][SETS][SLOTS];
} Throttle;

static Throttle *throttle = NULL;
static LWLock *lock = NULL;

/* One limit and key that an attempt is charged to. */
typedef struct Charge
{
	LimitId limit;
	uint64 key;
} Charge;

/* Charges of this transaction for which nothing was hashed yet. */
#define UNHASHED_MAX (2 * LIMIT_COUNT)

static Charge unhashed[UNHASHED_MAX];
static int unhashed_count = 0;

PG_FUNCTION_INFO_V1(wa_charge_attempt);
PG_FUNCTION_INFO_V1(wa_charge_attempts);
PG_FUNCTION_INFO_V1(wa_refund_attempt);

static LimitId
limit_named(text *name)
{
	char *wanted = text_to_cstring(name);

	for (int i = 0; i < LIMIT_COUNT; i++)
		if (strcmp(limits[i].name, wanted) == 0)
			return (LimitId) i;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("unrecognized limit: \"%s\"", wanted)));
}

static void
require_memory(void)
{
	if (throttle == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("passwords cannot be checked without limits on guessing"),
				 errhint("Add wa_apikeys to shared_preload_libraries and restart the server.")));
}

/* The hash of a key of this database; never 0. */
static uint64
hashed(text *key)
{
	uint8 seeded[SEED_LENGTH + sizeof(Oid) + KEY_MAX];
	const size_t head = SEED_LENGTH + sizeof(Oid);
	size_t len = Min(VARSIZE_ANY_EXHDR(key), KEY_MAX);
	uint8 digest[WA_DIGEST_LENGTH];
	uint64 result;

	memcpy(seeded, throttle->seed, SEED_LENGTH);
	memcpy(seeded + SEED_LENGTH, &MyDatabaseId, sizeof(Oid));
	memcpy(seeded + head, VARDATA_ANY(key), len);
	wa_sha256(seeded, head + len, digest);
	memcpy(&result, digest, sizeof(result));
	return result == 0 ? 1 : result;
}

/* The slot of a key, or NULL.  The lock is held. */
static Debt *
find_debt(LimitId limit, uint64 key)
{
	Debt *set = throttle->debts[limit][key % SETS];

	for (int i = 0; i < SLOTS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

/* The slot of a key, or otherwise the slot of its set with the least debt. */
static Debt *
slot_for(LimitId limit, uint64 key)
{
	Debt *set = throttle->debts[limit][key % SETS];
	Debt *slot = find_debt(limit, key);

	if (slot != NULL)
		return slot;
	slot = &set[0];
	for (int i = 1; i < SLOTS; i++)
		if (set[i].paid_off < slot->paid_off)
			slot = &set[i];
	return slot;
}

/* Microseconds until a limit accepts an attempt; 0 or less means now.  The lock is held. */
static int64
wait_of(Charge charge, TimestampTz now)
{
	const Debt *slot = slot_for(charge.limit, charge.key);
	const int64 period = limits[charge.limit].period;

	if (slot->key != charge.key)
		return slot->paid_off - now;
	return Max(slot->paid_off, now) + period - (now + limits[charge.limit].burst * period);
}

/* The lock is held. */
static void
add_debt(Charge charge, TimestampTz now)
{
	Debt *slot = slot_for(charge.limit, charge.key);

	slot->key = charge.key;
	slot->paid_off = Max(slot->paid_off, now) + limits[charge.limit].period;
}

/* Takes one charge back. */
static void
refund(Charge charge)
{
	Debt *debt;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	debt = find_debt(charge.limit, charge.key);
	if (debt != NULL)
		debt->paid_off -= limits[charge.limit].period;
	LWLockRelease(lock);
}

void
wa_throttle_hashing(void)
{
	unhashed_count = 0;
}

/* What finds no room here stays charged. */
static void
remember_unhashed(const Charge *charges, int count)
{
	for (int i = 0; i < count && unhashed_count < UNHASHED_MAX; i++)
		unhashed[unhashed_count++] = charges[i];
}

static void
transaction_changed(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_ABORT)
		for (int i = 0; i < unhashed_count; i++)
			refund(unhashed[i]);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		unhashed_count = 0;
}

/* Charges one attempt to all limits, or raises an error for the one with the longest wait. */
static void
charge_all(const Charge *charges, int count)
{
	TimestampTz now = GetCurrentTimestamp();
	int64 longest = 0;
	LimitId refused = 0;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	for (int i = 0; i < count; i++)
	{
		int64 wait = wait_of(charges[i], now);

		if (wait > longest)
		{
			longest = wait;
			refused = charges[i].limit;
		}
	}
	for (int i = 0; i < count && longest == 0; i++)
		add_debt(charges[i], now);
	LWLockRelease(lock);
	if (longest > 0)
		ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg("too many attempts"),
						errdetail("%d seconds until the next attempt is accepted.",
								  (int) ((longest + USECS_PER_SEC - 1) / USECS_PER_SEC)),
						err_generic_string(PG_DIAG_CONSTRAINT_NAME, limits[refused].constraint)));
	remember_unhashed(charges, count);
}

static void
attach_memory(void *memory, LWLockPadded *locks, bool is_new)
{
	throttle = memory;
	lock = &locks->lock;
	if (is_new)
		wa_shared_memory_seed(throttle->seed, SEED_LENGTH);
}

void
wa_throttle_init(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys",
		.size = sizeof(Throttle),
		.lock_count = 1,
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
	RegisterXactCallback(transaction_changed, NULL);
}

/*
 * wa.charge_attempt(limit, key): counts an attempt.  Raises 53400 if there were too many; the
 * error's detail begins with the seconds to wait.
 */
Datum
wa_charge_attempt(PG_FUNCTION_ARGS)
{
	Charge charge = {.limit = limit_named(PG_GETARG_TEXT_PP(0))};

	require_memory();
	charge.key = hashed(PG_GETARG_TEXT_PP(1));
	charge_all(&charge, 1);
	PG_RETURN_VOID();
}

/*
 * wa.charge_attempts(limits, keys): the same for an attempt that several limits count, each
 * under the key at the same place.  A limit whose key is NULL does not count the attempt.
 */
Datum
wa_charge_attempts(PG_FUNCTION_ARGS)
{
	Charge charges[LIMIT_COUNT];
	Datum *names;
	Datum *keys;
	bool *lacking;
	int limits_given;
	int keys_given;
	int count = 0;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &names, NULL,
					  &limits_given);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &keys, &lacking,
					  &keys_given);
	if (limits_given != keys_given || limits_given > LIMIT_COUNT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("each limit takes one key, and at most %d can count an attempt",
							   LIMIT_COUNT)));
	require_memory();
	for (int i = 0; i < limits_given; i++)
	{
		if (lacking[i])
			continue;
		charges[count].limit = limit_named(DatumGetTextPP(names[i]));
		charges[count++].key = hashed(DatumGetTextPP(keys[i]));
	}
	charge_all(charges, count);
	PG_RETURN_VOID();
}

/* wa.refund_attempt(limit, key): takes back the charge of an attempt with the right password. */
Datum
wa_refund_attempt(PG_FUNCTION_ARGS)
{
	Charge charge = {.limit = limit_named(PG_GETARG_TEXT_PP(0))};

	require_memory();
	charge.key = hashed(PG_GETARG_TEXT_PP(1));
	refund(charge);
	PG_RETURN_VOID();
}
