/*-------------------------------------------------------------------------
 *
 * wake.c
 *		Waking those who wait for events, when the transaction that wrote
 *		them has committed.
 *
 * NOTIFY takes a lock that makes commits wait for each other, so it is not used
 * here.  Instead shared memory has a counter, the generation, that increases
 * with every change.  A change is a commit that has written events of an
 * organization, or has changed what a credential depends on.  The newest
 * changes are kept in a ring, each with its organization, at the slot of its
 * generation.
 *
 * A backend that waits (event_wait.c) reads the ring from where it stopped
 * before.  It may be woken for nothing, but a change always wakes it.
 *
 * A gateway that wants to end its own wait knocks.  Knocks are no changes and
 * are not in the ring.  They need no credential.  If they were in the ring,
 * somebody could fill it and learn from the time when it is full how much
 * others write.  They are counted in a fixed number of slots, chosen by the
 * gateway's name, which is random.
 *
 * Invariants:
 * - The generation increases after the commit is visible to others, never
 *   before.  So a backend that is woken finds what it was woken for.  Before
 *   that, the transaction leaves the list of writers (event_writers.c), so that
 *   nothing that it wrote is above the horizon any more.
 * - The generation and the ring change together, under one spinlock.  It is
 *   held for a bounded number of instructions, and nothing under it can raise
 *   an error.
 * - If a backend reads the ring too late, or a transaction has changed very
 *   many organizations, this counts as a change of all organizations.
 * - The generation starts at the time of the server's start in microseconds.
 *   So a generation from before a restart is never ahead of it.
 * - A transaction that wakes others at its commit cannot be prepared.  It could
 *   commit in a later run of the server, and its events would then be below
 *   what readers have already seen (event_position.c).  Also, the backend that
 *   commits it would not know whom to wake.
 *
 * Without shared_preload_libraries there is no such memory: events are still
 * written, but nobody can wait for them.
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

/* The size of the ring: 4096 changes of 24 bytes, 100 kB. */
#define CHANGES 4096

/* The most organizations that one transaction can change.  With more it changes all of them. */
#define PENDING_MAX 64

/* Slots of knocks: 8 kB.  Gateways that share a slot wake each other. */
#define KNOCKS 1024

/* The most slots at which one transaction can knock. */
#define KNOCKS_PENDING_MAX 64

/*
 * How long a waiter pauses after a change of another organization, so that changes in that time
 * are one wake-up.
 */
#define PAUSE_MS 2

typedef struct Wake
{
	TimestampTz started_at;
	ConditionVariable changed;
	slock_t mutex; /* protects the members below */
	uint64 generation;
	WaChange changes[CHANGES]; /* at index generation modulo CHANGES */
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

/* ---- Memory ---- */

static void
attach_memory(void *memory, LWLockPadded *no_locks, bool is_new)
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

/* ---- What a transaction changes ---- */

/*
 * After many changes, or one of all organizations, those who wait must look at everything
 * anyway.
 */
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

/* wa.wake(org): at commit, wakes those who wait for this organization. */
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

/* wa.knock(gateway): at commit, ends the wait of the gateway of this name. */
Datum
wa_knock(PG_FUNCTION_ARGS)
{
	note_knock(slot_of(PG_GETARG_UUID_P(0)));
	PG_RETURN_VOID();
}

/* Increases the generation and wakes those who wait.  Raises no error. */
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
			/* Its commit may happen in another run of the server and would wake nobody. */
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

/* ---- Waiting ---- */

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
