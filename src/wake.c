/*-------------------------------------------------------------------------
 *
 * wake.c
 *		Waking those who wait for events, when the transaction that wrote
 *		them has committed.
 *
 * NOTIFY takes a lock that makes commits wait for each other, so nothing here
 * is a NOTIFY.  Shared memory has a counter, the generation, that moves on with
 * every change: a commit that has written events of an organization, or changed
 * what a credential rests on.  The last changes are kept, each with the
 * organization that it is of, in a ring at the slot of its generation.
 *
 * Who waits (event_wait.c) reads on in the ring from where it stood.  A wake-up may
 * be one too many, never one too few.
 *
 * A gateway that has something to say to its own wait knocks.  Knocks are no changes
 * and stay out of the ring: they take no credential, and who filled it with them would
 * learn from when it is full how much others write.  They are counted, each at one of
 * a fixed number of slots, by the gateway's name, which is random.
 *
 * Invariants:
 * - The counter moves after the commit is visible to others, never before, so
 *   that who is woken finds what it was woken for.  Before it moves, the
 *   transaction leaves those who write events (event_writers.c), so that nothing
 *   of what it wrote is above the horizon any more.
 * - The generation and the ring change together, under one spinlock, which is
 *   held for a bounded number of instructions and by nothing that can raise.
 * - Who reads the ring too late, or a transaction of very many organizations,
 *   takes it for a change of everybody's.
 * - The generation begins with the time of the server's start in microseconds:
 *   what was seen before a restart is never ahead of it.
 * - A transaction that wakes at its commit cannot be prepared.  It could commit
 *   in a later run of the server, and its events then lie below what readers
 *   have seen (event_position.c); and it commits in a backend that knows nothing of
 *   whom to wake.
 *
 * Without shared_preload_libraries there is no such memory: events are written
 * all the same, and nobody can wait for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/condition_variable.h"
#include "storage/latch.h"
#include "storage/spin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "src/compatibility.h"
#include "src/event_writers.h"
#include "src/shared_memory.h"
#include "src/wake.h"

/* Bound of the ring: 4096 changes of 24 bytes, 100 kB. */
#define CHANGES 4096

/* Organizations that one transaction changes; with more it changes everybody's. */
#define PENDING_MAX 64

/* Slots of knocks: 8 kB.  Gateways that share one wake each other. */
#define KNOCKS 1024

/* Slots at which one transaction knocks. */
#define KNOCKS_PENDING_MAX 64

/* After a change that was another's: what happens meanwhile is one wake-up. */
#define PAUSE_MS 2

typedef struct Wake
{
	TimestampTz started_at;
	ConditionVariable changed;
	slock_t mutex; /* protects what follows */
	uint64 generation;
	WaChange changes[CHANGES]; /* that of a generation is at its remainder */
	uint64 knocks[KNOCKS];
} Wake;

static Wake *wake = NULL;

/* What this transaction will have changed. */
static struct
{
	int count;
	WaChange changes[PENDING_MAX];
	int knock_count;
	uint32 knocks[KNOCKS_PENDING_MAX];
} pending;

PG_FUNCTION_INFO_V1(wa_wake);
PG_FUNCTION_INFO_V1(wa_knock);

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
	wake->changes[wake->generation % CHANGES].kind = WA_CHANGE_EVERYBODY;
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

/* With many changes or one of everybody's, who waits looks at everything anyway. */
static void
note_everybody(void)
{
	pending.changes[0] = (WaChange){.kind = WA_CHANGE_EVERYBODY};
	pending.count = 1;
}

static void
note_org(const pg_uuid_t *id)
{
	for (int i = 0; i < pending.count; i++)
		if (memcmp(&pending.changes[i].id, id, sizeof(pg_uuid_t)) == 0)
			return;
	if (pending.count == PENDING_MAX)
		note_everybody();
	else
		pending.changes[pending.count++] = (WaChange){.id = *id, .kind = WA_CHANGE_ORG};
}

void
wa_wake_org(const pg_uuid_t *org_id)
{
	if (pending.count > 0 && pending.changes[0].kind == WA_CHANGE_EVERYBODY)
		return;
	if (org_id == NULL)
		note_everybody();
	else
		note_org(org_id);
}

/* wa.wake(org) */
Datum
wa_wake(PG_FUNCTION_ARGS)
{
	wa_wake_org(PG_GETARG_UUID_P(0));
	PG_RETURN_VOID();
}

static uint32
slot_of(const pg_uuid_t *gateway)
{
	return hash_bytes(gateway->data, UUID_LEN) % KNOCKS;
}

static void
note_knock(uint32 slot)
{
	for (int i = 0; i < pending.knock_count; i++)
		if (pending.knocks[i] == slot)
			return;
	if (pending.knock_count == KNOCKS_PENDING_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a transaction cannot knock for more than %d gateways",
							   KNOCKS_PENDING_MAX)));
	pending.knocks[pending.knock_count++] = slot;
}

/*
 * wa.knock(gateway): at commit, the wait of the gateway of this name ends.
 */
Datum
wa_knock(PG_FUNCTION_ARGS)
{
	note_knock(slot_of(PG_GETARG_UUID_P(0)));
	PG_RETURN_VOID();
}

/* Move the generation on, and wake.  Runs where nothing may raise. */
static void
publish(void)
{
	SpinLockAcquire(&wake->mutex);
	for (int i = 0; i < pending.count; i++)
		wake->changes[++wake->generation % CHANGES] = pending.changes[i];
	for (int i = 0; i < pending.knock_count; i++)
		wake->knocks[pending.knocks[i]]++;
	SpinLockRelease(&wake->mutex);
	ConditionVariableBroadcast(&wake->changed);
}

static void
transaction_changed(XactEvent event, void *argument)
{
	if (pending.count == 0 && pending.knock_count == 0)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			wa_event_writers_leave();
			if (wake != NULL)
				publish();
			break;
		case XACT_EVENT_ABORT:
			wa_event_writers_leave();
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
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			break;
	}
	pending.count = pending.knock_count = 0;
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

uint64
wa_wake_generation(void)
{
	uint64 generation;

	SpinLockAcquire(&wake->mutex);
	generation = wake->generation;
	SpinLockRelease(&wake->mutex);
	return generation;
}

uint64
wa_wake_knocks(const pg_uuid_t *gateway)
{
	uint32 slot = slot_of(gateway);
	uint64 knocks;

	SpinLockAcquire(&wake->mutex);
	knocks = wake->knocks[slot];
	SpinLockRelease(&wake->mutex);
	return knocks;
}

int
wa_wake_changes(uint64 *seen, WaChange chunk[WA_CHANGES_CHUNK])
{
	int count = 0;

	SpinLockAcquire(&wake->mutex);
	if (*seen > wake->generation || wake->generation - *seen > CHANGES)
	{
		chunk[count++].kind = WA_CHANGE_EVERYBODY;
		*seen = wake->generation;
	}
	while (count < WA_CHANGES_CHUNK && *seen < wake->generation)
		chunk[count++] = wake->changes[++*seen % CHANGES];
	SpinLockRelease(&wake->mutex);
	return count;
}

void
wa_wake_sleep(uint64 seen, const pg_uuid_t *gateway, uint64 heard, TimestampTz end)
{
	ConditionVariablePrepareToSleep(&wake->changed);
	while (wa_wake_generation() == seen && (gateway == NULL || wa_wake_knocks(gateway) == heard))
	{
		long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end);

		if (left <= 0 || ConditionVariableTimedSleep(&wake->changed, left, PG_WAIT_EXTENSION))
			break;
	}
	ConditionVariableCancelSleep();
}

void
wa_wake_pause(void)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, PAUSE_MS,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

void
wa_wake_require_memory(void)
{
	if (wake == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("events cannot be waited for"),
				 errhint("Add wa_apikeys to shared_preload_libraries and restart the server.")));
}
