/*-------------------------------------------------------------------------
 *
 * permissions.c
 *		wa.permissions, a set of the four permissions, and its operators.
 *
 * A value is a bit set in 32 bits that is passed by value.  Only its four
 * lowest bits are ever set.  The text and the binary input function check that,
 * so that no other code has to.
 *
 * The text form is canonical: {read,send,manage,events} in this order.  Input
 * may have white space around names and may repeat names, but it has no other
 * spelling and no quoting.  The name of a single permission is the set of that
 * one.  An array of these names has the same text form, so the casts from and
 * to text[] and wa.permission[] go through the text form and accept what it
 * accepts.
 *
 * There is equality and a hash, but no order: a set of permissions is not less
 * than another one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "src/compatibility.h"
#include "src/permissions.h"

#define KNOWN_PERMISSIONS "The permissions are read, send, manage, and events."

/* In canonical order: the index is the bit's number. */
static const char *const names[WA_PERMISSION_COUNT] = {"read", "send", "manage", "events"};

/* The enum's values by bit number; InvalidOid if a value has not been looked up yet. */
static Oid enum_values[WA_PERMISSION_COUNT];
static bool callback_registered = false;
static uint64 enum_generation = 0; /* number of invalidations */

PG_FUNCTION_INFO_V1(wa_permissions_in);
PG_FUNCTION_INFO_V1(wa_permissions_out);
PG_FUNCTION_INFO_V1(wa_permissions_recv);
PG_FUNCTION_INFO_V1(wa_permissions_send);
PG_FUNCTION_INFO_V1(wa_permissions_contains);
PG_FUNCTION_INFO_V1(wa_permissions_contained);
PG_FUNCTION_INFO_V1(wa_permissions_overlaps);
PG_FUNCTION_INFO_V1(wa_permissions_eq);
PG_FUNCTION_INFO_V1(wa_permissions_ne);
PG_FUNCTION_INFO_V1(wa_permissions_hash);
PG_FUNCTION_INFO_V1(wa_permissions_hash_extended);

WaPermissions
wa_permission_bit_of_name(const char *name, size_t len)
{
	for (int i = 0; i < WA_PERMISSION_COUNT; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return (WaPermissions) 1 << i;
	return 0;
}

const char *
wa_permission_name(WaPermissions single_bit)
{
	for (int i = 0; i < WA_PERMISSION_COUNT; i++)
		if (single_bit == (WaPermissions) 1 << i)
			return names[i];
	elog(ERROR, "not a single permission: " UINT64_FORMAT, single_bit);
	return NULL;
}

/* ---- The enum ---- */

static void
forget_enum_values(Datum arg, int cache_id, uint32 hash_value)
{
	memset(enum_values, 0, sizeof(enum_values));
	enum_generation++;
}

/* Whether "type" is wa.permission. */
static bool
is_permission_type(Oid type)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type form;
	bool result;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_type) GETSTRUCT(tuple);
	result = strcmp(NameStr(form->typname), "permission") == 0 &&
			 form->typnamespace == get_namespace_oid("wa", true);
	ReleaseSysCache(tuple);
	return result;
}

/* Looks up an enum value in the catalog: its bit, or 0 for an unknown value. */
static WaPermissions
look_up_permission(Oid enum_value)
{
	HeapTuple tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(enum_value));
	Form_pg_enum form;
	WaPermissions bit = 0;

	if (!HeapTupleIsValid(tuple))
		return 0;
	form = (Form_pg_enum) GETSTRUCT(tuple);
	if (is_permission_type(form->enumtypid))
		bit = wa_permission_bit_of_name(NameStr(form->enumlabel), strlen(NameStr(form->enumlabel)));
	ReleaseSysCache(tuple);
	return bit;
}

WaPermissions
wa_permission_bit(Oid enum_value)
{
	WaPermissions bit;
	uint64 generation;

	for (int i = 0; i < WA_PERMISSION_COUNT && OidIsValid(enum_value); i++)
		if (enum_values[i] == enum_value)
			return (WaPermissions) 1 << i;

	/* Before the look-up, so that no invalidation is missed. */
	if (!callback_registered)
	{
		CacheRegisterSyscacheCallback(ENUMOID, forget_enum_values, (Datum) 0);
		callback_registered = true;
	}

	generation = enum_generation;
	bit = look_up_permission(enum_value);
	if (bit == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid permission"),
						errdetail(KNOWN_PERMISSIONS)));

	/* Not if the catalog has changed while it was read. */
	for (int i = 0; i < WA_PERMISSION_COUNT && generation == enum_generation; i++)
		if (bit == (WaPermissions) 1 << i)
			enum_values[i] = enum_value;
	return bit;
}

/* ---- Text and binary form ---- */

#define WHITE_SPACE " \t\n\r\v\f"

/*
 * The length of the name at "text": up to a comma or a brace, without the white space before
 * that.
 */
static size_t
name_len(const char *text)
{
	size_t len = strcspn(text, ",{}");

	while (len > 0 && strchr(WHITE_SPACE, text[len - 1]) != NULL)
		len--;
	return len;
}

static const char *
skip_white_space(const char *text)
{
	return text + strspn(text, WHITE_SPACE);
}

/* The bit of a text that is the name of one permission and nothing else, or 0. */
static WaPermissions
bit_of_lone_name(const char *text)
{
	size_t len = name_len(text);

	return *skip_white_space(text + len) == '\0' ? wa_permission_bit_of_name(text, len) : 0;
}

/*
 * wa.permissions_in(cstring).  An error message repeats only what stands in braces: any other
 * text may be a credential in the wrong place.
 */
Datum
wa_permissions_in(PG_FUNCTION_ARGS)
{
	const char *input = PG_GETARG_CSTRING(0);
	const char *at = skip_white_space(input);
	WaPermissions result = bit_of_lone_name(at);
	bool well_formed = *at == '{';
	int count = 0;

	if (result != 0)
		PG_RETURN_PERMISSIONS(result);
	if (well_formed)
		at = skip_white_space(at + 1);

	/* Each turn reads a name, and the comma behind it if there is one. */
	while (well_formed && *at != '}')
	{
		size_t len = name_len(at);
		WaPermissions bit = wa_permission_bit_of_name(at, len);

		if (len > 0 && bit == 0)
			refuse_input(fcinfo, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
								  errmsg("invalid permission: \"%.*s\"",
										 pg_mbcliplen(at, (int) len, NAMEDATALEN - 1), at),
								  errdetail(KNOWN_PERMISSIONS)));
		if (++count > WA_PERMISSION_NAMES_MAX)
			refuse_input(fcinfo, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
								  errmsg("a permission set must have at most %d names",
										 WA_PERMISSION_NAMES_MAX)));
		result |= bit;
		at = skip_white_space(at + len);
		if (*at == ',')
		{
			at = skip_white_space(at + 1);
			well_formed = len > 0 && *at != '}';
		}
		else
			well_formed = len > 0 && *at == '}';
	}

	if (!well_formed || *skip_white_space(at + 1) != '\0')
		refuse_input(
			fcinfo,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("malformed permission set"),
			 errdetail("A permission set is written as {read,send}, or as the name of one.")));
	PG_RETURN_PERMISSIONS(result);
}

/* wa.permissions_out(wa.permissions) */
Datum
wa_permissions_out(PG_FUNCTION_ARGS)
{
	WaPermissions set = PG_GETARG_PERMISSIONS(0);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoChar(&text, '{');
	for (int i = 0; i < WA_PERMISSION_COUNT; i++)
		if (set & (WaPermissions) 1 << i)
			appendStringInfo(&text, "%s%s", text.len > 1 ? "," : "", names[i]);
	appendStringInfoChar(&text, '}');
	PG_RETURN_CSTRING(text.data);
}

/*
 * wa.permissions_recv(internal): the bit set as a 32-bit integer.  Some drivers ask for every
 * value in binary form, and COPY and logical replication may do so too.
 */
Datum
wa_permissions_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	WaPermissions set = pq_getmsgint(buf, 4);

	if (set & ~WA_PERMISSIONS_BUILT_IN)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("invalid permission set in external binary form")));
	PG_RETURN_PERMISSIONS(set);
}

/* wa.permissions_send(wa.permissions) */
Datum
wa_permissions_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint32(&buf, PG_GETARG_PERMISSIONS(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* ---- Set operators ---- */

Datum
wa_permissions_contains(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL((PG_GETARG_PERMISSIONS(1) & ~PG_GETARG_PERMISSIONS(0)) == 0);
}

Datum
wa_permissions_contained(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL((PG_GETARG_PERMISSIONS(0) & ~PG_GETARG_PERMISSIONS(1)) == 0);
}

Datum
wa_permissions_overlaps(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL((PG_GETARG_PERMISSIONS(0) & PG_GETARG_PERMISSIONS(1)) != 0);
}

/* ---- Equality and hash ---- */

Datum
wa_permissions_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_PERMISSIONS(0) == PG_GETARG_PERMISSIONS(1));
}

Datum
wa_permissions_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_PERMISSIONS(0) != PG_GETARG_PERMISSIONS(1));
}

Datum
wa_permissions_hash(PG_FUNCTION_ARGS)
{
	return hash_uint32(PG_GETARG_PERMISSIONS(0));
}

Datum
wa_permissions_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_uint32_extended(PG_GETARG_PERMISSIONS(0), PG_GETARG_INT64(1));
}
