/*-------------------------------------------------------------------------
 *
 * sign_in.c
 *		Sign-ins: a person is signed in at a browser.
 *
 * A sign-in is known by its cookie, of which only the digest is stored.  It
 * ends when the person signs out, when the account is disabled, at its absolute
 * expiry, or when nobody has used it for a while.  All sign-ins of a person end
 * when the account's generation is increased, as a new password does: each
 * sign-in has the generation in which its password was checked.  A cookie binds
 * nobody to a transaction.  Only the functions of schema/72-sign-in.sql take
 * it.  A user token is made from it (user_token.c).
 *
 * A device is a browser in which a person has signed in before.  Its cookie
 * signs nobody in.  It only separates the attempts of that browser from those
 * of strangers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/timestamp.h"

#include "src/ended.h"
#include "src/row_lookup.h"
#include "src/sign_in.h"

/* A sign-in that nobody has used for this long is over. */
#define IDLE_LIMIT (INT64CONST(12) * USECS_PER_HOUR)

/* The columns behind the keys are the same in both definitions. */
enum
{
	SIGN_IN_USER_ID,
	SIGN_IN_ID,
	SIGN_IN_USED_AT,
	SIGN_IN_EXPIRES_AT,
	SIGN_IN_ENDED_AT,
	SIGN_IN_GENERATION
};

static WaLookupTable sign_ins = {
	.name = "sign_in",
	.index = "sign_in_pkey",
	.key_count = 2,
	.columns = {"user_id", "id", "used_at", "expires_at", "ended_at", "generation"},
};

enum
{
	COOKIE_DIGEST,
	COOKIE_USER_ID,
	COOKIE_SIGN_IN_ID
};

static WaLookupTable cookies = {
	.name = "sign_in",
	.index = "sign_in_digest_key",
	.key_count = 1,
	.columns = {"digest", "user_id", "id"},
};

enum
{
	PERSON_ID,
	PERSON_DISABLED_AT,
	PERSON_GENERATION
};

static WaLookupTable people = {
	.name = "app_user",
	.index = "app_user_pkey",
	.key_count = 1,
	.columns = {"id", "disabled_at", "generation"},
};

enum
{
	DEVICE_DIGEST,
	DEVICE_USER_ID,
	DEVICE_ID,
	DEVICE_GENERATION
};

static WaLookupTable devices = {
	.name = "device",
	.index = "device_digest_key",
	.key_count = 1,
	.columns = {"digest", "user_id", "id", "generation"},
};

PG_FUNCTION_INFO_V1(wa_find_sign_in);
PG_FUNCTION_INFO_V1(wa_find_device);

bool
wa_person_is_enabled(const pg_uuid_t *user_id, int32 generation)
{
	Datum key = UUIDPGetDatum(user_id);
	WaLookupRow row;

	return wa_row_find(&people, &key, &row) && row.nulls[PERSON_DISABLED_AT] &&
		   DatumGetInt32(row.values[PERSON_GENERATION]) == generation;
}

bool
wa_sign_in_read(const pg_uuid_t *user_id, const pg_uuid_t *id, WaSignIn *sign_in)
{
	Datum keys[] = {UUIDPGetDatum(user_id), UUIDPGetDatum(id)};
	TimestampTz now = GetCurrentTimestamp();
	WaLookupRow row;

	if (wa_sign_in_has_ended(user_id, id) || !wa_row_find(&sign_ins, keys, &row) ||
		!row.nulls[SIGN_IN_ENDED_AT])
		return false;

	memset(sign_in, 0, sizeof(*sign_in));
	sign_in->user_id = *user_id;
	sign_in->id = *id;
	sign_in->used_at = DatumGetTimestampTz(row.values[SIGN_IN_USED_AT]);
	sign_in->expires_at = DatumGetTimestampTz(row.values[SIGN_IN_EXPIRES_AT]);
	return sign_in->expires_at > now && sign_in->used_at > now - IDLE_LIMIT &&
		   wa_person_is_enabled(user_id, DatumGetInt32(row.values[SIGN_IN_GENERATION]));
}

/*
 * wa.find_sign_in(cookie): person and id of the sign-in that a cookie stands for.  Both are
 * NULL if there is none that is still valid, or if the secret is of another kind.
 */
Datum
wa_find_sign_in(PG_FUNCTION_ARGS)
{
	WaLookupRow row;
	WaSignIn sign_in;

	if (!wa_row_find_secret(fcinfo, WAK_SIGN_IN, &cookies, &row) ||
		!wa_sign_in_read(DatumGetUUIDP(row.values[COOKIE_USER_ID]),
						 DatumGetUUIDP(row.values[COOKIE_SIGN_IN_ID]), &sign_in))
		PG_RETURN_DATUM(wa_row_answer(fcinfo, NULL));
	PG_RETURN_DATUM(wa_row_answer(fcinfo, &row.values[COOKIE_USER_ID]));
}

/* wa.find_device(cookie): person and id of the device that a cookie stands for, or nulls. */
Datum
wa_find_device(PG_FUNCTION_ARGS)
{
	WaLookupRow row;

	if (!wa_row_find_secret(fcinfo, WAK_DEVICE, &devices, &row) ||
		!wa_person_is_enabled(DatumGetUUIDP(row.values[DEVICE_USER_ID]),
							  DatumGetInt32(row.values[DEVICE_GENERATION])))
		PG_RETURN_DATUM(wa_row_answer(fcinfo, NULL));
	PG_RETURN_DATUM(wa_row_answer(fcinfo, &row.values[DEVICE_USER_ID]));
}
