/*-------------------------------------------------------------------------
 *
 * sign_in.h
 *		Sign-ins: that a person is at a browser.
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
	bool has_org; /* whether an organization is active */
	pg_uuid_t active_org;
	TimestampTz active_since; /* when that was chosen */
	TimestampTz used_at;
	TimestampTz expires_at; /* whatever happens; never infinite */
} WaSignIn;

/*
 * Read a sign-in, as committed at this moment.  Fills *sign_in and returns
 * true, or returns false if there is none, it was ended, its time is over, or
 * the person's account is disabled.
 */
extern bool wa_sign_in_read(const pg_uuid_t *user_id, const pg_uuid_t *id, WaSignIn *sign_in);

#endif
