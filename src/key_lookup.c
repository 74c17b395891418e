/*-------------------------------------------------------------------------
 *
 * key_lookup.c
 *		API keys: what a row of the key table stands for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#include "src/compatibility.h"
#include "src/ended.h"
#include "src/key_lookup.h"
#include "src/row_lookup.h"

static WaLookupTable keys_by_digest = {
	.name = "api_key",
	.index = "api_key_digest_key",
	.key_count = 1,
	.columns = {"digest", "org_id", "id"},
};

static WaLookupTable keys_by_id = {
	.name = "api_key",
	.index = "api_key_pkey",
	.key_count = 2,
	.columns = {"org_id", "id", "permissions", "expires_at", "revoked_at", "disabled_at",
				"sessions", "addresses", "per_minute", "burst", "generation", "own_permissions",
				"is_test"},
};

/* The columns of keys_by_id. */
enum
{
	KEY_ORG_ID,
	KEY_ID,
	KEY_PERMISSIONS,
	KEY_EXPIRES_AT,
	KEY_REVOKED_AT,
	KEY_DISABLED_AT,
	KEY_SESSIONS,
	KEY_ADDRESSES,
	KEY_PER_MINUTE,
	KEY_BURST,
	KEY_GENERATION,
	KEY_OWN_PERMISSIONS,
	KEY_IS_TEST
};

/* What is no list of sessions, which the table prevents, reaches none. */
static void
take_sessions(Datum value, WaPrincipal *principal)
{
	ArrayType *list = DatumGetArrayTypeP(value);
	int count = ArrayGetNItems(ARR_NDIM(list), ARR_DIMS(list));
	bool is_list = ARR_ELEMTYPE(list) == UUIDOID && !ARR_HASNULL(list) && count <= WA_SESSIONS_MAX;

	principal->sessions = (const pg_uuid_t *) ARR_DATA_PTR(list);
	principal->session_count = is_list ? count : 0;
}

/*
 * Switching a key on deletes its end and may change the row in the same transaction, so the
 * ends are looked at before the row (ended.c).
 */
static WaKeyState
read_by_id(const pg_uuid_t *org_id, const pg_uuid_t *id, WaPrincipal *principal)
{
	Datum keys[] = {UUIDPGetDatum(org_id), UUIDPGetDatum(id)};
	bool is_revoked = wa_has_ended(org_id, id, "key");
	bool is_disabled = !is_revoked && wa_has_ended(org_id, id, "disabled");
	WaLookupRow row;

	if (is_revoked)
		return WA_KEY_REVOKED;
	if (!wa_row_find(&keys_by_id, keys, &row))
		return WA_KEY_UNKNOWN;
	if (!row.nulls[KEY_REVOKED_AT])
		return WA_KEY_REVOKED;
	if (is_disabled || !row.nulls[KEY_DISABLED_AT])
		return WA_KEY_DISABLED;

	memset(principal, 0, sizeof(*principal));
	principal->kind = WA_PRINCIPAL_KEY;
	principal->org_id = *DatumGetUUIDP(row.values[KEY_ORG_ID]);
	principal->id = *DatumGetUUIDP(row.values[KEY_ID]);
	principal->permissions = DatumGetPermissions(row.values[KEY_PERMISSIONS]) |
							 (WaPermissions) DatumGetInt64(row.values[KEY_OWN_PERMISSIONS])
								 << WA_PERMISSION_COUNT;
	principal->expires_at =
		row.nulls[KEY_EXPIRES_AT] ? DT_NOEND : DatumGetTimestampTz(row.values[KEY_EXPIRES_AT]);
	if (!row.nulls[KEY_SESSIONS])
		take_sessions(row.values[KEY_SESSIONS], principal);
	principal->networks =
		row.nulls[KEY_ADDRESSES] ? NULL : wa_networks_read(row.values[KEY_ADDRESSES]);
	if (!row.nulls[KEY_PER_MINUTE])
		principal->rate = (WakRate){DatumGetInt32(row.values[KEY_PER_MINUTE]),
									DatumGetInt32(row.values[KEY_BURST])};
	principal->generation = DatumGetInt32(row.values[KEY_GENERATION]);
	principal->is_test = DatumGetBool(row.values[KEY_IS_TEST]);
	return WA_KEY_FOUND;
}

bool
wa_key_read_by_id(const pg_uuid_t *org_id, const pg_uuid_t *id, WaPrincipal *principal)
{
	return read_by_id(org_id, id, principal) == WA_KEY_FOUND;
}

WaKeyState
wa_key_state(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal)
{
	WaLookupRow row;
	WaKeyState state;
	pg_uuid_t org_id;
	pg_uuid_t id;

	if (!wa_row_find_digest(&keys_by_digest, digest, &row))
		return WA_KEY_UNKNOWN;
	org_id = *DatumGetUUIDP(row.values[1]);
	id = *DatumGetUUIDP(row.values[2]);
	state = read_by_id(&org_id, &id, principal);
	principal->kind = WA_PRINCIPAL_KEY;
	principal->org_id = org_id;
	principal->id = id;
	return state;
}

bool
wa_key_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal)
{
	return wa_key_state(digest, principal) == WA_KEY_FOUND;
}
