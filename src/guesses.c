/*-------------------------------------------------------------------------
 *
 * guesses.c
 *		How often keys were presented that nobody has.
 *
 * Guesses are counted by the first characters, those that a key shows.  Whoever
 * is guessed at has keys that begin like that: somebody may know the beginning
 * of a key from a log, and try the rest.  Somebody who guesses at random tries
 * a new beginning each time, so only the most frequent ones are kept.
 *
 * Invariants:
 * - The memory has a fixed number of slots.  If all are taken, the one with the
 *   lowest weight is given up, and the new beginning gets its weight and one
 *   more ("space saving").  So a beginning that makes up more than one of
 *   SLOTS guesses keeps its slot, however many others there are.  A weight is no
 *   count and is not shown.
 * - What a slot has counted when it is given up is added to the rest, which is
 *   the slot of the empty beginning.  So the counts together are all guesses.
 * - Counts leave memory when they are flushed, and come back if the transaction
 *   of the flush is rolled back (handover.c).
 * - Only keys in the written form of a key come here (wa.secret's input).
 * - The lock is held for one look at the slots.  Nothing under it can raise an
 *   error.
 *
 * A restart of the server loses what was not flushed.  Without
 * shared_preload_libraries there is no such memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lwlock.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "src/guesses.h"
#include "src/handover.h"
#include "src/shared_memory.h"

#define SLOTS 128

typedef struct Guess
{
	Oid database;                      /* InvalidOid: the slot is free */
	char beginning[WAK_SHOWN_MAX + 1]; /* empty: the rest */
	TimestampTz began;                 /* the hour */
	int64 count;                       /* that no flush has taken */
	int64 weight;                      /* at least the count */
} Guess;

typedef struct Guesses
{
	Guess slots[SLOTS];
} Guesses;

static Guesses *guesses = NULL;
static LWLock *lock = NULL;

PG_FUNCTION_INFO_V1(wa_take_guesses);

static void
attach_memory(void *memory, LWLockPadded *locks, bool is_new)
{
	guesses = memory;
	lock = &locks->lock;
}

void
wa_guesses_init(void)
{
	static WaSharedMemory wanted = {
		.name = "wa_apikeys_guesses",
		.size = sizeof(Guesses),
		.lock_count = 1,
		.attach = attach_memory,
	};

	wa_shared_memory_want(&wanted);
}

/* ---- Slots.  The lock is held. ---- */

/* The slot of the same beginning, hour and database, or NULL. */
static Guess *
find(const Guess *wanted)
{
	for (int i = 0; i < SLOTS; i++)
	{
		Guess *slot = &guesses->slots[i];

		if (slot->database == wanted->database && slot->began == wanted->began &&
			strcmp(slot->beginning, wanted->beginning) == 0)
			return slot;
	}
	return NULL;
}

/* A free slot, or otherwise the one with the lowest weight that is not a rest. */
static Guess *
lightest(void)
{
	Guess *found = NULL;

	for (int i = 0; i < SLOTS; i++)
	{
		Guess *slot = &guesses->slots[i];

		if (!OidIsValid(slot->database))
			return slot;
		if (slot->beginning[0] != '\0' && (found == NULL || slot->weight < found->weight))
			found = slot;
	}
	return found;
}

/* Frees a slot, or makes it that of the rest if there is none yet. */
static void
give_up(Guess *slot)
{
	Guess rest = {.database = slot->database, .began = slot->began};
	Guess *others = find(&rest);

	if (others == NULL)
		slot->beginning[0] = '\0';
	else
	{
		others->count += slot->count;
		memset(slot, 0, sizeof(*slot));
	}
}

/* Adds a count.  If there are rests everywhere, it is lost. */
static void
add(const Guess *added)
{
	Guess *slot = find(added);
	int64 weight = 0;

	while (slot == NULL)
	{
		Guess *room = lightest();

		if (room == NULL)
			return;
		if (!OidIsValid(room->database))
		{
			*room = *added;
			room->count = 0;
			room->weight = weight;
			slot = room;
		}
		else
		{
			weight = room->weight;
			give_up(room);
		}
	}
	slot->count += added->count;
	slot->weight += added->count;
}

void
wa_guesses_count(const WaSecret *secret)
{
	const TimestampTz now = GetCurrentStatementStartTimestamp();
	Guess added = {.database = MyDatabaseId, .began = now - now % USECS_PER_HOUR, .count = 1};

	if (guesses == NULL)
		return;
	snprintf(added.beginning, sizeof(added.beginning), "%s%.*s",
			 wak_kind_prefix((WakKind) secret->kind), WAK_SHOWN_DIGITS, secret->shown);
	LWLockAcquire(lock, LW_EXCLUSIVE);
	add(&added);
	LWLockRelease(lock);
}

/* ---- Flushing ---- */

static void
give_back_guesses(const void *items, int count)
{
	const Guess *given = items;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	for (int i = 0; i < count; i++)
		add(&given[i]);
	LWLockRelease(lock);
}

static void
take_all(WaHandover *taken)
{
	Guess *items = taken->items;

	LWLockAcquire(lock, LW_EXCLUSIVE);
	for (int i = 0; i < SLOTS; i++)
	{
		Guess *slot = &guesses->slots[i];

		if (slot->database != MyDatabaseId)
			continue;
		items[taken->count++] = *slot;
		memset(slot, 0, sizeof(*slot));
	}
	LWLockRelease(lock);
}

/*
 * wa.take_guesses(): moves the counts of this database out of memory.  If the transaction is
 * rolled back, they come back.
 */
Datum
wa_take_guesses(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	WaHandover *taken;
	const Guess *items;

	InitMaterializedSRF(fcinfo, 0);
	if (guesses == NULL)
		return (Datum) 0;
	taken = wa_handover_begin(sizeof(Guess), SLOTS, give_back_guesses);
	take_all(taken);
	items = taken->items;
	for (int i = 0; i < taken->count; i++)
	{
		Datum values[] = {TimestampTzGetDatum(items[i].began),
						  CStringGetTextDatum(items[i].beginning), Int64GetDatum(items[i].count)};
		bool nulls[3] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
