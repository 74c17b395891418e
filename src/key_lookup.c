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

/* Where both definitions have the same columns; their order differs. */
typedef struct KeyColumns
{
	int org_id;
	int id;
	int permissions;
	int expires_at;
	int revoked_at;
} KeyColumns;

static WaLookupTable keys_by_digest = {
	.name = "api_key",
	.index = "api_key_digest_key",
	.key_count = 1,
	.columns = {"digest", "org_id", "id", "permissions", "expires_at", "revoked_at"},
};
static const KeyColumns digest_columns = {1, 2, 3, 4, 5};

static WaLookupTable keys_by_id = {
	.name = "api_key",
	.index = "api_key_pkey",
	.key_count = 2,
	.columns = {"org_id", "id", "permissions", "expires_at", "revoked_at"},
};
static const KeyColumns id_columns = {0, 1, 2, 3, 4};

static bool
take_key(const WaLookupRow *row, const KeyColumns *at, WaPrincipal *principal)
{
	if (!row->nulls[at->revoked_at] || wa_has_ended(DatumGetUUIDP(row->values[at->org_id]),
													DatumGetUUIDP(row->values[at->id]), "key"))
		return false;

	memset(principal, 0, sizeof(*principal));
	principal->kind = WA_PRINCIPAL_KEY;
	principal->org_id = *DatumGetUUIDP(row->values[at->org_id]);
	principal->id = *DatumGetUUIDP(row->values[at->id]);
	principal->permissions = DatumGetPermissions(row->values[at->permissions]);
	principal->expires_at =
		row->nulls[at->expires_at] ? DT_NOEND : DatumGetTimestampTz(row->values[at->expires_at]);
	return true;
}

bool
wa_key_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal)
{
	WaLookupRow row;

	return wa_row_find_digest(&keys_by_digest, digest, &row) &&
		   take_key(&row, &digest_columns, principal);
}

bool
wa_key_read_by_id(const pg_uuid_t *org_id, const pg_uuid_t *id, WaPrincipal *principal)
{
	Datum keys[] = {UUIDPGetDatum(org_id), UUIDPGetDatum(id)};
	WaLookupRow row;

	return wa_row_find(&keys_by_id, keys, &row) && take_key(&row, &id_columns, principal);
}
