/*-------------------------------------------------------------------------
 *
 * usage.c
 *		When each API key was last used, and from where.
 *
 * A use is recorded in shared memory, so that no request writes to a table or
 * takes a transaction id for it.  The worker calls wa.flush_key_usage(), which
 * copies new uses into wa.api_key_usage.  The last use that a key shows is the
 * later of the two.
 *
 * Invariants:
 * - Only wa.authenticate() records uses, after it has accepted an API key.  A
 *   failed attempt is not recorded.  A use stays recorded whatever becomes of
 *   the transaction: the key was used.
 * - A backend records a key at most once a second.  All other requests only
 *   read the backend's own memory.
 * - The memory has a fixed size: sets of a few slots, and a key can be in one
 *   set only.  If all slots of a set are taken, one is given up.  Slots whose
 *   use is in the table, or that nobody has fetched for an hour, go first.
 *   Then slots of the same organization go, and among equals the least recently
 *   used one.  The only loss is a use that was not flushed.
 * - flushed_at is set from a committed row only (schema/55-key-usage.sql), so a
 *   flush that is rolled back loses nothing.
 * - Slots of other databases of the cluster are never shown or changed.
 * - The lock is held for one look at one set, or while everything is copied.
 *   Nothing under it can raise an error.
 *
 * A restart or crash of the server loses uses that were not flushed.  Without
 * shared_preload_libraries there is no such memory, and nothing is recorded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "src/compatibility.h"
#include "src/shared_memory.h"
#include "src/usage.h"

/* 1024 sets of 8 slots of 112 bytes: 0.9 megabytes, 8192 keys. */
#define SETS 1024
#define SLOTS 8

/* The shortest time between two records of a key by one backend. */
#define NOTE_INTERVAL USECS_PER_SEC
/* The number of keys that a backend remembers to have recorded: 40 kilobytes. */
#define NOTED_MAX 1024
/* How long a use that is not flushed is kept in preference when a set is full. */
#define UNFLUSHED_SPARED (INT64CONST(3600) * USECS_PER_SEC)

typedef struct KeyName
{
	pg_uuid_t org_id;
	pg_uuid_t key_id;
} KeyName;

typedef struct Usage
{
	Oid database; /* InvalidOid: the slot was never taken */
	KeyName name;
	TimestampTz first_used_at; /* since the slot was taken */
	TimestampTz last_used_at;
	TimestampTz flushed_at; /* the table has all uses up to this time; DT_NOBEGIN if none */
	WaClientAddress first_used_from;
	WaClientAddress last_used_from;
} Usage;

typedef struct Usages
{
	uint64 seed; /* random, so that nobody can tell which keys are in one set */
	Usage slots[SETS][SLOTS];
} Usages;

typedef struct Noted
{
	KeyName name;
	TimestampTz at;
} Noted;

static Usages *usages = NULL;
static LWLock *lock = NULL;
/* This backend's own memory.  A newer key replaces an older one in its slot. */
static Noted noted[NOTED_MAX];

PG_FUNCTION_INFO_V1(wa_key_usage);
PG_FUNCTION_INFO_V1(wa_unflushed_key_usage);
PG_FUNCTION_INFO_V1(wa_confirm_key_usage);

static void
attach_memory(void *memory, LWLock *memory_lock, bool is_new)
{
	usages = memory;
	lock = memory_lock;
	if (is_new)
		wa_shared_memory_seed(&usages->seed, sizeof(usages->seed));
}

void
wa_usage_init(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys_usage",
		.size = sizeof(Usages),
		.with_lock = true,
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
}

/* ---- Slots.  The lock is held. ---- */

static bool
is_same(const KeyName *a, const KeyName *b)
{
	return memcmp(a, b, sizeof(KeyName)) == 0;
}

static Usage *
set_of(const KeyName *name)
{
	uint64 hash = hash_bytes_extended((const unsigned char *) name, sizeof(KeyName), usages->seed);

	return usages->slots[hash % SETS];
}

/* The slot of a key of this database, or NULL. */
static Usage *
find_slot(const KeyName *name)
{
	Usage *set = set_of(name);

	for (int i = 0; i < SLOTS; i++)
		if (set[i].database == MyDatabaseId && is_same(&set[i].name, name))
			return &set[i];
	return NULL;
}

/* Whether giving the slot up loses little: its use is in the table, or nobody fetches it. */
static bool
is_dispensable(const Usage *slot, TimestampTz now)
{
	return slot->flushed_at >= slot->last_used_at || slot->last_used_at < now - UNFLUSHED_SPARED;
}

/*
 * Whether slot a is given up rather than slot b for a key.  First goes a slot that is
 * dispensable, then one of the same organization, so that whoever uses many keys replaces their
 * own ones, then the least recently used one.
 */
static bool
goes_before(const Usage *a, const Usage *b, const KeyName *name, TimestampTz now)
{
	bool a_dispensable = is_dispensable(a, now);
	bool a_own = memcmp(&a->name.org_id, &name->org_id, sizeof(pg_uuid_t)) == 0;

	if (a_dispensable != is_dispensable(b, now))
		return a_dispensable;
	if (!a_dispensable && a_own != (memcmp(&b->name.org_id, &name->org_id, sizeof(pg_uuid_t)) == 0))
		return a_own;
	return a->last_used_at < b->last_used_at;
}

/* A slot for a key that has none: one that was never taken, or otherwise the one to give up. */
static Usage *
take_slot(const KeyName *name, TimestampTz now)
{
	Usage *set = set_of(name);
	Usage *slot = &set[0];

	for (int i = 0; i < SLOTS && OidIsValid(slot->database); i++)
		if (!OidIsValid(set[i].database) || goes_before(&set[i], slot, name, now))
			slot = &set[i];
	memset(slot, 0, sizeof(*slot));
	slot->database = MyDatabaseId;
	slot->name = *name;
	slot->last_used_at = DT_NOBEGIN;
	slot->flushed_at = DT_NOBEGIN;
	return slot;
}

/* ---- Noting ---- */

/*
 * Whether this backend recorded the key less than a second ago.  If not, notes that it does so
 * now.
 */
static bool
was_just_noted(const KeyName *name, TimestampTz now)
{
	Noted *slot;
	uint32 tail;

	/* The end of a UUIDv7 is random. */
	memcpy(&tail, name->key_id.data + UUID_LEN - sizeof(tail), sizeof(tail));
	slot = &noted[tail % NOTED_MAX];
	/* If the clock was set back, the key must still be recorded. */
	if (is_same(&slot->name, name) && now >= slot->at && now - slot->at < NOTE_INTERVAL)
		return true;
	slot->name = *name;
	slot->at = now;
	return false;
}

void
wa_usage_note(const WaPrincipal *key, const WaClientAddress *from)
{
	const KeyName name = {key->org_id, key->id};
	/* This needs no system call and is precise enough. */
	const TimestampTz now = GetCurrentStatementStartTimestamp();
	Usage *slot;

	if (usages == NULL || was_just_noted(&name, now))
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(&name);
	if (slot == NULL)
	{
		slot = take_slot(&name, now);
		slot->first_used_at = now;
		slot->first_used_from = *from;
	}
	/* Of two backends the slower one may come second. */
	if (slot->last_used_at <= now)
	{
		slot->last_used_at = now;
		slot->last_used_from = *from;
	}
	LWLockRelease(lock);
}

/* ---- Showing ---- */

static TupleDesc
result_type(FunctionCallInfo fcinfo)
{
	TupleDesc type;

	if (get_call_result_type(fcinfo, NULL, &type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return BlessTupleDesc(type);
}

static NullableDatum
address_datum(const WaClientAddress *address)
{
	char shown[INET6_ADDRSTRLEN];
	NullableDatum result = {.isnull = true};

	if (wa_client_address_show(address, shown))
	{
		result.value = DirectFunctionCall1(inet_in, CStringGetDatum(shown));
		result.isnull = false;
	}
	return result;
}

/* Fills first_used_at, first_used_from, last_used_at, last_used_from. */
static void
fill_uses(const Usage *usage, Datum *values, bool *nulls)
{
	NullableDatum first = address_datum(&usage->first_used_from);
	NullableDatum last = address_datum(&usage->last_used_from);

	values[0] = TimestampTzGetDatum(usage->first_used_at);
	values[1] = first.value;
	nulls[1] = first.isnull;
	values[2] = TimestampTzGetDatum(usage->last_used_at);
	values[3] = last.value;
	nulls[3] = last.isnull;
}

/* wa.key_usage(org, key): the uses of one key in memory; NULL if there are none. */
Datum
wa_key_usage(PG_FUNCTION_ARGS)
{
	const KeyName name = {*PG_GETARG_UUID_P(0), *PG_GETARG_UUID_P(1)};
	TupleDesc type = result_type(fcinfo);
	Datum values[4] = {0};
	bool nulls[4] = {false};
	Usage *slot;
	Usage usage;

	if (usages == NULL)
		PG_RETURN_NULL();
	LWLockAcquire(lock, LW_SHARED);
	slot = find_slot(&name);
	if (slot != NULL)
		usage = *slot;
	LWLockRelease(lock);
	if (slot == NULL)
		PG_RETURN_NULL();
	fill_uses(&usage, values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(type, values, nulls)));
}

/* A copy of this database's slots with uses that the table may not have. */
static Usage *
copy_unflushed(int *count)
{
	Usage *copies = palloc(sizeof(usages->slots));
	Usage *all = &usages->slots[0][0];

	*count = 0;
	LWLockAcquire(lock, LW_SHARED);
	for (int i = 0; i < SETS * SLOTS; i++)
		if (all[i].database == MyDatabaseId && all[i].flushed_at < all[i].last_used_at)
			copies[(*count)++] = all[i];
	LWLockRelease(lock);
	return copies;
}

/* wa.unflushed_key_usage(): the uses that wa.flush_key_usage() may have to write. */
Datum
wa_unflushed_key_usage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Usage *copies;
	int count;

	InitMaterializedSRF(fcinfo, 0);
	if (usages == NULL)
		return (Datum) 0;
	copies = copy_unflushed(&count);
	for (int i = 0; i < count; i++)
	{
		Datum values[7] = {UUIDPGetDatum(&copies[i].name.org_id),
						   UUIDPGetDatum(&copies[i].name.key_id)};
		bool nulls[7] = {false};

		fill_uses(&copies[i], values + 2, nulls + 2);
		values[6] = TimestampTzGetDatum(copies[i].flushed_at);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	pfree(copies);
	return (Datum) 0;
}

/* wa.confirm_key_usage(org, key, at): the table has, committed, all uses up to this time. */
Datum
wa_confirm_key_usage(PG_FUNCTION_ARGS)
{
	const KeyName name = {*PG_GETARG_UUID_P(0), *PG_GETARG_UUID_P(1)};
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(2);
	Usage *slot;

	if (usages == NULL)
		PG_RETURN_VOID();
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(&name);
	if (slot != NULL)
		slot->flushed_at = Max(slot->flushed_at, at);
	LWLockRelease(lock);
	PG_RETURN_VOID();
}
