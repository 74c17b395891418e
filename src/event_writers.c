/*-------------------------------------------------------------------------
 *
 * event_writers.c
 *		The transactions that are writing events now, in the order in which they began to.
 *
 * A transaction gets an ordinal when it writes its first event of an
 * organization.  It is then listed in shared memory until it has ended.  The
 * horizon of an organization is the lowest ordinal of the transactions that
 * write its events now.  All transactions below the horizon have ended, and no
 * event appears there any more.  So a transaction that writes no events, or
 * events of another organization, delays nobody.
 *
 * "Have ended" must be true in the snapshot that the reader uses.  A list that is
 * read after that snapshot was taken lacks the transactions that ended in
 * between, although the snapshot does not show their events.  So an observation
 * is a copy of the list and a snapshot that is taken after the copy.  It counts
 * for a reader if the reader's own snapshot shows everything that the
 * observation's snapshot shows.  The snapshots themselves are compared, and nothing is
 * concluded from the order of statements.  Therefore cursors, REPEATABLE READ
 * and imported snapshots need no rules of their own.  wa.authenticate() makes an
 * observation for the statement that follows it, and function bodies make one
 * for their next statement.
 *
 * The horizon by age needs no list.  It depends only on the oldest transaction
 * that runs in the snapshot.  The upper bits of an ordinal are a transaction
 * number that is larger than that of the ordinal's own transaction.  So a
 * transaction that still runs has no ordinal below (oldest + 1) << AGE_SHIFT.
 * This horizon is used where no observation counts (on a standby, without
 * preload, in an older snapshot) and wherever it is the higher one.
 *
 * Invariants:
 * - An ordinal is given out and listed under one hold of the lock.  It is
 *   higher than all ordinals before it.
 * - An ordinal is at least (number of its transaction + 1) << AGE_SHIFT.
 * - A transaction leaves the list after its commit is visible to others, or
 *   when it cannot commit any more.  A rolled back savepoint does not take it
 *   off the list.
 * - A transaction for which there is no slot is counted.  It delays all
 *   organizations, unless the horizon by age is higher.  The log says so.
 * - The lock is held for one walk of the list.  Nothing under it can raise an
 *   error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/procarray.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "src/compatibility.h"
#include "src/event_writers.h"
#include "src/shared_memory.h"

/*
 * If the transaction number stands still, 2^12 ordinals can be given out before their upper
 * bits run ahead of it.  The other bits have room for 2^51 numbers: seventy years at a million
 * a second.
 */
#define AGE_SHIFT 12

/* The most writers in the list, which takes 32 kilobytes. */
#define WRITERS_MAX 1024

/*
 * The most organizations of one transaction that are listed.  With more it delays all
 * organizations.
 */
#define ORGS_MAX 64

/* An observation is not used after this many transactions. */
#define OBSERVATION_AGE_MAX (UINT64CONST(1) << 30)

/* The shortest time between two log messages that there was no slot. */
#define SAY_INTERVAL USECS_PER_MINUTE

typedef struct Writer
{
	pg_uuid_t org_id;
	Oid database;
	int pid;
	uint64 ordinal;
} Writer;

typedef struct WriterList
{
	uint64 last;            /* the newest ordinal */
	int unlisted;           /* number of transactions without a slot */
	uint64 lowest_unlisted; /* their lowest ordinal */
	int count;
	Writer writers[WRITERS_MAX];
} WriterList;

typedef struct Writers
{
	WriterList list;
	TimestampTz said_at; /* when the log last said that there was no slot */
} Writers;

/* A copy of the list, and a snapshot that was taken after it. */
typedef struct Observation
{
	WriterList list;
	TimestampTz statement_at; /* start of the client's statement that made it */
	uint64 xmax;              /* 0: there is no observation */
	uint32 running_count;
	TransactionId *running; /* the running ones below xmax; allocated once */
} Observation;

static Writers *shared = NULL;
static LWLock *lock = NULL;

/* What this transaction has been given. */
static struct
{
	int count;
	struct
	{
		pg_uuid_t org_id;
		uint64 ordinal;
	} listed[ORGS_MAX];
	uint64 unlisted; /* for all other organizations; 0 if not needed so far */
} own;

/*
 * The newest observation and the one before, which still counts for the statement that made the
 * newest.  Both survive the end of the transaction.
 */
static Observation observations[2];
static int newest = 0;

PG_FUNCTION_INFO_V1(wa_observe_writers);
PG_FUNCTION_INFO_V1(wa_event_writers);
PG_FUNCTION_INFO_V1(wa_event_room);

static void
attach_memory(void *memory, LWLockPadded *locks, bool is_new)
{
	shared = memory;
	lock = &locks->lock;
}

void
wa_event_writers_preload(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys_event_writers",
		.size = sizeof(Writers),
		.lock_count = 1,
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
}

/* ---- Writing ---- */

/* The lowest possible ordinal of a transaction that still runs when this one is the oldest. */
static uint64
ordinal_of_age(uint64 oldest)
{
	return (oldest + 1) << AGE_SHIFT;
}

/* A process that exits leaves the list, in case the end of its transaction has failed. */
static void
leave_at_exit(int code, Datum argument)
{
	wa_event_writers_leave();
}

static void
register_exit(void)
{
	static bool registered = false;

	if (!registered)
		on_shmem_exit(leave_at_exit, (Datum) 0);
	registered = true;
}

/* The ordinal that this transaction already has for the organization, or 0. */
static uint64
known_ordinal(const pg_uuid_t *org_id)
{
	for (int i = 0; i < own.count; i++)
		if (memcmp(&own.listed[i].org_id, org_id, sizeof(pg_uuid_t)) == 0)
			return own.listed[i].ordinal;
	return own.unlisted;
}

/* The lock is held. */
static void
list_writer(const pg_uuid_t *org_id, uint64 ordinal)
{
	shared->list.writers[shared->list.count++] =
		(Writer){.org_id = *org_id, .database = MyDatabaseId, .pid = MyProcPid, .ordinal = ordinal};
	own.listed[own.count].org_id = *org_id;
	own.listed[own.count].ordinal = ordinal;
	own.count++;
}

/* The lock is held.  Returns whether to write a log message. */
static bool
count_unlisted(uint64 ordinal)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	bool say = now - shared->said_at > SAY_INTERVAL;

	if (shared->list.unlisted++ == 0)
		shared->list.lowest_unlisted = ordinal;
	own.unlisted = ordinal;
	if (say)
		shared->said_at = now;
	return say;
}

static void
say_unlisted(void)
{
	ereport(LOG, (errmsg("events of all organizations may wait until this transaction ends"),
				  errdetail("It writes events of more than %d organizations, or more than %d are "
							"written at once.",
							ORGS_MAX, WRITERS_MAX)));
}

uint64
wa_event_writers_enter(const pg_uuid_t *org_id)
{
	uint64 ordinal = known_ordinal(org_id);
	uint64 lowest = ordinal_of_age(U64FromFullTransactionId(GetTopFullTransactionId()));
	bool say = false;

	if (ordinal != 0)
		return ordinal;
	if (shared == NULL)
		return lowest;
	register_exit();
	LWLockAcquire(lock, LW_EXCLUSIVE);
	ordinal = Max(shared->list.last + 1, lowest);
	shared->list.last = ordinal;
	if (own.count < ORGS_MAX && shared->list.count < WRITERS_MAX)
		list_writer(org_id, ordinal);
	else
		say = count_unlisted(ordinal);
	LWLockRelease(lock);
	if (say)
		say_unlisted();
	return ordinal;
}

/*
 * wa.event_room(): of how many more organizations this transaction can write events before it
 * delays all.  Without shared memory nothing is listed, and the number stays the same.
 */
Datum
wa_event_room(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(ORGS_MAX - own.count);
}

/* The lock is held. */
static void
take_off(WriterList *list)
{
	for (int i = 0; i < list->count;)
		if (list->writers[i].pid == MyProcPid)
			list->writers[i] = list->writers[--list->count];
		else
			i++;
	if (own.unlisted != 0)
		list->unlisted--;
}

void
wa_event_writers_leave(void)
{
	if (own.count == 0 && own.unlisted == 0)
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	take_off(&shared->list);
	LWLockRelease(lock);
	own.count = 0;
	own.unlisted = 0;
}

/* ---- Reading ---- */

/* The 64-bit form of a transaction number that is not ahead of the next one. */
static uint64
widen(TransactionId xid)
{
	FullTransactionId next = ReadNextFullTransactionId();
	uint32 era = EpochFromFullTransactionId(next);

	/* If its 32 bits are above the next one's, it belongs to the era before. */
	if (xid > XidFromFullTransactionId(next))
		era--;
	return U64FromFullTransactionId(FullTransactionIdFromEpochAndXid(era, xid));
}

static void
copy_list(WriterList *copy)
{
	LWLockAcquire(lock, LW_SHARED);
	memcpy(copy, &shared->list,
		   offsetof(WriterList, writers) + shared->list.count * sizeof(Writer));
	LWLockRelease(lock);
}

void
wa_event_writers_observe(void)
{
	Observation *observation = &observations[1 - newest];
	Snapshot snapshot;

	if (shared == NULL || RecoveryInProgress() || IsInParallelMode())
		return;
	observation->xmax = 0;
	if (observation->running == NULL)
		observation->running =
			MemoryContextAlloc(TopMemoryContext, GetMaxSnapshotXidCount() * sizeof(TransactionId));
	/* The list is copied first: what has left it by then has ended in the snapshot. */
	copy_list(&observation->list);
	snapshot = GetLatestSnapshot();
	if (snapshot->takenDuringRecovery)
		return;
	observation->running_count = snapshot->xcnt;
	memcpy(observation->running, snapshot->xip, snapshot->xcnt * sizeof(TransactionId));
	observation->xmax = widen(snapshot->xmax);
	observation->statement_at = GetCurrentStatementStartTimestamp();
	newest = 1 - newest;
}

/* wa.observe_writers(): makes an observation for the next statement. */
Datum
wa_observe_writers(PG_FUNCTION_ARGS)
{
	wa_event_writers_observe();
	PG_RETURN_VOID();
}

static bool
was_running(const Observation *observation, TransactionId xid)
{
	for (uint32 i = 0; i < observation->running_count; i++)
		if (TransactionIdEquals(observation->running[i], xid))
			return true;
	return false;
}

/*
 * Whether every transaction that had ended in the observation's snapshot has ended in this one
 * too: each transaction that runs in this one ran then, or began later.
 */
static bool
counts_for(const Observation *observation, Snapshot snapshot)
{
	uint64 xmax = widen(snapshot->xmax);

	if (observation->xmax == 0 || xmax < observation->xmax ||
		xmax - observation->xmax > OBSERVATION_AGE_MAX)
		return false;
	for (uint32 i = 0; i < snapshot->xcnt; i++)
		if (TransactionIdPrecedes(snapshot->xip[i], (TransactionId) observation->xmax) &&
			!was_running(observation, snapshot->xip[i]))
			return false;
	return true;
}

/* The horizon of the organization in this copy of the list. */
static uint64
lowest_in(const WriterList *list, const pg_uuid_t *org_id)
{
	uint64 lowest = list->unlisted > 0 ? list->lowest_unlisted : list->last + 1;

	for (int i = 0; i < list->count; i++)
	{
		const Writer *writer = &list->writers[i];

		if (writer->ordinal < lowest && writer->database == MyDatabaseId &&
			memcmp(&writer->org_id, org_id, sizeof(pg_uuid_t)) == 0)
			lowest = writer->ordinal;
	}
	return lowest;
}

/* The horizon by the newest observation that counts for the snapshot; 0 if none does. */
static uint64
observed_horizon(const pg_uuid_t *org_id, Snapshot snapshot)
{
	if (snapshot->takenDuringRecovery)
		return 0;
	for (int i = 0; i < 2; i++)
	{
		const Observation *observation = &observations[i == 0 ? newest : 1 - newest];

		if (counts_for(observation, snapshot))
			return lowest_in(&observation->list, org_id);
	}
	return 0;
}

uint64
wa_event_writers_horizon(const pg_uuid_t *org_id, Snapshot snapshot)
{
	uint64 by_age = ordinal_of_age(widen(snapshot->xmin));
	uint64 observed = observed_horizon(org_id, snapshot);

	/* For the next statement of a transaction that continues to read. */
	if (observations[newest].statement_at != GetCurrentStatementStartTimestamp())
		wa_event_writers_observe();
	return Max(by_age, observed);
}

/* ---- For administrators ---- */

static int
compare_writers(const void *a, const void *b)
{
	const Writer *one = a;
	const Writer *other = b;

	return one->ordinal < other->ordinal ? -1 : one->ordinal > other->ordinal;
}

/*
 * wa.event_writers(): the writers that are listed in this database, in order.  Without shared
 * memory there are none.
 */
Datum
wa_event_writers(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	WriterList *list = palloc0(sizeof(WriterList));
	bool nulls[2] = {false, false};

	InitMaterializedSRF(fcinfo, 0);
	if (shared != NULL)
		copy_list(list);
	qsort(list->writers, list->count, sizeof(Writer), compare_writers);
	for (int i = 0; i < list->count; i++)
	{
		Datum values[2] = {UUIDPGetDatum(&list->writers[i].org_id),
						   Int32GetDatum(list->writers[i].pid)};

		if (list->writers[i].database == MyDatabaseId)
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
