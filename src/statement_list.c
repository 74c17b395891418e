/*-------------------------------------------------------------------------
 *
 * statement_list.c
 *		The statements that sealed roles may run.
 *
 * The list is the table wa.statement.  The install script fills it from
 * gateway/statements.  A backend reads the list once and keeps digests and
 * parameter types.  It reads it again only after the table has changed: a
 * trigger invalidates it, as on the key table.  In a database without the
 * extension the list is empty, and sealed roles can do nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "src/compatibility.h"
#include "src/statement_list.h"

/* Several times what all endpoints need.  More statements are an error. */
#define STATEMENTS_MAXIMUM 1024

static const struct
{
	const char *name;
	WaSealedRoles bit;
} sealed_roles[] = {
	{"wa_gateway", WA_SEALED_GATEWAY},
	{"wa_worker", WA_SEALED_WORKER},
	{"wa_connector", WA_SEALED_CONNECTOR},
};

static WaStatement *list = NULL;
static int listed = 0;
static bool list_is_current = false;
static bool changed_while_reading = false;
static Oid list_relation = InvalidOid;

static void
relation_changed(Datum argument, Oid relation)
{
	if (relation == InvalidOid || list_relation == InvalidOid || relation == list_relation)
	{
		list_is_current = false;
		changed_while_reading = true;
	}
}

void
wa_statement_list_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}

WaSealedRoles
wa_sealed_roles_of(Oid role)
{
	WaSealedRoles result = 0;

	for (size_t i = 0; i < lengthof(sealed_roles); i++)
	{
		Oid sealed = get_role_oid(sealed_roles[i].name, true);

		if (OidIsValid(sealed) && is_member_of_role_nosuper(role, sealed))
			result |= sealed_roles[i].bit;
	}
	return result;
}

static WaSealedRoles
sealed_role_by_name(const char *name)
{
	for (size_t i = 0; i < lengthof(sealed_roles); i++)
		if (strcmp(sealed_roles[i].name, name) == 0)
			return sealed_roles[i].bit;
	return 0;
}

/* The columns of wa.statement, with their numbers in the table. */
typedef struct Columns
{
	AttrNumber role_name;
	AttrNumber digest;
	AttrNumber parameters;
} Columns;

/*
 * Takes the parameter types of a row.  Returns false if they cannot be those of a statement;
 * nobody can then run the statement of this row.
 */
static bool
take_parameters(ArrayType *types, WaStatement *statement)
{
	if (ARR_ELEMTYPE(types) != REGTYPEOID || ARR_NDIM(types) > 1 || ARR_HASNULL(types))
		return false;
	statement->parameter_count = ArrayGetNItems(ARR_NDIM(types), ARR_DIMS(types));
	if (statement->parameter_count > WA_STATEMENT_PARAMETERS_MAX)
		return false;
	memcpy(statement->parameters, ARR_DATA_PTR(types), statement->parameter_count * sizeof(Oid));
	return true;
}

/* Adds one row of wa.statement to the list. */
static void
take_row(HeapTuple row, TupleDesc columns, const Columns *at)
{
	bool is_null;
	Datum role = heap_getattr(row, at->role_name, columns, &is_null);
	bytea *digest = DatumGetByteaPP(heap_getattr(row, at->digest, columns, &is_null));
	ArrayType *types = DatumGetArrayTypeP(heap_getattr(row, at->parameters, columns, &is_null));
	WaStatement *next = &list[listed];

	if (listed == STATEMENTS_MAXIMUM)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many registered statements"),
				 errdetail("At most %d can be registered.", STATEMENTS_MAXIMUM)));
	if (VARSIZE_ANY_EXHDR(digest) != WA_DIGEST_LENGTH || !take_parameters(types, next))
		return;
	next->role = sealed_role_by_name(NameStr(*DatumGetName(role)));
	memcpy(next->digest, VARDATA_ANY(digest), WA_DIGEST_LENGTH);
	listed++;
}

/*
 * The list's table, or InvalidOid.  It must belong to the extension: in a database without the
 * extension, any role that can make a schema could make a table wa.statement.
 */
static Oid
find_table(void)
{
	Oid extension = get_extension_oid("wa_apikeys", true);
	Oid schema = get_namespace_oid("wa", true);
	Oid table = OidIsValid(schema) ? get_relname_relid("statement", schema) : InvalidOid;

	if (!OidIsValid(extension) || !OidIsValid(table) ||
		getExtensionOfObject(RelationRelationId, table) != extension)
		return InvalidOid;
	return table;
}

static void
read_list(void)
{
	Oid table = find_table();
	Relation relation;
	SysScanDesc scan;
	HeapTuple row;
	Columns at;

	listed = 0;
	list_relation = table;
	if (!OidIsValid(table))
		return;
	if (list == NULL)
		list = MemoryContextAlloc(TopMemoryContext, STATEMENTS_MAXIMUM * sizeof(WaStatement));

	relation = table_open(table, AccessShareLock);
	/* Changes from here on make the list stale again, even if they have been read already. */
	changed_while_reading = false;
	at.role_name = get_attnum(table, "role_name");
	at.digest = get_attnum(table, "digest");
	at.parameters = get_attnum(table, "parameters");
	scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		take_row(row, RelationGetDescr(relation), &at);
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	list_is_current = !changed_while_reading;
}

static const WaStatement *
find_listed(WaSealedRoles roles, const char *text)
{
	uint8 digest[WA_DIGEST_LENGTH];

	wa_sha256(text, strlen(text), digest);
	for (int i = 0; i < listed; i++)
		if ((list[i].role & roles) != 0 && memcmp(list[i].digest, digest, WA_DIGEST_LENGTH) == 0)
			return &list[i];
	return NULL;
}

const WaStatement *
wa_statement_find(WaSealedRoles roles, const char *text)
{
	AcceptInvalidationMessages();
	if (!list_is_current)
		read_list();
	return find_listed(roles, text);
}

bool
wa_statement_was_listed(WaSealedRoles roles, const char *text)
{
	return find_listed(roles, text) != NULL;
}
