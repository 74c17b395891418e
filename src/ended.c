/*-------------------------------------------------------------------------
 *
 * ended.c
 *		Ends of an access that are stored as rows of their own.
 *
 * A transaction that ends an access may find that access's row locked.  It then
 * adds a row here instead of waiting (schema/56-ended.sql).  So code that reads
 * what a credential stands for must look here as well.  If the end can be taken
 * back, it must look here before it reads the row itself: taking back deletes
 * the end and changes the row in one transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "src/ended.h"
#include "src/row_lookup.h"

static WaLookupTable ends = {
	.name = "ended",
	.index = "ended_subject",
	.key_count = 3,
	.columns = {"org_id", "subject", "kind"},
};

static WaLookupTable sign_in_ends = {
	.name = "ended_sign_in",
	.index = "ended_sign_in_pkey",
	.key_count = 2,
	.columns = {"user_id", "sign_in_id"},
};

bool
wa_has_ended(const pg_uuid_t *org_id, const pg_uuid_t *subject, const char *kind)
{
	Datum keys[] = {UUIDPGetDatum(org_id), UUIDPGetDatum(subject), CStringGetTextDatum(kind)};
	WaLookupRow row;

	return wa_row_find(&ends, keys, &row);
}

bool
wa_sign_in_has_ended(const pg_uuid_t *user_id, const pg_uuid_t *sign_in_id)
{
	Datum keys[] = {UUIDPGetDatum(user_id), UUIDPGetDatum(sign_in_id)};
	WaLookupRow row;

	return wa_row_find(&sign_in_ends, keys, &row);
}

/*
 * wa.has_ended(org, subject, kind): as committed at this moment, even if the snapshot of the
 * caller's transaction is older, and as far as that transaction itself has changed it.
 */
PG_FUNCTION_INFO_V1(wa_has_ended_now);

Datum
wa_has_ended_now(PG_FUNCTION_ARGS)
{
	char *kind = text_to_cstring(PG_GETARG_TEXT_PP(2));

	PG_RETURN_BOOL(wa_has_ended(PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1), kind));
}
