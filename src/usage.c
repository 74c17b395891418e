/*-------------------------------------------------------------------------
 *
 * usage.c
 *		When each API key was last used, from where, and how often in each hour.
 *
 * Uses and counts are kept in shared memory, so that no request writes to a
 * table or takes a transaction id for them.  The worker calls
 * wa.flush_key_usage(), which brings them to wa.api_key_usage and
 * wa.api_key_hour.  What a key shows is what the table and the memory say
 * together.
 *
 * Invariants:
 * - A use is recorded by wa.authenticate() after it has accepted an API key.  It
 *   stays recorded whatever becomes of the transaction: the key was used.
 * - A backend records a use of a key at most once a second.  All other requests
 *   only read the backend's own memory.
 * - Every request is counted once, when its transaction ends, or when it is
 *   denied.  No rollback takes a count back.
 * - The memory has a fixed size: sets of a few slots, and a key can be in one
 *   set only.  If all slots of a set are taken, one is given up.  Slots that say
 *   nothing that is not in a table, or that nobody has touched for an hour, go
 *   first.  Then slots of the same organization go, and among equals the least
 *   recently touched one.  The only loss is what was not flushed.
 * - A slot counts two hours, the current one and the one before.  What nobody has
 *   fetched by then is lost.
 * - flushed_at is set from a committed row only (schema/55-key-usage.sql), and
 *   counts come back if the transaction that took them is rolled back
 *   (handover.c).  So a flush that is rolled back loses nothing.
 * - Slots of other databases of the cluster are never shown or changed.
 * - The sets share some locks.  To count in a slot that the backend knows takes a
 *   lock that counting requests share, and one atomic addition, so requests of
 *   one key do not wait for each other.  Everything else in a slot takes the lock
 *   for itself, for one look at one set, or while the set is copied.  Nothing
 *   under it can raise an error.
 *
 * A restart or crash of the server loses what was not flushed.  Without
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
#include "port/atomics.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "src/compatibility.h"
#include "src/handover.h"
#include "src/shared_memory.h"
#include "src/usage.h"

/* 1024 sets of 8 slots of 328 bytes: 2.6 megabytes, 8192 keys. */
#define SETS 1024
#define SLOTS 8
/* Each of them is for every 64th set. */
#define LOCKS 64
/* The hours of a slot. */
#define HOURS 2
/* The characters of a program's name that are kept; the rest is cut off. */
#define AGENT_MAX 120

/* The shortest time between two records of a key by one backend. */
#define NOTE_INTERVAL USECS_PER_SEC
/* The number of keys that a backend remembers to have recorded: 40 kilobytes. */
#define NOTED_MAX 1024
/* How long a slot that is not flushed is kept in preference when a set is full. */
#define UNFLUSHED_SPARED (INT64CONST(3600) * USECS_PER_SEC)

typedef struct KeyName
{
	pg_uuid_t org_id;
	pg_uuid_t key_id;
} KeyName;

typedef struct Hour
{
	TimestampTz began;
	pg_atomic_uint32 counts[WA_OUTCOMES]; /* that no flush has taken */
} Hour;

typedef struct Usage
{
	Oid database; /* InvalidOid: the slot was never taken */
	KeyName name;
	TimestampTz touched_at;    /* used, or counted the first time in an hour */
	TimestampTz first_used_at; /* since the slot was taken */
	TimestampTz last_used_at;  /* DT_NOBEGIN: not since then */
	TimestampTz flushed_at;    /* the table has all uses up to this time; DT_NOBEGIN if none */
	WaClientAddress first_used_from;
	WaClientAddress last_used_from;
	char last_used_agent[AGENT_MAX + 1]; /* empty if none was told */
	Hour hours[HOURS];
} Usage;

typedef struct Usages
{
	uint64 seed;            /* random, so that nobody can tell which keys are in one set */
	pg_atomic_uint32 place; /* the set where the next flush begins */
	Usage slots[SETS][SLOTS];
} Usages;

typedef struct Noted
{
	KeyName name;
	TimestampTz at; /* of the last use that was recorded; 0: none was */
	Usage *slot;    /* where the key was then; NULL: not known */
} Noted;

/* The counts of one key in one hour, on their way into the table. */
typedef struct KeyHour
{
	KeyName name;
	TimestampTz began;
	uint32 counts[WA_OUTCOMES];
} KeyHour;

static Usages *usages = NULL;
static LWLockPadded *locks = NULL;
/* This backend's own memory.  A newer key replaces an older one in its slot. */
static Noted noted[NOTED_MAX];

PG_FUNCTION_INFO_V1(wa_remembered_key_use);
PG_FUNCTION_INFO_V1(wa_unflushed_key_usage);
PG_FUNCTION_INFO_V1(wa_confirm_key_usage);
PG_FUNCTION_INFO_V1(wa_unflushed_key_hours);
PG_FUNCTION_INFO_V1(wa_take_key_hours);

static void
init_counts(Usage *slot)
{
	for (int i = 0; i < HOURS; i++)
		for (int outcome = 0; outcome < WA_OUTCOMES; outcome++)
			pg_atomic_init_u32(&slot->hours[i].counts[outcome], 0);
}

static void
attach_memory(void *memory, LWLockPadded *memory_locks, bool is_new)
{
	usages = memory;
	locks = memory_locks;
	if (!is_new)
		return;
	wa_shared_memory_seed(&usages->seed, sizeof(usages->seed));
	pg_atomic_init_u32(&usages->place, 0);
	for (int i = 0; i < SETS * SLOTS; i++)
		init_counts(&usages->slots[i / SLOTS][i % SLOTS]);
}

void
wa_usage_init(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys_usage",
		.size = sizeof(Usages),
		.lock_count = LOCKS,
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
}

/* ---- Slots.  Except for the first three functions, the lock of the set is held. ---- */

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

/* The lock of the set that this slot is in. */
static LWLock *
lock_of(const Usage *slot)
{
	return &locks[(slot - usages->slots[0]) / SLOTS % LOCKS].lock;
}

static bool
is_slot_of(const Usage *slot, const KeyName *name)
{
	return slot->database == MyDatabaseId && is_same(&slot->name, name);
}

/* The slot of a key of this database, or NULL. */
static Usage *
find_slot(const KeyName *name)
{
	Usage *set = set_of(name);

	for (int i = 0; i < SLOTS; i++)
		if (is_slot_of(&set[i], name))
			return &set[i];
	return NULL;
}

static bool
has_counts(const Hour *hour)
{
	for (int i = 0; i < WA_OUTCOMES; i++)
		if (pg_atomic_read_u32((pg_atomic_uint32 *) &hour->counts[i]) != 0)
			return true;
	return false;
}

static bool
is_flushed(const Usage *slot)
{
	for (int i = 0; i < HOURS; i++)
		if (has_counts(&slot->hours[i]))
			return false;
	return slot->flushed_at >= slot->last_used_at;
}

/* Whether giving the slot up loses little: what it says is in a table, or nobody fetches it. */
static bool
is_dispensable(const Usage *slot, TimestampTz now)
{
	return slot->touched_at < now - UNFLUSHED_SPARED || is_flushed(slot);
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
	return a->touched_at < b->touched_at;
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
	init_counts(slot);
	slot->database = MyDatabaseId;
	slot->name = *name;
	slot->last_used_at = DT_NOBEGIN;
	slot->flushed_at = DT_NOBEGIN;
	return slot;
}

/* The key's slot, which it gets if it has none. */
static Usage *
touch_slot(const KeyName *name, TimestampTz now)
{
	Usage *slot = find_slot(name);

	if (slot == NULL)
		slot = take_slot(name, now);
	slot->touched_at = Max(slot->touched_at, now);
	return slot;
}

/* ---- Noting ---- */

/* What this backend knows of a key.  If it knew another one in this place, it forgets that one. */
static Noted *
noted_of(const KeyName *name)
{
	Noted *entry;
	uint32 tail;

	/* The end of a UUIDv7 is random. */
	memcpy(&tail, name->key_id.data + UUID_LEN - sizeof(tail), sizeof(tail));
	entry = &noted[tail % NOTED_MAX];
	if (!is_same(&entry->name, name))
		*entry = (Noted){.name = *name};
	return entry;
}

/* Whoever sends a request chooses this text.  What is not a printable ASCII character becomes "?". */
static void
copy_agent(char *copy, const text *agent)
{
	int len = agent == NULL ? 0 : Min((int) VARSIZE_ANY_EXHDR(agent), AGENT_MAX);

	for (int i = 0; i < len; i++)
	{
		char character = VARDATA_ANY(agent)[i];

		if (character < 0x20 || character >= 0x7f)
			character = '?';
		copy[i] = character;
	}
	copy[len] = '\0';
}

void
wa_usage_note(const WaPrincipal *key, const WaClientAddress *from, const text *agent)
{
	const KeyName name = {key->org_id, key->id};
	/* This needs no system call and is precise enough. */
	const TimestampTz now = GetCurrentStatementStartTimestamp();
	Noted *entry = noted_of(&name);
	LWLock *lock;
	Usage *slot;

	/* If the clock was set back, the key must still be recorded. */
	if (usages == NULL || (now >= entry->at && now - entry->at < NOTE_INTERVAL))
		return;
	lock = lock_of(set_of(&name));
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = touch_slot(&name, now);
	if (slot->last_used_at == DT_NOBEGIN)
	{
		slot->first_used_at = now;
		slot->first_used_from = *from;
	}
	/* Of two backends the slower one may come second. */
	if (slot->last_used_at <= now)
	{
		slot->last_used_at = now;
		slot->last_used_from = *from;
		copy_agent(slot->last_used_agent, agent);
	}
	LWLockRelease(lock);
	entry->at = now;
	entry->slot = slot;
}

/* ---- Counting ---- */

static Hour *
hour_at(Usage *slot, TimestampTz began)
{
	return &slot->hours[began / USECS_PER_HOUR % HOURS];
}

/* Counts in a slot if it is still the key's and counts this hour.  The lock is held, or shared. */
static bool
add_counts(Usage *slot, const KeyHour *added)
{
	Hour *hour = hour_at(slot, added->began);

	if (!is_slot_of(slot, &added->name) || hour->began != added->began)
		return false;
	for (int i = 0; i < WA_OUTCOMES; i++)
		if (added->counts[i] != 0)
			pg_atomic_fetch_add_u32(&hour->counts[i], (int32) added->counts[i]);
	return true;
}

/* The same, in a slot that the key gets if it has none.  Returns the slot. */
static Usage *
add_counts_anew(const KeyHour *added, TimestampTz now)
{
	LWLock *lock = lock_of(set_of(&added->name));
	Usage *slot;
	Hour *hour;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = touch_slot(&added->name, now);
	hour = hour_at(slot, added->began);
	/* An hour that is to come is there if the clock was set back. */
	if (hour->began < added->began || !has_counts(hour))
	{
		for (int i = 0; i < WA_OUTCOMES; i++)
			pg_atomic_write_u32(&hour->counts[i], 0);
		hour->began = added->began;
	}
	add_counts(slot, added);
	LWLockRelease(lock);
	return slot;
}

void
wa_usage_count(const pg_uuid_t *org_id, const pg_uuid_t *key_id, WaOutcome outcome)
{
	const TimestampTz now = GetCurrentStatementStartTimestamp();
	KeyHour added = {.name = {*org_id, *key_id}, .began = now - now % USECS_PER_HOUR};
	Noted *entry;
	bool counted = false;

	if (usages == NULL)
		return;
	added.counts[outcome] = 1;
	entry = noted_of(&added.name);
	if (entry->slot != NULL)
	{
		LWLock *lock = lock_of(entry->slot);

		LWLockAcquire(lock, LW_SHARED);
		counted = add_counts(entry->slot, &added);
		LWLockRelease(lock);
	}
	if (!counted)
		entry->slot = add_counts_anew(&added, now);
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

/* What fill_uses() fills: first_used_at, first_used_from, last_used_at and so on. */
#define USE_COLUMNS 5

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
	nulls[4] = usage->last_used_agent[0] == '\0';
	if (!nulls[4])
		values[4] = CStringGetTextDatum(usage->last_used_agent);
}

/* wa.remembered_key_use(org, key): the uses of one key in memory; NULL if there are none. */
Datum
wa_remembered_key_use(PG_FUNCTION_ARGS)
{
	const KeyName name = {*PG_GETARG_UUID_P(0), *PG_GETARG_UUID_P(1)};
	TupleDesc type = result_type(fcinfo);
	Datum values[USE_COLUMNS] = {0};
	bool nulls[USE_COLUMNS] = {false};
	Usage *slot;
	Usage usage = {.last_used_at = DT_NOBEGIN};
	LWLock *lock;

	if (usages == NULL)
		PG_RETURN_NULL();
	lock = lock_of(set_of(&name));
	LWLockAcquire(lock, LW_SHARED);
	slot = find_slot(&name);
	if (slot != NULL)
		usage = *slot;
	LWLockRelease(lock);
	if (usage.last_used_at == DT_NOBEGIN)
		PG_RETURN_NULL();
	fill_uses(&usage, values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(type, values, nulls)));
}

/* A copy of this database's slots with uses that the table may not have. */
static Usage *
copy_unflushed(int *count)
{
	Usage *copies = palloc(sizeof(usages->slots));

	*count = 0;
	for (int set = 0; set < SETS; set++)
	{
		Usage *slots = usages->slots[set];

		LWLockAcquire(lock_of(slots), LW_SHARED);
		for (int i = 0; i < SLOTS; i++)
			if (slots[i].database == MyDatabaseId && slots[i].flushed_at < slots[i].last_used_at)
				copies[(*count)++] = slots[i];
		LWLockRelease(lock_of(slots));
	}
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
		Datum values[3 + USE_COLUMNS] = {UUIDPGetDatum(&copies[i].name.org_id),
										 UUIDPGetDatum(&copies[i].name.key_id)};
		bool nulls[3 + USE_COLUMNS] = {false};

		fill_uses(&copies[i], values + 2, nulls + 2);
		values[2 + USE_COLUMNS] = TimestampTzGetDatum(copies[i].flushed_at);
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
	LWLock *lock;

	if (usages == NULL)
		PG_RETURN_VOID();
	lock = lock_of(set_of(&name));
	LWLockAcquire(lock, LW_EXCLUSIVE);
	slot = find_slot(&name);
	if (slot != NULL)
		slot->flushed_at = Max(slot->flushed_at, at);
	LWLockRelease(lock);
	PG_RETURN_VOID();
}

/* ---- Showing and flushing counts ---- */

static KeyHour
copy_hour(const Usage *slot, const Hour *hour)
{
	KeyHour copy = {.name = slot->name, .began = hour->began};

	for (int i = 0; i < WA_OUTCOMES; i++)
		copy.counts[i] = pg_atomic_read_u32((pg_atomic_uint32 *) &hour->counts[i]);
	return copy;
}

/*
 * Copies this database's counts of a set, as many as there is room for, and returns how many.
 * The lock is held, or shared.  A caller who takes them sets *number, which they are added to,
 * and holds the lock alone.
 */
static void
copy_hours(Usage *slots, KeyHour *copies, int *number, int max, bool take)
{
	for (int i = 0; i < SLOTS * HOURS && *number < max; i++)
	{
		Usage *slot = &slots[i / HOURS];
		Hour *hour = &slot->hours[i % HOURS];

		if (slot->database != MyDatabaseId || !has_counts(hour))
			continue;
		copies[(*number)++] = copy_hour(slot, hour);
		for (int outcome = 0; outcome < WA_OUTCOMES && take; outcome++)
			pg_atomic_write_u32(&hour->counts[outcome], 0);
	}
}

static void
put_hours(ReturnSetInfo *result, const KeyHour *hours, int count)
{
	for (int i = 0; i < count; i++)
	{
		Datum values[3 + WA_OUTCOMES] = {UUIDPGetDatum(&hours[i].name.org_id),
										 UUIDPGetDatum(&hours[i].name.key_id),
										 TimestampTzGetDatum(hours[i].began)};
		bool nulls[3 + WA_OUTCOMES] = {false};

		for (int outcome = 0; outcome < WA_OUTCOMES; outcome++)
			values[3 + outcome] = Int64GetDatum(hours[i].counts[outcome]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* wa.unflushed_key_hours(): the counts in memory, which no flush has taken. */
Datum
wa_unflushed_key_hours(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	KeyHour *copies;
	int count = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (usages == NULL)
		return (Datum) 0;
	copies = palloc(SETS * SLOTS * HOURS * sizeof(KeyHour));
	for (int set = 0; set < SETS; set++)
	{
		LWLockAcquire(lock_of(usages->slots[set]), LW_SHARED);
		copy_hours(usages->slots[set], copies, &count, SETS * SLOTS * HOURS, false);
		LWLockRelease(lock_of(usages->slots[set]));
	}
	put_hours(result, copies, count);
	pfree(copies);
	return (Datum) 0;
}

static void
give_back_hours(const void *items, int count)
{
	const KeyHour *hours = items;

	for (int i = 0; i < count; i++)
		add_counts_anew(&hours[i], GetCurrentStatementStartTimestamp());
}

/*
 * wa.take_key_hours(max): moves counts out of memory, those of at most so many hours of keys.  If
 * the transaction is rolled back, they come back.
 */
Datum
wa_take_key_hours(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int max = Min(PG_GETARG_INT32(0), SETS * SLOTS * HOURS);
	WaHandover *taken;
	uint32 place;

	InitMaterializedSRF(fcinfo, 0);
	if (usages == NULL || max < 1)
		return (Datum) 0;
	taken = wa_handover_begin(sizeof(KeyHour), max, give_back_hours);
	/* The next one begins where this one ends, so that each set has its turn. */
	place = pg_atomic_read_u32(&usages->place);
	for (int i = 0; i < SETS && taken->count < max; i++, place++)
	{
		Usage *slots = usages->slots[place % SETS];

		LWLockAcquire(lock_of(slots), LW_EXCLUSIVE);
		copy_hours(slots, taken->items, &taken->count, max, true);
		LWLockRelease(lock_of(slots));
	}
	pg_atomic_write_u32(&usages->place, place % SETS);
	put_hours(result, taken->items, taken->count);
	return (Datum) 0;
}
