/*-------------------------------------------------------------------------
 *
 * key_lookup.c
 *		API keys: what a row of the key table stands for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

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
	.columns = {"org_id", "id", "permissions", "expires_at", "revoked_at", "disabled_at"},
};

/* The columns of keys_by_id. */
enum
{
	KEY_ORG_ID,
	KEY_ID,
	KEY_PERMISSIONS,
	KEY_EXPIRES_AT,
	KEY_REVOKED_AT,
	KEY_DISABLED_AT
};

/*
 * Switching a key on deletes its end and may change the row in the same transaction, so the
 * ends are looked at before the row (ended.c).
 */
bool
wa_key_read_by_id(const pg_uuid_t *org_id, const pg_uuid_t *id, WaPrincipal *principal)
{
	Datum keys[] = {UUIDPGetDatum(org_id), UUIDPGetDatum(id)};
	WaLookupRow row;

	if (wa_has_ended(org_id, id, "key") || wa_has_ended(org_id, id, "disabled") ||
		!wa_row_find(&keys_by_id, keys, &row) || !row.nulls[KEY_REVOKED_AT] ||
		!row.nulls[KEY_DISABLED_AT])
		return false;

	memset(principal, 0, sizeof(*principal));
	principal->kind = WA_PRINCIPAL_KEY;
	principal->org_id = *DatumGetUUIDP(row.values[KEY_ORG_ID]);
	principal->id = *DatumGetUUIDP(row.values[KEY_ID]);
	principal->permissions = DatumGetPermissions(row.values[KEY_PERMISSIONS]);
	principal->expires_at =
		row.nulls[KEY_EXPIRES_AT] ? DT_NOEND : DatumGetTimestampTz(row.values[KEY_EXPIRES_AT]);
	return true;
}

bool
wa_key_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal)
{
	WaLookupRow row;
	pg_uuid_t org_id;
	pg_uuid_t id;

	if (!wa_row_find_digest(&keys_by_digest, digest, &row))
		return false;
	org_id = *DatumGetUUIDP(row.values[1]);
	id = *DatumGetUUIDP(row.values[2]);
	return wa_key_read_by_id(&org_id, &id, principal);
}
