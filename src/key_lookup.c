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
#include "src/key_lookup.h"
#include "src/row_lookup.h"

enum
{
	KEY_DIGEST,
	KEY_ORG_ID,
	KEY_ID,
	KEY_PERMISSIONS,
	KEY_EXPIRES_AT,
	KEY_REVOKED_AT
};

static WaLookupTable api_keys = {
	.name = "api_key",
	.index = "api_key_digest_key",
	.key_count = 1,
	.columns = {"digest", "org_id", "id", "permissions", "expires_at", "revoked_at"},
};

bool
wa_key_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal)
{
	WaDigestKey digest_key;
	Datum key = wa_digest_key(&digest_key, digest);
	WaLookupRow row;

	if (!wa_row_find(&api_keys, &key, &row) || !row.nulls[KEY_REVOKED_AT])
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
