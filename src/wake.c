/*-------------------------------------------------------------------------
 *
 * wake.c
 *		Waking those who wait for events, when the transaction that wrote
 *		them has committed.
 *
 * NOTIFY takes a lock that makes commits wait for each other, so nothing here
 * is a NOTIFY.  Shared memory has a counter, the generation, that every commit
 * moves on which has written events or changed what a credential rests on, and
 * for each of 256 buckets the generation in which it last changed.  The bucket
 * of an organization is a byte of a hash of its id.  Who waits, waits for the
 * generation to move, and learns which buckets did; what happened there it
 * reads from the tables, under its credential.  A wake-up carries no data and
 * may be one too many, never one too few.
 *
 * Invariants:
 * - The counter moves after the commit is visible to others, never before, so
 *   that who is woken finds what it was woken for.
 * - The generation and its buckets change together, under one spinlock, which
 *   is held for a fixed number of instructions and by nothing that can raise.
 * - The generation begins with the time of the server's start in microseconds:
 *   what was seen before a restart is never ahead of it.
 * - A transaction that wakes at its commit cannot be prepared.  It could commit
 *   in a later run of the server, and its events then lie below what readers
 *   have seen (event_place.c); and it commits in a backend that knows nothing of
 *   whom to wake.
 *
 * Without shared_preload_libraries there is no such memory: events are written
 * all the same, and nobody can wait for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_control.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/condition_variable.h"
#include "storage/spin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "src/compatibility.h"
#include "src/digest.h"
#include "src/row_lookup.h"
#include "src/shared_memory.h"
#include "src/wake.h"

#define BUCKETS 256
#define BITMAP_LENGTH (BUCKETS / 8)

/* Bound of a wait; who wants to wait longer calls again. */
#define WAIT_MAX_MS 5000

typedef struct Wake
{
	TimestampTz started_at;
	ConditionVariable changed;
	slock_t mutex; /* protects what follows */
	uint64 generation;
	uint64 buckets[BUCKETS];
} Wake;

static Wake *wake = NULL;

/* What this transaction will have changed. */
static struct
{
	bool any;
	uint8 bitmap[BITMAP_LENGTH];
} pending;

PG_FUNCTION_INFO_V1(wa_wake);
PG_FUNCTION_INFO_V1(wa_event_bucket);
PG_FUNCTION_INFO_V1(wa_wait_for_events);

/* ---------------------------------------------------------------------
 * Memory
 * ---------------------------------------------------------------------
 */

static void
attach_memory(void *memory, LWLock *no_lock, bool is_new)
{
	wake = memory;
	if (!is_new)
		return;
	wake->started_at = GetCurrentTimestamp();
	ConditionVariableInit(&wake->changed);
	SpinLockInit(&wake->mutex);
	wake->generation = (uint64) wake->started_at;
	for (int i = 0; i < BUCKETS; i++)
		wake->buckets[i] = wake->generation;
}

TimestampTz
wa_wake_started_at(void)
{
	return wake == NULL ? PgStartTime : wake->started_at;
}

/* ---------------------------------------------------------------------
 * What a transaction changes
 * ---------------------------------------------------------------------
 */

/*
 * Which bucket is whose is nobody's to compute: the hash is keyed with a random value
 * that the cluster has had since it was made, and shows to nobody.  It stays the same
 * when the server restarts, so that buckets that gateways know do.
 */
static uint64
bucket_seed(void)
{
	static uint64 seed = 0;
	uint8 digest[WA_DIGEST_LENGTH];

	if (seed == 0)
	{
		wa_sha256((const uint8 *) GetMockAuthenticationNonce(), MOCK_AUTH_NONCE_LEN, digest);
		memcpy(&seed, digest, sizeof(seed));
		seed |= 1;
	}
	return seed;
}

static int
bucket_of(const pg_uuid_t *org_id)
{
	return (int) (hash_bytes_extended(org_id->data, UUID_LEN, bucket_seed()) % BUCKETS);
}

void
wa_wake_org(const pg_uuid_t *org_id)
{
	pending.any = true;
	if (org_id == NULL)
		memset(pending.bitmap, 0xFF, BITMAP_LENGTH);
	else
		pending.bitmap[bucket_of(org_id) / 8] |= (uint8) (1 << bucket_of(org_id) % 8);
}

/* wa.wake(org) */
Datum
wa_wake(PG_FUNCTION_ARGS)
{
	wa_wake_org(PG_GETARG_UUID_P(0));
	PG_RETURN_VOID();
}

/* Move the generation on, and wake.  Runs where nothing may raise. */
static void
publish(void)
{
	SpinLockAcquire(&wake->mutex);
	wake->generation++;
	for (int i = 0; i < BUCKETS; i++)
		if (pending.bitmap[i / 8] & 1 << i % 8)
			wake->buckets[i] = wake->generation;
	SpinLockRelease(&wake->mutex);
	ConditionVariableBroadcast(&wake->changed);
}

static void
transaction_changed(XactEvent event, void *argument)
{
	if (!pending.any)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			if (wake != NULL)
				publish();
			break;
		case XACT_EVENT_PRE_PREPARE:
			/* its commit, which may be another server's, would wake nobody */
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot PREPARE a transaction that has written events or changed "
							"credentials")));
			return;
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			return;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			break;
	}
	memset(&pending, 0, sizeof(pending));
}

void
wa_wake_init(void)
{
	RegisterXactCallback(transaction_changed, NULL);
}

void
wa_wake_preload(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys wake",
		.size = sizeof(Wake),
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
}

/* ---------------------------------------------------------------------
 * Waiting
 * ---------------------------------------------------------------------
 */

/* wa.event_bucket(org): the bucket that changes with the organization. */
Datum
wa_event_bucket(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(bucket_of(PG_GETARG_UUID_P(0)));
}

/* The generation now, and the buckets that changed after the one that was seen. */
static uint64
look(uint64 seen, uint8 bitmap[BITMAP_LENGTH])
{
	uint64 buckets[BUCKETS];
	uint64 generation;

	SpinLockAcquire(&wake->mutex);
	generation = wake->generation;
	memcpy(buckets, wake->buckets, sizeof(buckets));
	SpinLockRelease(&wake->mutex);

	/* a generation that never was: from another server, or made up */
	if (seen > generation)
		seen = 0;
	memset(bitmap, 0, BITMAP_LENGTH);
	for (int i = 0; i < BUCKETS; i++)
		if (buckets[i] > seen)
			bitmap[i / 8] |= (uint8) (1 << i % 8);
	return generation;
}

static uint64
current_generation(void)
{
	uint64 generation;

	SpinLockAcquire(&wake->mutex);
	generation = wake->generation;
	SpinLockRelease(&wake->mutex);
	return generation;
}

/* Sleep until the generation is another one than was seen, or the time is over. */
static void
wait_for_change(uint64 seen, int timeout_ms)
{
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms);

	ConditionVariablePrepareToSleep(&wake->changed);
	while (current_generation() == seen)
	{
		long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end);

		if (left <= 0 || ConditionVariableTimedSleep(&wake->changed, left, PG_WAIT_EXTENSION))
			break;
	}
	ConditionVariableCancelSleep();
}

/*
 * wa.wait_for_events(seen, timeout_ms) returns the generation, to be passed as
 * seen the next time, and a bitmap of the buckets that changed since.
 */
Datum
wa_wait_for_events(PG_FUNCTION_ARGS)
{
	uint64 seen = PG_ARGISNULL(0) ? 0 : (uint64) PG_GETARG_INT64(0);
	int timeout_ms = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);
	bytea *changed = palloc0(VARHDRSZ + BITMAP_LENGTH);
	Datum answer[2];

	if (wake == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("events cannot be waited for"),
				 errhint("Add wa_apikeys to shared_preload_libraries and restart the server.")));
	wait_for_change(seen, Min(Max(timeout_ms, 0), WAIT_MAX_MS));
	SET_VARSIZE(changed, VARHDRSZ + BITMAP_LENGTH);
	answer[0] = Int64GetDatum((int64) look(seen, (uint8 *) VARDATA(changed)));
	answer[1] = PointerGetDatum(changed);
	PG_RETURN_DATUM(wa_row_answer(fcinfo, answer));
}
