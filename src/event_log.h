/*-------------------------------------------------------------------------
 *
 * event_log.h
 *		Writing events.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_EVENT_LOG_H
#define SRC_EVENT_LOG_H

#include "postgres.h"

#include "utils/uuid.h"

/* What an event says.  The payload is JSON. */
typedef struct WaEvent
{
	const pg_uuid_t *org_id;
	const pg_uuid_t *session_id; /* NULL: it is about none */
	const char *type;
	const char *payload;
} WaEvent;

/*
 * Writes an event of the running transaction, with a delivery for each webhook that wants it,
 * with the rights of the current user.  Returns the event's id.
 */
extern pg_uuid_t wa_event_write(const WaEvent *event);

#endif
