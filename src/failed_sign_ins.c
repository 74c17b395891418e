/*-------------------------------------------------------------------------
 *
 * failed_sign_ins.c
 *		Wrong passwords of accounts, until the audit log has them.
 *
 * A wrong password is an error, and the rollback takes all rows that its
 * transaction has written.  So failures are counted in shared memory, which is
 * not transactional, and housekeeping writes them to the audit log.  It writes
 * the first failures of an account at once, and what follows once an hour, so
 * that a flood of attempts does not become a flood of entries.
 *
 * Invariants:
 * - The memory has a fixed size.  If all slots are taken, the account with the
 *   fewest failures is given up, and among equals the one that failed longest
 *   ago.  So a flood removes no account that is tried more often.
 * - A failure costs the same work whether the account exists, because the time
 *   of an answer must not tell.
 * - Failures that a transaction has taken are given back if it is rolled back
 *   (handover.c).  No two transactions take the same failures.
 * - Slots of other databases of the cluster are never shown or changed.
 * - The lock is held for one pass over the slots.  Nothing under it can raise an
 *   error.
 *
 * A restart or crash of the server loses failures that were not taken.  Without
 * shared_preload_libraries there is no such memory, and no password is checked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"

#include "src/client_address.h"
#include "src/compatibility.h"
#include "src/failed_sign_ins.h"
#include "src/handover.h"
#include "src/shared_memory.h"

/* 80 kilobytes. */
#define SLOTS 1024
/* How many accounts are taken at once at most. */
#define TAKEN_MAX 64

typedef struct Failures
{
	Oid database; /* InvalidOid: the slot was never used */
	pg_uuid_t user_id;
	int32 count;          /* that nobody has taken */
	TimestampTz first_at; /* of these */
	TimestampTz last_at;
	WaClientAddress last_from;
	TimestampTz taken_at; /* when some were taken last; 0: never */
} Failures;

static Failures *all = NULL;
static LWLock *lock = NULL;

PG_FUNCTION_INFO_V1(wa_note_failed_sign_in);
PG_FUNCTION_INFO_V1(wa_take_failed_sign_ins);

/* Whether slot a is given up rather than slot b. */
static bool
goes_before(const Failures *a, const Failures *b)
{
	if (OidIsValid(a->database) != OidIsValid(b->database))
		return !OidIsValid(a->database);
	if (a->count != b->count)
		return a->count < b->count;
	return a->last_at < b->last_at;
}

/* The account's slot, or otherwise the one to give up.  The lock is held. */
static Failures *
slot_for(const pg_uuid_t *user_id)
{
	Failures *found = NULL;
	Failures *worst = &all[0];

	for (int i = 0; i < SLOTS; i++)
	{
		if (all[i].database == MyDatabaseId &&
			memcmp(&all[i].user_id, user_id, sizeof(pg_uuid_t)) == 0)
			found = &all[i];
		if (goes_before(&all[i], worst))
			worst = &all[i];
	}
	return found != NULL ? found : worst;
}

/* Adds failures to their account.  The lock is held. */
static void
add(const Failures *failures)
{
	Failures *slot = slot_for(&failures->user_id);

	if (slot->database != MyDatabaseId ||
		memcmp(&slot->user_id, &failures->user_id, sizeof(pg_uuid_t)) != 0)
	{
		*slot = *failures;
		return;
	}
	slot->first_at =
		slot->count == 0 ? failures->first_at : Min(slot->first_at, failures->first_at);
	if (slot->last_at <= failures->last_at)
	{
		slot->last_at = failures->last_at;
		slot->last_from = failures->last_from;
	}
	slot->count += failures->count;
}

static void
give_back_failures(const void *items, int count)
{
	const Failures *given = items;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	for (int i = 0; i < count; i++)
	{
		add(&given[i]);
		slot_for(&given[i].user_id)->taken_at = given[i].taken_at;
	}
	LWLockRelease(lock);
}

static void
attach_memory(void *memory, LWLockPadded *locks, bool is_new)
{
	all = memory;
	lock = &locks->lock;
}

void
wa_failed_sign_ins_init(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys_failed_sign_ins",
		.size = SLOTS * sizeof(Failures),
		.lock_count = 1,
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
}

/*
 * wa.note_failed_sign_in(person, address): a wrong password.  A person that is NULL is nobody,
 * for whom nothing is stored.
 */
Datum
wa_note_failed_sign_in(PG_FUNCTION_ARGS)
{
	const TimestampTz now = GetCurrentTimestamp();
	Failures failure = {.database = MyDatabaseId, .count = 1, .first_at = now, .last_at = now};
	bool is_known = !PG_ARGISNULL(0);

	if (all == NULL)
		PG_RETURN_VOID();
	if (is_known)
		failure.user_id = *PG_GETARG_UUID_P(0);
	wa_client_address_read(PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1), &failure.last_from);
	LWLockAcquire(lock, LW_EXCLUSIVE);
	if (is_known)
		add(&failure);
	else
		(void) slot_for(&failure.user_id);
	LWLockRelease(lock);
	PG_RETURN_VOID();
}

/* Moves failures of accounts of which none were taken since then. */
static void
take(WaHandover *taken, int max, TimestampTz since)
{
	const TimestampTz now = GetCurrentTimestamp();
	Failures *items = taken->items;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	for (int i = 0; i < SLOTS && taken->count < max; i++)
	{
		if (all[i].database != MyDatabaseId || all[i].count == 0 ||
			(all[i].taken_at != 0 && all[i].taken_at > since))
			continue;
		items[taken->count++] = all[i];
		all[i].count = 0;
		all[i].taken_at = now;
	}
	LWLockRelease(lock);
}

/*
 * wa.take_failed_sign_ins(max, since): failures for the audit log, one row for each account of
 * which none were taken since then.  A rollback gives them back.
 */
Datum
wa_take_failed_sign_ins(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const int max = Min(Max(PG_GETARG_INT32(0), 0), TAKEN_MAX);
	WaHandover *taken;
	const Failures *items;

	InitMaterializedSRF(fcinfo, 0);
	if (all == NULL)
		return (Datum) 0;
	taken = wa_handover_begin(sizeof(Failures), max, give_back_failures);
	take(taken, max, PG_GETARG_TIMESTAMPTZ(1));
	items = taken->items;
	for (int i = 0; i < taken->count; i++)
	{
		char address[INET6_ADDRSTRLEN];
		bool has_address = wa_client_address_show(&items[i].last_from, address);
		Datum values[5] = {UUIDPGetDatum(&items[i].user_id), Int32GetDatum(items[i].count),
						   TimestampTzGetDatum(items[i].first_at),
						   TimestampTzGetDatum(items[i].last_at),
						   has_address ? CStringGetTextDatum(address) : (Datum) 0};
		bool nulls[5] = {false, false, false, false, !has_address};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
