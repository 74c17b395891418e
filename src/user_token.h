/*-------------------------------------------------------------------------
 *
 * user_token.h
 *		User tokens: what a person's dashboard presents.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_USER_TOKEN_H
#define SRC_USER_TOKEN_H

#include "postgres.h"

#include "src/context.h"

/*
 * Read the user token with this digest, as committed at this moment.  Fills
 * *principal and returns true, or returns false when the token or anything that
 * it rests on is gone.  Whether it has expired is left to the caller.
 */
extern bool wa_user_token_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal);

/*
 * Read what a person may do now in an organization, by a sign-in that is live
 * and works there.  Fills *principal, which expires with the sign-in, and
 * returns true, or returns false when anything that it rests on is gone.
 */
extern bool wa_member_read(const pg_uuid_t *org_id, const pg_uuid_t *user_id,
						   const pg_uuid_t *sign_in_id, WaPrincipal *principal);

#endif
