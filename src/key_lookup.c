/*-------------------------------------------------------------------------
 *
 * key_lookup.c
 *		From an API key's digest to the principal that it stands for.
 *
 * A lookup is one probe of the digest index, made in C so that it needs no
 * grant, no plan and no policy on the key table.  It reads with the snapshot
 * that catalog scans use: always the latest one, in every isolation level and
 * also while a parallel plan runs.
 *
 * Verified keys are kept in a small cache of this backend.  What makes that
 * strict and not a matter of waiting: a trigger on the key table registers a
 * relation cache invalidation with every change, the server sends it when the
 * changing transaction commits, before the commit is reported to its client,
 * and wa_key_lookup() takes in all pending invalidations before it believes a
 * cached entry.  So a transaction that begins after revoke_key() returned
 * cannot see an entry from before.
 *
 * Invariants:
 * - An entry counts only if its generation is the current one.  The generation
 *   is taken before the row is read: a change that commits in between leaves
 *   the entry stale, never wrong.
 * - Nothing is cached by a transaction that has written anything: it might see
 *   its own changes, and they might roll back.
 * - Only positive answers are cached, so that guessing evicts at most.
 * - The table is direct mapped and of fixed size; a newer key takes the place
 *   of an older one with the same first digest bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "src/compatibility.h"
#include "src/key_lookup.h"

/* Bound of the cache: 1024 keys, about 100 kB in a backend that uses it. */
#define CACHE_SLOTS 1024

typedef struct CachedKey
{
	uint64 generation; /* 0: the slot is empty */
	uint8 digest[WA_DIGEST_LENGTH];
	WaPrincipal principal;
} CachedKey;

/* Where the key table is; looked up once, forgotten when it changes. */
typedef struct KeyTable
{
	Oid relation; /* InvalidOid: not looked up */
	Oid digest_index;
	AttrNumber org_id;
	AttrNumber id;
	AttrNumber digest;
	AttrNumber permissions;
	AttrNumber expires_at;
	AttrNumber revoked_at;
} KeyTable;

static CachedKey *cache = NULL;
static uint64 generation = 1;
static KeyTable key_table;

PG_FUNCTION_INFO_V1(wa_invalidate);

/*
 * Some relation changed.  InvalidOid means that messages were lost and any
 * relation may have.
 */
static void
relation_changed(Datum argument, Oid relation)
{
	if (relation == InvalidOid || key_table.relation == InvalidOid ||
		relation == key_table.relation)
	{
		generation++;
		key_table.relation = InvalidOid;
	}
}

void
wa_key_lookup_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}

uint64
wa_key_generation(void)
{
	AcceptInvalidationMessages();
	return generation;
}

static AttrNumber
column(Oid relation, const char *name)
{
	AttrNumber number = get_attnum(relation, name);

	if (number == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of wa.api_key does not exist", name)));
	return number;
}

/*
 * The key table's place.  A copy is returned, because opening the relation
 * can process an invalidation that clears the remembered one.
 */
static KeyTable
find_key_table(void)
{
	KeyTable found;
	Oid schema;

	if (key_table.relation != InvalidOid)
		return key_table;

	schema = get_namespace_oid("wa", false);
	found.relation = get_relname_relid("api_key", schema);
	found.digest_index = get_relname_relid("api_key_digest_key", schema);
	if (found.relation == InvalidOid || found.digest_index == InvalidOid)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("the key table of wa_apikeys does not exist"),
						errhint("Run CREATE EXTENSION wa_apikeys.")));
	found.org_id = column(found.relation, "org_id");
	found.id = column(found.relation, "id");
	found.digest = column(found.relation, "digest");
	found.permissions = column(found.relation, "permissions");
	found.expires_at = column(found.relation, "expires_at");
	found.revoked_at = column(found.relation, "revoked_at");
	key_table = found;
	return found;
}

/*
 * Fill a principal from a row of the key table; false if the key is revoked.
 */
static bool
principal_from_row(const KeyTable *table, HeapTuple row, TupleDesc columns, WaPrincipal *principal)
{
	bool is_null;
	Datum value;

	heap_getattr(row, table->revoked_at, columns, &is_null);
	if (!is_null)
		return false;

	principal->kind = WA_PRINCIPAL_KEY;
	value = heap_getattr(row, table->org_id, columns, &is_null);
	principal->org_id = *DatumGetUUIDP(value);
	value = heap_getattr(row, table->id, columns, &is_null);
	principal->id = *DatumGetUUIDP(value);
	value = heap_getattr(row, table->permissions, columns, &is_null);
	principal->permissions = DatumGetPermissions(value);
	value = heap_getattr(row, table->expires_at, columns, &is_null);
	principal->expires_at = is_null ? DT_NOEND : DatumGetTimestampTz(value);
	return true;
}

/* Read the key's row as it is committed now. */
static bool
read_key(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal)
{
	KeyTable table = find_key_table();
	Relation relation;
	SysScanDesc scan;
	ScanKeyData by_digest;
	HeapTuple row;
	bool found = false;
	struct
	{
		int32 header;
		uint8 bytes[WA_DIGEST_LENGTH];
	} wanted;

	SET_VARSIZE(&wanted, VARHDRSZ + WA_DIGEST_LENGTH);
	memcpy(wanted.bytes, digest, WA_DIGEST_LENGTH);
	ScanKeyInit(&by_digest, table.digest, BTEqualStrategyNumber, F_BYTEAEQ,
				PointerGetDatum(&wanted));

	relation = table_open(table.relation, AccessShareLock);
	scan = systable_beginscan(relation, table.digest_index, true, NULL, 1, &by_digest);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		found = principal_from_row(&table, row, RelationGetDescr(relation), principal);
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return found;
}

static CachedKey *
slot_of(const uint8 digest[WA_DIGEST_LENGTH])
{
	uint32 prefix;

	if (cache == NULL)
		cache = MemoryContextAllocZero(TopMemoryContext, CACHE_SLOTS * sizeof(CachedKey));
	memcpy(&prefix, digest, sizeof(prefix));
	return &cache[prefix % CACHE_SLOTS];
}

bool
wa_key_lookup(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal)
{
	uint64 current = wa_key_generation();
	CachedKey *slot = slot_of(digest);

	if (slot->generation == current && memcmp(slot->digest, digest, WA_DIGEST_LENGTH) == 0)
		*principal = slot->principal;
	else
	{
		if (!read_key(digest, principal))
			return false;
		if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		{
			slot->generation = current;
			memcpy(slot->digest, digest, WA_DIGEST_LENGTH);
			slot->principal = *principal;
		}
	}

	return principal->expires_at == DT_NOEND || principal->expires_at > GetCurrentTimestamp();
}

/*
 * Trigger function of the tables that backends cache: tells all of them, at
 * commit, that the table changed.
 */
Datum
wa_invalidate(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("wa.invalidate() must be called as a trigger")));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	PG_RETURN_POINTER(NULL);
}
