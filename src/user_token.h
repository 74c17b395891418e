/*-------------------------------------------------------------------------
 *
 * user_token.h
 *		User tokens: the credential of a person's dashboard.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_USER_TOKEN_H
#define SRC_USER_TOKEN_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "src/context.h"

/*
 * Reads the user token with this digest, as committed at this moment.  Returns true and fills
 * *principal, or returns false if the token or anything that it depends on is gone.  The caller
 * checks whether it has expired.
 */
extern bool wa_user_token_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal);

/*
 * Reads what a person may do now in an organization, by a sign-in that is valid and a membership
 * that existed at made_at, when the credential was made.  Returns true and fills *principal,
 * which expires with the sign-in.  Returns false if anything that it depends on is gone.
 */
extern bool
wa_member_read(const pg_uuid_t *org_id, const pg_uuid_t *user_id, const pg_uuid_t *sign_in_id,
			   TimestampTz made_at, WaPrincipal *principal);

/*
 * What is left of a person's role in an organization, as committed at this moment: a constant
 * string, or NULL for who is no member.
 */
extern const char *wa_member_role_read(const pg_uuid_t *org_id, const pg_uuid_t *user_id);

#endif
