/*-------------------------------------------------------------------------
 *
 * event_position.c
 *		The position of an event, and the horizon up to which readers may look.
 *
 * Ids from a sequence become visible in another order than they were drawn in.
 * A reader who remembers "the largest id seen" therefore misses events that
 * commit late.  So the position of an event is (epoch, ordinal, id).  The
 * ordinal is that of the event's transaction among all transactions that write
 * events.  A reader's horizon is the lowest ordinal of the transactions that
 * still run (event_writers.c).  All transactions below the horizon have ended,
 * so no event appears there any more.
 *
 * Ordinals can be compared only within one run of one server.  A database that
 * was restored from a dump, replicated or upgraded runs in a cluster whose
 * transaction numbers continue elsewhere.  A promoted standby, and a server
 * after a crash, can give out numbers again that were never written to disk but
 * that readers have already seen.  So each run of the server in which events
 * are written has an epoch, and the position begins with it.  The epoch of a
 * new run is one more than the newest in wa.event_epoch.
 *
 * The row that records an epoch must be on disk before any reader sees the
 * epoch.  Until then the next run could take the same epoch with lower
 * ordinals.  So readers get no position in an epoch that is not recorded yet.
 * They get the end of the epoch before, which is safe because all transactions
 * of earlier runs have ended.
 *
 * Invariants:
 * - The preloaded library knows when a run begins (wake.h).  Without preload,
 *   the crash of a backend does not begin a new run, and readers may then miss
 *   an event.
 * - The epoch never changes within a run, whether or not it has been recorded.
 * - A transaction that writes an event before a committed transaction has
 *   recorded the epoch records it as well.  Its commit then waits for the disk,
 *   whatever synchronous_commit says.
 * - Every position that a reader gets is in an epoch that is recorded on disk
 *   and that no later run takes again.
 * - No transaction that wrote an event can commit in a later run (wake.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "src/compatibility.h"
#include "src/event_position.h"
#include "src/event_writers.h"
#include "src/row_lookup.h"
#include "src/wake.h"

/* The columns of wa.event_epoch that are read here. */
enum
{
	EPOCH_EPOCH = 1,
	EPOCH_SERVER = 3
};

#define SERVER_RUN_MAX 64

/* What the table contained when it was last read. */
static struct
{
	Oid relation; /* InvalidOid: the table has to be read again */
	TimeLineID timeline;
	int32 newest;
	bool ours;
} known;

static bool callback_registered = false;

/* The last transaction of this backend that was told to record the epoch. */
static FullTransactionId noted_by;

PG_FUNCTION_INFO_V1(wa_server_run);
PG_FUNCTION_INFO_V1(wa_next_event_position);
PG_FUNCTION_INFO_V1(wa_event_horizon);

static void
epochs_changed(Datum argument, Oid relation)
{
	if (relation == InvalidOid || relation == known.relation)
		known.relation = InvalidOid;
}

static TimeLineID
current_timeline(void)
{
	TimeLineID timeline;

	if (!RecoveryInProgress())
		return GetWALInsertionTimeLine();
	GetXLogReplayRecPtr(&timeline);
	return timeline;
}

/* Writes the name of this run of this server. */
static void
name_server_run(char name[SERVER_RUN_MAX])
{
	snprintf(name, SERVER_RUN_MAX, UINT64_FORMAT "/%u/" INT64_FORMAT, GetSystemIdentifier(),
			 current_timeline(), wa_wake_started_at());
}

/* Stores the newest row, as it is committed now or was written by this transaction. */
static void
take_newest(HeapTuple tuple, TupleDesc columns)
{
	char run[SERVER_RUN_MAX];
	bool is_null;
	Datum server;

	known.newest = 0;
	known.ours = false;
	if (!HeapTupleIsValid(tuple))
		return;
	name_server_run(run);
	known.newest = DatumGetInt32(heap_getattr(tuple, EPOCH_EPOCH, columns, &is_null));
	server = heap_getattr(tuple, EPOCH_SERVER, columns, &is_null);
	known.ours = strcmp(TextDatumGetCString(server), run) == 0;
}

static void
look_up_newest(void)
{
	Oid schema = get_namespace_oid("wa", false);
	Oid index_oid = get_relname_relid("event_epoch_pkey", schema);
	Oid table_oid = get_relname_relid("event_epoch", schema);
	Relation relation = table_open(table_oid, AccessShareLock);
	Relation index = index_open(index_oid, AccessShareLock);
	SysScanDesc scan;

	if (!callback_registered)
	{
		CacheRegisterRelcacheCallback(epochs_changed, (Datum) 0);
		callback_registered = true;
	}
	/* Set before the rows are read, so that a change in between causes another read. */
	known.relation = table_oid;
	known.timeline = current_timeline();
	scan = systable_beginscan_ordered(relation, index, NULL, 0, NULL);
	take_newest(systable_getnext_ordered(scan, BackwardScanDirection), RelationGetDescr(relation));
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(relation, AccessShareLock);
}

/*
 * The epoch of this run of the server.  *noted says whether the table has it.  A standby records
 * no epoch of its own: there the newest one is that of its primary.
 */
static int32
current_epoch(bool *noted)
{
	if (!OidIsValid(known.relation) || known.timeline != current_timeline())
		look_up_newest();
	*noted = known.ours || RecoveryInProgress();
	return known.newest + (*noted ? 0 : 1);
}

/* wa.server_run(): the name under which the epoch of this run is recorded. */
Datum
wa_server_run(PG_FUNCTION_ARGS)
{
	char run[SERVER_RUN_MAX];

	name_server_run(run);
	PG_RETURN_TEXT_P(cstring_to_text(run));
}

WaEventPosition
wa_event_position_next(const pg_uuid_t *org_id)
{
	WaEventPosition position;

	/* First: because of it the end of the transaction also leaves the list of writers. */
	wa_wake_org(org_id);
	position.epoch = current_epoch(&position.noted);
	position.ordinal = (int64) wa_event_writers_enter(org_id);
	if (!position.noted)
	{
		noted_by = GetTopFullTransactionId();
		ForceSyncCommit();
	}
	return position;
}

/*
 * wa.next_event_position(org): epoch and ordinal of an event that is written now, and whether
 * the epoch has been recorded.
 */
Datum
wa_next_event_position(PG_FUNCTION_ARGS)
{
	WaEventPosition position = wa_event_position_next(PG_GETARG_UUID_P(0));
	Datum answer[3];

	answer[0] = Int32GetDatum(position.epoch);
	answer[1] = Int64GetDatum(position.ordinal);
	answer[2] = BoolGetDatum(position.noted);
	PG_RETURN_DATUM(wa_row_answer(fcinfo, answer));
}

/*
 * Whether no later run can take this epoch: it is recorded, and by a transaction that has
 * committed.  A record of the running transaction itself may still be rolled back.
 */
static bool
is_for_good(bool noted)
{
	FullTransactionId own = GetTopFullTransactionIdIfAny();

	return noted && !(FullTransactionIdIsValid(own) && FullTransactionIdEquals(own, noted_by));
}

/*
 * wa.event_horizon(org): epoch and ordinal of the horizon, in the snapshot of the statement
 * that calls it.  All transactions below it that wrote events of the organization have ended.
 */
Datum
wa_event_horizon(PG_FUNCTION_ARGS)
{
	Snapshot snapshot = GetActiveSnapshot();
	Datum answer[2];
	bool noted;
	int32 epoch = current_epoch(&noted);
	uint64 ordinal = wa_event_writers_horizon(PG_GETARG_UUID_P(0), snapshot);

	/* A snapshot of a standby that has been promoted since still shows the epoch before. */
	if (snapshot->takenDuringRecovery && !RecoveryInProgress())
		epoch--;
	else if (!is_for_good(noted))
	{
		epoch--;
		ordinal = PG_INT64_MAX;
	}
	answer[0] = Int32GetDatum(epoch);
	answer[1] = Int64GetDatum((int64) ordinal);
	PG_RETURN_DATUM(wa_row_answer(fcinfo, answer));
}
