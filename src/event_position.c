/*-------------------------------------------------------------------------
 *
 * event_position.c
 *		The position of an event, and up to where readers may look.
 *
 * Ids that are drawn from a sequence become visible in another order than they
 * were drawn in: who keeps "the largest id seen" loses what commits late.  So
 * the position of an event is (epoch, ordinal, id): the ordinal is that of its
 * transaction among those that write events, and a reader's horizon is the lowest
 * of those that still run (event_writers.c).  Below the horizon every transaction
 * has ended: what is there is there, and nothing will appear below it any more.
 *
 * Ordinals are compared within one run of one server only.  A database that was
 * restored from a dump, replicated or upgraded runs in a cluster that counts on
 * from another number; a promoted standby, and a server after a crash, can give
 * out again numbers that were never written to disk but that readers have already
 * seen pass.  So each run of the server in which events are written has an epoch,
 * which leads the position: it is one more than the newest in wa.event_epoch unless
 * that one is this run's.
 *
 * The row that notes an epoch is on disk before anybody sees it.  Until then
 * the next run may take the same epoch, with lower ordinals; so
 * no reader is given a position in it, but the end of the epoch before: all
 * transactions of earlier runs have ended.
 *
 * Invariants:
 * - What a run is, the preloaded library knows (wake.h); without it the crash of
 *   a backend does not begin a new one, and readers may then miss an event.
 * - Within a run the epoch never changes, whether or not it has been noted.
 * - Whoever writes an event before the epoch has been noted by a transaction
 *   that committed notes it too, and waits for the disk at its commit whatever
 *   synchronous_commit says.
 * - Every position that leaves here for a reader is in an epoch that is noted on
 *   disk, and that no later run takes again.
 * - No transaction that wrote an event lives on into another run (wake.c).
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
#include "src/event_writers.h"
#include "src/row_lookup.h"
#include "src/wake.h"

/* Columns of wa.event_epoch that are read here. */
enum
{
	EPOCH_EPOCH = 1,
	EPOCH_SERVER = 3
};

#define SERVER_RUN_MAX 64

/* What the table said when it was last looked at. */
static struct
{
	Oid relation; /* InvalidOid: look again */
	TimeLineID timeline;
	int32 newest;
	bool ours;
} known;

static bool callback_registered = false;

/* The last transaction of this backend that was told to note the epoch. */
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

/* The name of this run of this server. */
static void
name_server_run(char name[SERVER_RUN_MAX])
{
	snprintf(name, SERVER_RUN_MAX, UINT64_FORMAT "/%u/" INT64_FORMAT, GetSystemIdentifier(),
			 current_timeline(), wa_wake_started_at());
}

/*
 * Take note of the newest row, as committed now or written by this transaction.
 */
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
	/* before the rows are read: what changes in between makes it look again */
	known.relation = table_oid;
	known.timeline = current_timeline();
	scan = systable_beginscan_ordered(relation, index, NULL, 0, NULL);
	take_newest(systable_getnext_ordered(scan, BackwardScanDirection), RelationGetDescr(relation));
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(relation, AccessShareLock);
}

/*
 * The epoch of this run of the server; *noted tells whether the table has it.
 * A standby writes none: there the newest is that of its primary.
 */
static int32
current_epoch(bool *noted)
{
	if (!OidIsValid(known.relation) || known.timeline != current_timeline())
		look_up_newest();
	*noted = known.ours || RecoveryInProgress();
	return known.newest + (*noted ? 0 : 1);
}

/* wa.server_run(): what the epoch of this run is noted with. */
Datum
wa_server_run(PG_FUNCTION_ARGS)
{
	char run[SERVER_RUN_MAX];

	name_server_run(run);
	PG_RETURN_TEXT_P(cstring_to_text(run));
}

/*
 * wa.next_event_position(org): epoch and ordinal of an event that is written now, and
 * whether the epoch has been noted.  Those who listen to the organization will be
 * woken at commit.
 */
Datum
wa_next_event_position(PG_FUNCTION_ARGS)
{
	const pg_uuid_t *org_id = PG_GETARG_UUID_P(0);
	Datum answer[3];
	bool noted;

	/* first: what ends the waiting of others also takes this off the list of writers */
	wa_wake_org(org_id);
	answer[0] = Int32GetDatum(current_epoch(&noted));
	answer[1] = Int64GetDatum((int64) wa_event_writers_enter(org_id));
	answer[2] = BoolGetDatum(noted);
	if (!noted)
	{
		noted_by = GetTopFullTransactionId();
		ForceSyncCommit();
	}
	PG_RETURN_DATUM(wa_row_answer(fcinfo, answer));
}

/*
 * Whether the epoch is one that no later run can take: noted, and not only by
 * this very transaction, which may still roll back.
 */
static bool
is_for_good(bool noted)
{
	FullTransactionId own = GetTopFullTransactionIdIfAny();

	return noted && !(FullTransactionIdIsValid(own) && FullTransactionIdEquals(own, noted_by));
}

/*
 * wa.event_horizon(org): epoch and ordinal below which every transaction that wrote
 * events of the organization has ended, in the snapshot of the statement that calls it.
 */
Datum
wa_event_horizon(PG_FUNCTION_ARGS)
{
	Snapshot snapshot = GetActiveSnapshot();
	Datum answer[2];
	bool noted;
	int32 epoch = current_epoch(&noted);
	uint64 ordinal = wa_event_writers_horizon(PG_GETARG_UUID_P(0), snapshot);

	/* one of a standby that has been promoted since shows the epoch before */
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
