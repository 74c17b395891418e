/*-------------------------------------------------------------------------
 *
 * invitation.c
 *		Invitations: finding the row that a secret stands for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/timestamp.h"

#include "src/ended.h"
#include "src/row_lookup.h"

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

PG_FUNCTION_INFO_V1(wa_find_invitation);

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
