/*-------------------------------------------------------------------------
 *
 * row_lookup.c
 *		Single rows, found through a unique index, as they are committed now.
 *
 * Everything that a credential stands for is read here: by one probe of a
 * unique index.  It is made in C, so that it needs no grant, no plan and no
 * policy on the table.  It uses the snapshot of catalog scans, which is always
 * the latest one, in every isolation level and also while a parallel plan runs.
 *
 * Callers may keep what they have made of the rows.  Three steps make sure that
 * they see every change.  Triggers on these tables register a relation cache
 * invalidation with each change that takes something away.  The server sends it
 * when the changing transaction commits, before that client is told of the
 * commit.  wa_row_generation() processes all pending invalidations before it
 * returns.  So a transaction that begins after revoke_key() has returned sees
 * another generation.
 *
 * Invariants:
 * - All these tables have one generation, because what a credential stands for
 *   can come from several of them.
 * - The generation is read before the rows.  If a change commits in between,
 *   what was kept is out of date by its generation and is read again.
 * - Changes of a table that this backend has not read since its last change do
 *   not count: nothing that is current was made of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "src/compatibility.h"
#include "src/row_lookup.h"
#include "src/secret.h"
#include "src/wake.h"

static uint64 generation = 1;
static WaLookupTable *tables = NULL;
static Snapshot without_own = NULL;

PG_FUNCTION_INFO_V1(wa_invalidate);

/*
 * Called when some relation has changed.  InvalidOid means that messages were lost, so any
 * relation may have changed.
 */
static void
relation_changed(Datum argument, Oid relation)
{
	for (WaLookupTable *table = tables; table != NULL; table = table->next)
		if (OidIsValid(table->relation) && (relation == InvalidOid || relation == table->relation))
		{
			generation++;
			table->relation = InvalidOid;
		}
}

void
wa_row_lookup_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}

uint64
wa_row_generation(void)
{
	AcceptInvalidationMessages();
	return generation;
}

static Oid
relation_named(const char *name, Oid schema)
{
	Oid relation = get_relname_relid(name, schema);

	if (!OidIsValid(relation))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation \"wa.%s\" of wa_apikeys does not exist", name),
						errhint("Run CREATE EXTENSION wa_apikeys.")));
	return relation;
}

static AttrNumber
column_named(Oid relation, const char *table, const char *name)
{
	AttrNumber number = get_attnum(relation, name);

	if (number == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of wa.%s does not exist", name, table)));
	return number;
}

/*
 * Where the table is.  This returns a copy, because opening the relation can process an
 * invalidation that clears the remembered one.
 */
static WaLookupTable
locate(WaLookupTable *table)
{
	WaLookupTable found = *table;
	Oid schema;

	if (OidIsValid(table->relation))
		return found;

	schema = get_namespace_oid("wa", false);
	found.relation = relation_named(table->name, schema);
	found.index_relation = relation_named(table->index, schema);
	for (int i = 0; i < WA_LOOKUP_COLUMNS_MAX && table->columns[i] != NULL; i++)
		found.numbers[i] = column_named(found.relation, table->name, table->columns[i]);

	if (!found.listed)
	{
		found.listed = true;
		found.next = tables;
		tables = table;
	}
	*table = found;
	return found;
}

static RegProcedure
equality_of(Oid type)
{
	switch (type)
	{
		case UUIDOID:
			return F_UUID_EQ;
		case INT2OID:
			return F_INT2EQ;
		case TEXTOID:
			return F_TEXTEQ;
		default:
			return F_BYTEAEQ;
	}
}

/* The keys of a scan.  They are compared by the types of their columns. */
static void
make_scan_keys(const WaLookupTable *table, TupleDesc columns, const Datum *keys,
			   ScanKeyData scan_keys[WA_LOOKUP_KEYS_MAX])
{
	for (int i = 0; i < table->key_count; i++)
	{
		Oid type = TupleDescAttr(columns, table->numbers[i] - 1)->atttypid;

		ScanKeyInit(&scan_keys[i], table->numbers[i], BTEqualStrategyNumber, equality_of(type),
					keys[i]);
	}
}

static void
copy_row(const WaLookupTable *table, HeapTuple tuple, TupleDesc columns, WaLookupRow *row)
{
	for (int i = 0; i < WA_LOOKUP_COLUMNS_MAX && table->columns[i] != NULL; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, table->numbers[i] - 1);

		row->values[i] = heap_getattr(tuple, table->numbers[i], columns, &row->nulls[i]);
		if (!row->nulls[i])
			row->values[i] = datumCopy(row->values[i], column->attbyval, column->attlen);
	}
}

static SysScanDesc
begin_scan(const WaLookupTable *place, Relation relation, const Datum *keys)
{
	ScanKeyData scan_keys[WA_LOOKUP_KEYS_MAX];

	make_scan_keys(place, RelationGetDescr(relation), keys, scan_keys);
	return systable_beginscan(relation, place->index_relation, true, without_own, place->key_count,
							  scan_keys);
}

/* In the snapshot of a command before the first one, this transaction has changed nothing. */
void
wa_row_begin_without_own(void)
{
	without_own = RegisterSnapshot(GetLatestSnapshot());
	without_own->curcid = FirstCommandId;
}

void
wa_row_end_without_own(void)
{
	UnregisterSnapshot(without_own);
	without_own = NULL;
}

bool
wa_row_find(WaLookupTable *table, const Datum *keys, WaLookupRow *row)
{
	WaLookupTable place = locate(table);
	Relation relation = table_open(place.relation, AccessShareLock);
	SysScanDesc scan = begin_scan(&place, relation, keys);
	HeapTuple tuple;
	bool found;

	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
		copy_row(&place, tuple, RelationGetDescr(relation), row);
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return found;
}

bool
wa_row_find_digest(WaLookupTable *table, const uint8 digest[WA_DIGEST_LENGTH], WaLookupRow *row)
{
	struct
	{
		int32 header;
		uint8 bytes[WA_DIGEST_LENGTH];
	} bytea_digest;
	Datum key = PointerGetDatum(&bytea_digest);

	SET_VARSIZE(&bytea_digest, VARHDRSZ + WA_DIGEST_LENGTH);
	memcpy(bytea_digest.bytes, digest, WA_DIGEST_LENGTH);
	return wa_row_find(table, &key, row);
}

bool
wa_row_find_secret(FunctionCallInfo fcinfo, WakKind kind, WaLookupTable *table, WaLookupRow *row)
{
	const WaSecret *secret = PG_ARGISNULL(0) ? NULL : PG_GETARG_SECRET_P(0);

	return secret != NULL && secret->kind == kind && wa_row_find_digest(table, secret->digest, row);
}

Datum
wa_row_answer(FunctionCallInfo fcinfo, const Datum *values)
{
	TupleDesc row_type;
	Datum answer[WA_LOOKUP_COLUMNS_MAX] = {0};
	bool nulls[WA_LOOKUP_COLUMNS_MAX];

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE ||
		row_type->natts > WA_LOOKUP_COLUMNS_MAX)
		elog(ERROR, "return type must be a row type");
	memset(nulls, values == NULL, sizeof(nulls));
	if (values != NULL)
		memcpy(answer, values, row_type->natts * sizeof(Datum));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), answer, nulls));
}

static Datum
value_in(const TriggerData *trigger, const char *column, bool *is_null)
{
	TupleDesc columns = RelationGetDescr(trigger->tg_relation);

	return heap_getattr(trigger->tg_trigtuple, SPI_fnumber(columns, column), columns, is_null);
}

static void
wake_org_in(const TriggerData *trigger, const char *column)
{
	bool is_null;
	Datum org_id = value_in(trigger, column, &is_null);

	/* A row without an organization has no listeners. */
	if (!is_null)
		wa_wake_org(DatumGetUUIDP(org_id));
}

static WaLookupTable memberships = {
	.name = "member",
	.index = "member_of_user",
	.key_count = 1,
	.columns = {"user_id", "org_id"},
};

/* Wakes the organizations that a person is a member of. */
static void
wake_orgs_of(Datum person)
{
	WaLookupTable place = locate(&memberships);
	Relation members = table_open(place.relation, AccessShareLock);
	SysScanDesc scan = begin_scan(&place, members, &person);
	HeapTuple tuple;
	bool is_null;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		wa_wake_org(DatumGetUUIDP(
			heap_getattr(tuple, place.numbers[1], RelationGetDescr(members), &is_null)));
	systable_endscan(scan);
	table_close(members, AccessShareLock);
}

/*
 * Tells those who wait for events, because sockets that depend on the changed row must be
 * closed.  They are the sockets of the row's organization or of the person's organizations, as
 * the trigger says.  A trigger without a row wakes everybody.
 */
static void
wake_listeners(const TriggerData *trigger)
{
	const char *whose = trigger->tg_trigger->tgnargs > 0 ? trigger->tg_trigger->tgargs[0] : "";
	bool is_null;

	if (trigger->tg_trigtuple == NULL)
		wa_wake_org(NULL);
	else if (strcmp(whose, "person") == 0)
		wake_orgs_of(value_in(trigger, "id", &is_null));
	else if (strcmp(whose, "user_id") == 0)
		wake_orgs_of(value_in(trigger, "user_id", &is_null));
	else if (whose[0] != '\0')
		wake_org_in(trigger, whose);
}

/*
 * Trigger function of the tables that backends cache.  It tells all backends, at commit, that
 * the table has changed, and makes the commit wait for the disk, whatever synchronous_commit
 * says.  Its argument is the column with the organization whose sockets depend on the row, or
 * "user_id" if these are the sockets of that person, or "person" if the row is one.  It has no
 * argument if no sockets depend on the table.
 */
Datum
wa_invalidate(PG_FUNCTION_ARGS)
{
	const TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("wa.invalidate() must be called as a trigger")));
	CacheInvalidateRelcache(trigger->tg_relation);
	/* What was taken away, and confirmed, must not be there again after a crash. */
	ForceSyncCommit();
	wake_listeners(trigger);
	PG_RETURN_POINTER(NULL);
}
