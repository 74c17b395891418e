/*-------------------------------------------------------------------------
 *
 * user_token.h
 *		User tokens: what a person's dashboard presents.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WA_USER_TOKEN_H
#define WA_USER_TOKEN_H

#include "postgres.h"

#include "src/context.h"

/*
 * Read the user token with this digest, as committed at this moment.  Fills
 * *principal and returns true, or returns false when the token or anything that
 * it rests on is gone.  Whether it has expired is left to the caller.
 */
extern bool wa_user_token_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal);

#endif /* WA_USER_TOKEN_H */
