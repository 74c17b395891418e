/*-------------------------------------------------------------------------
 *
 * own_permissions.c
 *		Permissions that an administrator has defined beside the four.
 *
 * An own permission is a row of wa.own_permission: a name, and a number that
 * keys store and that is a bit of WaPermissions.  Policies and callers use the
 * name.
 *
 * Invariants:
 * - A number stands for one name for ever.  A permission that is dropped keeps
 *   its number, and one that is defined again under the same name gets another.
 *   So a key that had the former one does not have the new one, whatever was
 *   read when.
 * - A name counts only if a row that is not dropped has it now.  What this
 *   backend remembers of names is of a generation (row_lookup.c).
 * - An own name has a colon, which none of the four has.  Names are compared
 *   byte by byte, and none stands for others.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "src/compatibility.h"
#include "src/own_permissions.h"
#include "src/row_lookup.h"

/* The columns of both look-ups. */
enum
{
	OWN_KEY,
	OWN_NUMBER,
	OWN_NAME,
	OWN_DROPPED_AT
};

static WaLookupTable by_name = {
	.name = "own_permission",
	.index = "own_permission_name",
	.key_count = 1,
	.columns = {"name", "number", "name", "dropped_at"},
};

static WaLookupTable by_number = {
	.name = "own_permission",
	.index = "own_permission_pkey",
	.key_count = 1,
	.columns = {"number", "number", "name", "dropped_at"},
};

typedef struct KnownPermission
{
	uint64 generation; /* when a look-up found it; 0: not known */
	char name[WA_OWN_PERMISSION_NAME_MAX + 1];
} KnownPermission;

/* By number. */
static KnownPermission known[WA_OWN_PERMISSIONS_MAX];

static WaPermissions
bit_of_number(int number)
{
	return (WaPermissions) 1 << (WA_PERMISSION_COUNT + number);
}

/* Remembers a row that was found.  Returns its number, or -1 for one that is dropped. */
static int
take_row(const WaLookupRow *row, uint64 generation)
{
	int number = DatumGetInt16(row->values[OWN_NUMBER]);
	const char *name = TextDatumGetCString(row->values[OWN_NAME]);

	if (!row->nulls[OWN_DROPPED_AT] || number < 0 || number >= WA_OWN_PERMISSIONS_MAX)
		return -1;
	strlcpy(known[number].name, name, sizeof(known[number].name));
	known[number].generation = generation;
	return number;
}

/*
 * The error repeats only what has the form of a name: any other text may be a credential in the
 * wrong place.
 */
pg_noreturn static void
refuse_name(const char *name, size_t len)
{
	bool is_name = len <= WA_OWN_PERMISSION_NAME_MAX && memchr(name, ':', len) != NULL;

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 is_name ? errmsg("permission \"%.*s\" does not exist", (int) len, name)
					 : errmsg("own permission does not exist"),
			 is_name ? errhint("Administrators define own permissions by wa.define_permission().")
					 : errdetail("An own permission is written like invoices:write.")));
}

WaPermissions
wa_own_permission_bit(const char *name, size_t len)
{
	/* Before the look-up, so that no change is missed. */
	uint64 generation = wa_row_generation();
	WaLookupRow row;
	Datum key;
	int number;

	if (len > WA_OWN_PERMISSION_NAME_MAX || memchr(name, '\0', len) != NULL)
		refuse_name(name, len);
	for (int i = 0; i < WA_OWN_PERMISSIONS_MAX; i++)
		if (known[i].generation == generation && strncmp(known[i].name, name, len) == 0 &&
			known[i].name[len] == '\0')
			return bit_of_number(i);

	key = PointerGetDatum(cstring_to_text_with_len(name, len));
	number = wa_row_find(&by_name, &key, &row) ? take_row(&row, generation) : -1;
	if (number < 0)
		refuse_name(name, len);
	return bit_of_number(number);
}

const char *
wa_own_permission_name(WaPermissions single_bit)
{
	uint64 generation = wa_row_generation();

	for (int i = 0; i < WA_OWN_PERMISSIONS_MAX; i++)
	{
		WaLookupRow row;
		Datum key = Int16GetDatum(i);

		if (single_bit != bit_of_number(i))
			continue;
		if (known[i].generation == generation ||
			(wa_row_find(&by_number, &key, &row) && take_row(&row, generation) == i))
			return known[i].name;
	}
	return NULL;
}

/* The permission of this name: one of the four, or an own one. */
static WaPermissions
permission_named(const text *name)
{
	const char *bytes = VARDATA_ANY(name);
	size_t len = VARSIZE_ANY_EXHDR(name);
	WaPermissions bit = wa_permission_bit_of_name(bytes, len);

	return bit != 0 ? bit : wa_own_permission_bit(bytes, len);
}

WaPermissions
wa_permissions_named(ArrayType *names)
{
	WaPermissions result = 0;
	Datum *elements;
	bool *nulls;
	int count;

	if (ArrayGetNItems(ARR_NDIM(names), ARR_DIMS(names)) > WA_PERMISSION_NAMES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a permission set must have at most %d names", WA_PERMISSION_NAMES_MAX)));
	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("permission must not be null")));
		result |= permission_named(DatumGetTextPP(elements[i]));
	}
	return result;
}

Oid
wa_own_permission_table(void)
{
	return get_relname_relid("own_permission", get_namespace_oid("wa", false));
}
