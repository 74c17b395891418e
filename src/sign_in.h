/*-------------------------------------------------------------------------
 *
 * sign_in.h
 *		Sign-ins: a person is signed in at a browser.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_SIGN_IN_H
#define SRC_SIGN_IN_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/uuid.h"

typedef struct WaSignIn
{
	pg_uuid_t user_id;
	pg_uuid_t id;
	TimestampTz used_at;
	TimestampTz expires_at; /* the absolute expiry; never infinite */
} WaSignIn;

/*
 * Reads a sign-in, as committed at this moment.  Returns true and fills *sign_in.  Returns
 * false if there is none, if it has ended or expired, or if the person's account is disabled.
 */
extern bool wa_sign_in_read(const pg_uuid_t *user_id, const pg_uuid_t *id, WaSignIn *sign_in);

/*
 * Whether a person's account is enabled and its generation is still this one, as committed at
 * this moment.
 */
extern bool wa_person_is_enabled(const pg_uuid_t *user_id, int32 generation);

#endif
