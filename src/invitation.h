/*-------------------------------------------------------------------------
 *
 * invitation.h
 *		Invitations: what their rows stand for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_INVITATION_H
#define SRC_INVITATION_H

#include "postgres.h"

#include "utils/uuid.h"

/*
 * Whether an organization's invitation stands, as committed at this moment: nobody has
 * withdrawn it, and whoever made it has the right to make it now and was not signed out of
 * everything since.  It may be accepted or expired.
 */
extern bool wa_invitation_stands(const pg_uuid_t *org_id, const pg_uuid_t *id);

#endif
