/*-------------------------------------------------------------------------
 *
 * invitation.c
 *		Invitations: what their rows stand for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "src/compatibility.h"
#include "src/ended.h"
#include "src/invitation.h"
#include "src/row_lookup.h"
#include "src/sign_in.h"
#include "src/user_token.h"

enum
{
	INVITATION_DIGEST,
	INVITATION_ORG_ID,
	INVITATION_ID,
	INVITATION_EXPIRES_AT,
	INVITATION_ACCEPTED_AT,
	INVITATION_WITHDRAWN_AT
};

static WaLookupTable invitations = {
	.name = "invitation",
	.index = "invitation_digest_key",
	.key_count = 1,
	.columns = {"digest", "org_id", "id", "expires_at", "accepted_at", "withdrawn_at"},
};

enum
{
	MADE_ORG_ID,
	MADE_ID,
	MADE_ROLE,
	MADE_BY,
	MADE_GENERATION,
	MADE_WITHDRAWN_AT
};

static WaLookupTable invitations_by_id = {
	.name = "invitation",
	.index = "invitation_pkey",
	.key_count = 2,
	.columns = {"org_id", "id", "role", "created_by", "generation", "withdrawn_at"},
};

PG_FUNCTION_INFO_V1(wa_find_invitation);
PG_FUNCTION_INFO_V1(wa_invitation_stands_now);

/*
 * wa.find_invitation(secret): organization and id of the open invitation that the secret stands
 * for.  Both are NULL if there is none, or if the secret is of another kind.
 */
Datum
wa_find_invitation(PG_FUNCTION_ARGS)
{
	WaLookupRow row;

	if (!wa_row_find_secret(fcinfo, WAK_INVITATION, &invitations, &row) ||
		!row.nulls[INVITATION_ACCEPTED_AT] || !row.nulls[INVITATION_WITHDRAWN_AT] ||
		DatumGetTimestampTz(row.values[INVITATION_EXPIRES_AT]) <= GetCurrentTimestamp() ||
		wa_has_ended(DatumGetUUIDP(row.values[INVITATION_ORG_ID]),
					 DatumGetUUIDP(row.values[INVITATION_ID]), "invitation"))
		PG_RETURN_DATUM(wa_row_answer(fcinfo, NULL));
	PG_RETURN_DATUM(wa_row_answer(fcinfo, &row.values[INVITATION_ORG_ID]));
}

/* Whether a person may invite to an organization as somebody of this role. */
static bool
may_invite(const pg_uuid_t *org_id, const pg_uuid_t *person, const char *invited_role)
{
	const char *role = wa_member_role_read(org_id, person);

	return role != NULL && (strcmp(role, "owner") == 0 ||
							(strcmp(role, "admin") == 0 && strcmp(invited_role, "owner") != 0));
}

bool
wa_invitation_stands(const pg_uuid_t *org_id, const pg_uuid_t *id)
{
	Datum keys[] = {UUIDPGetDatum(org_id), UUIDPGetDatum(id)};
	const pg_uuid_t *maker;
	WaLookupRow row;

	if (wa_has_ended(org_id, id, "invitation") || !wa_row_find(&invitations_by_id, keys, &row) ||
		!row.nulls[MADE_WITHDRAWN_AT])
		return false;
	maker = DatumGetUUIDP(row.values[MADE_BY]);
	return wa_person_is_enabled(maker, DatumGetInt32(row.values[MADE_GENERATION])) &&
		   may_invite(org_id, maker, TextDatumGetCString(row.values[MADE_ROLE]));
}

/* wa.invitation_stands(org, invitation) */
Datum
wa_invitation_stands_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(wa_invitation_stands(PG_GETARG_UUID_P(0), PG_GETARG_UUID_P(1)));
}
