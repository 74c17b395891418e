/*-------------------------------------------------------------------------
 *
 * event_wait.c
 *		Waiting for events, and what those who wait are told.
 *
 * When an organization is active is private to that organization.  A gateway
 * hands over the credentials of its sockets.  It is told of changes of their
 * organizations only, and it does not learn whether or how many others have
 * changed.  A credential is verified when it is handed over, and again each
 * time before a change is reported.  The events themselves are read from the
 * tables, under the socket's own credential.
 *
 * The connection remembers what was handed over, so that the cost of a wait
 * depends on the number of changes and not on the number of sockets.  The
 * memory belongs to one gateway, which names itself by a random value.
 * Somebody who injects a statement into the connection and does not know that
 * name finds nothing there.
 *
 * A worker must learn that something has changed, in order to claim deliveries.
 * It is told which organizations these were only for what it has claimed
 * (wa.wait_for_deliveries()).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/ilist.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "src/common/memory.h"
#include "src/compatibility.h"
#include "src/credential.h"
#include "src/row_lookup.h"
#include "src/secret.h"
#include "src/wake.h"

/* The longest wait.  A caller that wants to wait longer calls again. */
#define WAIT_MAX_MS 5000

/* The most sockets that one call can hand over. */
#define HANDED_MAX 64

/* The most organizations that one connection watches. */
#define WATCHED_MAX 65536
/* From this number on, organizations whose credentials have ended are looked for and removed. */
#define SWEEP_MIN 1024

/* An organization that this connection watches. */
typedef struct Watched
{
	pg_uuid_t org_id; /* the key */
	WakKind kind;     /* of the credential that opens it */
	uint8 digest[WA_DIGEST_LENGTH];
	bool changed;          /* a change is still to be reported */
	dlist_node in_to_tell; /* in to_tell, if changed */
} Watched;

/* What this connection watches, for which gateway, and up to which generation it has looked. */
static HTAB *watched = NULL;
static pg_uuid_t watcher;
static uint64 watched_until = 0;
static uint64 heard = 0;                                /* knocks for this gateway that were seen */
static dlist_head to_tell = DLIST_STATIC_INIT(to_tell); /* organizations that have changed */
static long sweep_at = SWEEP_MIN;

PG_FUNCTION_INFO_V1(wa_wait_for_events);
PG_FUNCTION_INFO_V1(wa_wait_for_change);

/* The end of a wait of this many milliseconds; NULL means no wait. */
static TimestampTz
end_of_wait(FunctionCallInfo fcinfo, int argument)
{
	int timeout_ms = PG_ARGISNULL(argument) ? 0 : PG_GETARG_INT32(argument);

	return TimestampTzPlusMilliseconds(GetCurrentTimestamp(), Min(Max(timeout_ms, 0), WAIT_MAX_MS));
}

/* ---- What a gateway waits for ---- */

/* Whether a credential may listen.  Sets *org_id to its organization. */
static bool
opens(WakKind kind, const uint8 digest[WA_DIGEST_LENGTH], pg_uuid_t *org_id)
{
	WaPrincipal principal;

	if (!wa_credential_lookup(kind, digest, &principal) ||
		(principal.permissions & WA_PERMISSION_EVENTS) == 0)
		return false;
	*org_id = principal.org_id;
	return true;
}

/* Whether the credential by which the organization is watched may still listen. */
static bool
is_open(const Watched *org)
{
	pg_uuid_t org_id;

	return opens(org->kind, org->digest, &org_id) &&
		   memcmp(&org_id, &org->org_id, sizeof(pg_uuid_t)) == 0;
}

static void
mark(Watched *org)
{
	if (org->changed)
		return;
	org->changed = true;
	dlist_push_tail(&to_tell, &org->in_to_tell);
}

static void
unmark(Watched *org)
{
	if (!org->changed)
		return;
	org->changed = false;
	dlist_delete(&org->in_to_tell);
}

static void
forget(Watched *org)
{
	unmark(org);
	hash_search(watched, &org->org_id, HASH_REMOVE, NULL);
}

/*
 * Forgets everything unless this connection already watches for the same gateway.  Returns
 * whether it does.
 */
static bool
take_up(const pg_uuid_t *gateway)
{
	HASHCTL table = {.keysize = sizeof(pg_uuid_t), .entrysize = sizeof(Watched)};

	if (watched != NULL && wak_equal(watcher.data, gateway->data, UUID_LEN))
		return true;
	dlist_init(&to_tell);
	hash_destroy(watched);
	watched = NULL;
	table.hcxt = TopMemoryContext;
	watched =
		hash_create("wa_apikeys watched", SWEEP_MIN, &table, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	watcher = *gateway;
	watched_until = wa_wake_generation();
	heard = wa_wake_knocks(&watcher);
	sweep_at = SWEEP_MIN;
	return false;
}

/*
 * Frees entries.  The credentials of organizations that have not changed for long may have
 * ended.
 */
static void
sweep(void)
{
	HASH_SEQ_STATUS walk;
	Watched *org;

	if (hash_get_num_entries(watched) < sweep_at)
		return;
	hash_seq_init(&walk, watched);
	while ((org = hash_seq_search(&walk)) != NULL)
		if (!is_open(org))
			forget(org);
	sweep_at = Max(SWEEP_MIN, 2 * hash_get_num_entries(watched));
	if (hash_get_num_entries(watched) >= WATCHED_MAX)
		ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
						errmsg("too many organizations are watched")));
}

/* Watches the organization of a credential.  A credential that is not valid is ignored. */
static void
watch(const WaSecret *secret)
{
	pg_uuid_t org_id;
	Watched *org;
	bool is_known;

	if (!opens((WakKind) secret->kind, secret->digest, &org_id))
		return;
	sweep();
	org = hash_search(watched, &org_id, HASH_ENTER, &is_known);
	if (!is_known)
		org->changed = false;
	org->kind = (WakKind) secret->kind;
	memcpy(org->digest, secret->digest, WA_DIGEST_LENGTH);
	/* A change from before the watch began must be reported too. */
	mark(org);
}

/* Returns whether there was any credential, valid or not. */
static bool
watch_all(ArrayType *secrets)
{
	ArrayIterator at = array_create_iterator(secrets, 0, NULL);
	bool any = false;
	Datum secret;
	bool is_null;

	while (array_iterate(at, &secret, &is_null))
		if (!is_null)
		{
			watch(DatumGetSecretP(secret));
			any = true;
		}
	array_free_iterator(at);
	return any;
}

static void
mark_all(void)
{
	HASH_SEQ_STATUS walk;
	Watched *org;

	hash_seq_init(&walk, watched);
	while ((org = hash_seq_search(&walk)) != NULL)
		mark(org);
}

/* Whether somebody has knocked since the last call. */
static bool
is_knocked(void)
{
	uint64 before = heard;

	heard = wa_wake_knocks(&watcher);
	return heard != before;
}

/* Marks the organizations that have changed.  Returns true if that, or a knock, ends the wait. */
static bool
mark_changed(void)
{
	WaChange chunk[WA_CHANGES_CHUNK];
	bool over = is_knocked() || !dlist_is_empty(&to_tell);
	int count;

	while ((count = wa_wake_changes(&watched_until, chunk)) > 0)
		for (int i = 0; i < count; i++)
		{
			Watched *org = NULL;

			if (chunk[i].kind == WA_CHANGE_EVERYBODY)
				mark_all();
			else
				org = hash_search(watched, &chunk[i].id, HASH_FIND, NULL);
			if (org != NULL)
				mark(org);
			over |= org != NULL || chunk[i].kind == WA_CHANGE_EVERYBODY;
		}
	return over;
}

static void
put_row(ReturnSetInfo *result, const pg_uuid_t *org_id, bool flag)
{
	Datum values[2] = {UUIDPGetDatum(org_id), BoolGetDatum(flag)};
	bool nulls[2] = {org_id == NULL, false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * Reports the changes.  If the credential of an organization has ended, this reports once that
 * the organization is not watched any more, and nothing after that.
 */
static void
tell_changed(ReturnSetInfo *result)
{
	while (!dlist_is_empty(&to_tell))
	{
		Watched *org = dlist_head_element(Watched, in_to_tell, &to_tell);
		bool open = is_open(org);

		unmark(org);
		put_row(result, &org->org_id, open);
		if (!open)
			forget(org);
	}
}

/* Waits until something that is watched has changed, or the time is over. */
static void
wait_for_own_change(TimestampTz end)
{
	bool over = mark_changed();

	while (!over && GetCurrentTimestamp() < end)
	{
		wa_wake_sleep(watched_until, &watcher, heard, end);
		over = mark_changed();
		if (!over)
			wa_wake_pause();
	}
}

static void
check_handed(ArrayType *sockets)
{
	if (ArrayGetNItems(ARR_NDIM(sockets), ARR_DIMS(sockets)) > HANDED_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("more than %d sockets cannot be handed over at once", HANDED_MAX)));
}

/*
 * wa.wait_for_events(gateway, sockets, timeout_ms): begins to watch the organizations of these
 * sockets too, and waits until one of the watched organizations has changed.  The first row has
 * no organization.  It says whether the connection still knows what the gateway handed over
 * earlier.  Then comes a row for each organization that has changed or was added, with whether
 * it is still watched.
 */
Datum
wa_wait_for_events(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz end = end_of_wait(fcinfo, 2);
	ArrayType *sockets = PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1);
	bool handed = false;
	bool known;

	wa_wake_require_memory();
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("name of the gateway must not be null")));
	InitMaterializedSRF(fcinfo, 0);
	known = take_up(PG_GETARG_UUID_P(0));
	if (sockets != NULL)
	{
		check_handed(sockets);
		handed = watch_all(sockets);
	}
	/* What became of newly handed over sockets is reported at once, even if nothing has changed. */
	wait_for_own_change(known && !handed ? end : 0);
	put_row(result, NULL, known);
	tell_changed(result);
	return (Datum) 0;
}

/* ---- What a worker waits for ---- */

/* The organizations that have changed after *seen, which is moved on.  *everybody: any may have. */
static Datum
changed_orgs(uint64 *seen, bool *everybody)
{
	ArrayBuildState *orgs = initArrayResult(UUIDOID, CurrentMemoryContext, false);
	WaChange chunk[WA_CHANGES_CHUNK];
	int count;

	*everybody = false;
	while ((count = wa_wake_changes(seen, chunk)) > 0)
		for (int i = 0; i < count; i++)
		{
			*everybody |= chunk[i].kind == WA_CHANGE_EVERYBODY;
			if (chunk[i].kind == WA_CHANGE_ORG)
				accumArrayResult(orgs, UUIDPGetDatum(&chunk[i].id), false, UUIDOID,
								 CurrentMemoryContext);
		}
	return makeArrayResult(orgs, CurrentMemoryContext);
}

/*
 * wa.wait_for_change(seen, timeout_ms), for function bodies: waits until anything has changed.
 * Returns the generation, which is passed as "seen" the next time, and the organizations that
 * have changed since, or that any organization may have.
 */
Datum
wa_wait_for_change(PG_FUNCTION_ARGS)
{
	uint64 seen = PG_ARGISNULL(0) ? 0 : (uint64) PG_GETARG_INT64(0);
	bool everybody;
	Datum answer[3];

	wa_wake_require_memory();
	wa_wake_sleep(seen, NULL, 0, end_of_wait(fcinfo, 1));
	answer[1] = changed_orgs(&seen, &everybody);
	answer[0] = Int64GetDatum((int64) seen);
	answer[2] = BoolGetDatum(everybody);
	PG_RETURN_DATUM(wa_row_answer(fcinfo, answer));
}
