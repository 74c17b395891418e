/*-------------------------------------------------------------------------
 *
 * ended.h
 *		Ends of an access that are stored as rows of their own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_ENDED_H
#define SRC_ENDED_H

#include "postgres.h"

#include "utils/uuid.h"

/* Whether an organization's key, invitation or member has ended, as committed at this moment. */
extern bool wa_has_ended(const pg_uuid_t *org_id, const pg_uuid_t *subject, const char *kind);

/* Whether a person's sign-in has ended, as committed at this moment. */
extern bool wa_sign_in_has_ended(const pg_uuid_t *user_id, const pg_uuid_t *sign_in_id);

#endif
