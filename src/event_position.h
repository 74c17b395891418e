/*-------------------------------------------------------------------------
 *
 * event_position.h
 *		The position of an event that is written now.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_EVENT_POSITION_H
#define SRC_EVENT_POSITION_H

#include "postgres.h"

#include "utils/uuid.h"

typedef struct WaEventPosition
{
	int32 epoch;
	int64 ordinal;
	bool noted; /* the epoch has been recorded; if not, the caller records it */
} WaEventPosition;

/*
 * The position of an event of this organization in the running transaction.  The commit wakes
 * those who listen to the organization.
 */
extern WaEventPosition wa_event_position_next(const pg_uuid_t *org_id);

#endif
