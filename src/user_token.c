/*-------------------------------------------------------------------------
 *
 * user_token.c
 *		User tokens: the credential of a person's dashboard.
 *
 * A user token has no permissions of its own.  It depends on four rows, each of
 * which is read anew.  It is worthless as soon as one of them is gone:
 *
 * - the token's row: its organization and its expiry
 * - the sign-in that it was made from, which must not have ended
 * - the person's account, which must not be disabled
 * - the person's membership of the organization, which must have existed when
 *   the token was made; its role decides what the token may do now, whatever
 *   the role was then
 *
 * So a sign-in can have tokens for several organizations, one for each window
 * of the browser.  Each token opens its own organization and no other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "src/compatibility.h"
#include "src/ended.h"
#include "src/row_lookup.h"
#include "src/sign_in.h"
#include "src/user_token.h"

enum
{
	TOKEN_DIGEST,
	TOKEN_ORG_ID,
	TOKEN_USER_ID,
	TOKEN_SIGN_IN_ID,
	TOKEN_CREATED_AT,
	TOKEN_EXPIRES_AT
};

static WaLookupTable user_tokens = {
	.name = "user_token",
	.index = "user_token_digest_key",
	.key_count = 1,
	.columns = {"digest", "org_id", "user_id", "sign_in_id", "created_at", "expires_at"},
};

enum
{
	MEMBER_ORG_ID,
	MEMBER_USER_ID,
	MEMBER_ROLE,
	MEMBER_CREATED_AT
};

static WaLookupTable members = {
	.name = "member",
	.index = "member_pkey",
	.key_count = 2,
	.columns = {"org_id", "user_id", "role", "created_at"},
};

/*
 * What a person may do by role.  A role that is not listed may do nothing.  Own permissions
 * belong to keys.
 */
static const struct
{
	const char *name;
	WaPermissions permissions;
} roles[] = {
	{"owner", WA_PERMISSIONS_BUILT_IN},
	{"admin", WA_PERMISSIONS_BUILT_IN},
	{"member", WA_PERMISSION_READ | WA_PERMISSION_SEND | WA_PERMISSION_EVENTS},
};

static void
take_role(const text *name, WaPrincipal *principal)
{
	size_t len = VARSIZE_ANY_EXHDR(name);

	for (size_t i = 0; i < lengthof(roles); i++)
		if (strlen(roles[i].name) == len && memcmp(roles[i].name, VARDATA_ANY(name), len) == 0)
		{
			principal->role = roles[i].name;
			principal->permissions = roles[i].permissions;
		}
}

/* Reads what is left of a membership: fills the role and its permissions, and since when. */
static bool
read_membership(const pg_uuid_t *org_id, const pg_uuid_t *user_id, WaPrincipal *principal,
				TimestampTz *since)
{
	Datum keys[] = {UUIDPGetDatum(org_id), UUIDPGetDatum(user_id)};
	bool is_over = wa_has_ended(org_id, user_id, "member");
	bool is_lowered = wa_has_ended(org_id, user_id, "rank");
	WaLookupRow member;

	if (is_over || !wa_row_find(&members, keys, &member))
		return false;
	*since = DatumGetTimestampTz(member.values[MEMBER_CREATED_AT]);
	take_role(is_lowered ? cstring_to_text("member") : DatumGetTextPP(member.values[MEMBER_ROLE]),
			  principal);
	return true;
}

const char *
wa_member_role_read(const pg_uuid_t *org_id, const pg_uuid_t *user_id)
{
	WaPrincipal principal = {0};
	TimestampTz since;

	return read_membership(org_id, user_id, &principal, &since) ? principal.role : NULL;
}

bool
wa_member_read(const pg_uuid_t *org_id, const pg_uuid_t *user_id, const pg_uuid_t *sign_in_id,
			   TimestampTz made_at, WaPrincipal *principal)
{
	TimestampTz since;
	WaSignIn sign_in;

	memset(principal, 0, sizeof(*principal));
	principal->kind = WA_PRINCIPAL_USER;
	principal->org_id = *org_id;
	principal->id = *user_id;
	principal->sign_in_id = *sign_in_id;
	if (!read_membership(org_id, user_id, principal, &since) || since > made_at ||
		!wa_sign_in_read(user_id, sign_in_id, &sign_in))
		return false;
	principal->expires_at = sign_in.expires_at;
	return true;
}

bool
wa_user_token_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal)
{
	WaLookupRow token;

	if (!wa_row_find_digest(&user_tokens, digest, &token) ||
		!wa_member_read(DatumGetUUIDP(token.values[TOKEN_ORG_ID]),
						DatumGetUUIDP(token.values[TOKEN_USER_ID]),
						DatumGetUUIDP(token.values[TOKEN_SIGN_IN_ID]),
						DatumGetTimestampTz(token.values[TOKEN_CREATED_AT]), principal))
		return false;
	principal->expires_at =
		Min(DatumGetTimestampTz(token.values[TOKEN_EXPIRES_AT]), principal->expires_at);
	return true;
}
