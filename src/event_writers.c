/*-------------------------------------------------------------------------
 *
 * event_writers.c
 *		Who is writing events now, and the order in which they began to.
 *
 * A transaction gets an ordinal when it writes its first event of an organization,
 * and stands in a list in shared memory until it has ended.  The horizon of an
 * organization is the lowest ordinal of those that write events of it now: below it
 * all have ended, and nothing will appear there any more.  So a transaction that
 * writes no events, or those of another organization, holds nobody up.
 *
 * "Have ended" has to hold in the snapshot that the reader reads with.  A list that
 * is looked at after the snapshot was taken lacks those that ended in between, whose
 * events the reader does not see.  So an observation is a copy of the list and, taken
 * behind it, a snapshot; and it counts for a reader whose own snapshot shows all that
 * the observation's shows.  That is compared and not concluded from the order of
 * statements: cursors, REPEATABLE READ and imported snapshots need no rule of
 * their own.  wa.authenticate() observes for the statement that follows it, function
 * bodies do for their next statement.
 *
 * The horizon by age needs no list: the oldest transaction that runs in the
 * snapshot.  An ordinal holds the number of a transaction in its upper bits, one
 * that is above that of the transaction which it is given to.  So whoever still runs
 * has an ordinal that is not below (oldest + 1).  It counts where no observation does
 * (on a standby, without preload, in an older snapshot) and wherever it is higher.
 *
 * Invariants:
 * - An ordinal is given out and listed under one hold of the lock, and is higher than
 *   all before it.
 * - It is above (number of the transaction + 1) << AGE_SHIFT, or that.
 * - Who is listed leaves after its commit is visible to others, or when it cannot
 *   commit any more.  A rolled back savepoint takes nobody off the list.
 * - Whom there is no slot for is counted, and holds up all organizations, as far as
 *   the horizon by age does not help; the log says so.
 * - The lock is held for one walk of the list, and by nothing that can raise.
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
 * So many ordinals can be given out while the number of transactions stands still,
 * before the upper bits run ahead of it.  2^51 numbers are left: seventy years of a
 * million a second.
 */
#define AGE_SHIFT 12

/* Bound of the list: 32 kilobytes. */
#define WRITERS_MAX 1024

/* Organizations of one transaction that are listed; with more it holds up all. */
#define ORGS_MAX 64

/* An observation counts no more after so many transactions. */
#define OBSERVATION_AGE_MAX (UINT64CONST(1) << 30)

/* The log says at most so often that there was no slot. */
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
	uint64 last;            /* the ordinal that was given out last */
	int unlisted;           /* transactions that there was no slot for */
	uint64 lowest_unlisted; /* none of theirs is below it */
	int count;
	Writer writers[WRITERS_MAX];
} WriterList;

typedef struct Writers
{
	WriterList list;
	TimestampTz said_at; /* when the log last said that there was no slot */
} Writers;

/* The list as it was, and a snapshot that was taken behind that. */
typedef struct Observation
{
	WriterList list;
	TimestampTz statement_at; /* when the client's statement began that made it */
	uint64 xmax;              /* 0: there is none */
	uint32 running_count;
	TransactionId *running; /* below xmax; allocated once */
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
	uint64 unlisted; /* for all other organizations; 0: not needed so far */
} own;

/*
 * The newest and the one before, which still counts for the statement that made the
 * newest.  Both outlive the transaction.
 */
static Observation observations[2];
static int newest = 0;

PG_FUNCTION_INFO_V1(wa_observe_writers);
PG_FUNCTION_INFO_V1(wa_event_writers);

static void
attach_memory(void *memory, LWLock *memory_lock, bool is_new)
{
	shared = memory;
	lock = memory_lock;
}

void
wa_event_writers_preload(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys_event_writers",
		.size = sizeof(Writers),
		.with_lock = true,
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
}

/* ---------------------------------------------------------------------
 * Writing
 * ---------------------------------------------------------------------
 */

/* The lowest ordinal that whoever still runs beside this oldest one can have. */
static uint64
ordinal_of_age(uint64 oldest)
{
	return (oldest + 1) << AGE_SHIFT;
}

/* A process that ends leaves the list, should the end of its transaction have failed. */
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

/* The lock is held.  Returns whether the log is to say so. */
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

/* ---------------------------------------------------------------------
 * Reading
 * ---------------------------------------------------------------------
 */

/* The number of a transaction that is not ahead of the next one, with all its 64 bits. */
static uint64
widen(TransactionId xid)
{
	FullTransactionId next = ReadNextFullTransactionId();
	uint32 era = EpochFromFullTransactionId(next);

	/* if its 32 bits are above the next one's, it is of the era before */
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
	/* the list first: who is not on it any more has ended in the snapshot */
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

/* wa.observe_writers() */
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
 * Whether whatever had ended in the observation's snapshot has ended in this one:
 * what runs in it ran then, or began later.
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

/* Below this, all that wrote events of the organization had ended when it was observed. */
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

/* By the newest observation that counts for the snapshot; 0 if none does. */
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

	/* for the next statement of a transaction that goes on reading */
	if (observations[newest].statement_at != GetCurrentStatementStartTimestamp())
		wa_event_writers_observe();
	return Max(by_age, observed);
}

/* ---------------------------------------------------------------------
 * For administrators
 * ---------------------------------------------------------------------
 */

static int
compare_writers(const void *a, const void *b)
{
	const Writer *one = a;
	const Writer *other = b;

	return one->ordinal < other->ordinal ? -1 : one->ordinal > other->ordinal;
}

/*
 * wa.event_writers(): who is listed in this database, in order; no rows where there is
 * no list.
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
