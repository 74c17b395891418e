/*-------------------------------------------------------------------------
 *
 * event_writers.h
 *		The transactions that are writing events now, in the order in which they began to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_EVENT_WRITERS_H
#define SRC_EVENT_WRITERS_H

#include "postgres.h"

#include "utils/snapshot.h"
#include "utils/uuid.h"

/* Requests shared memory.  Called once, while shared_preload_libraries is processed. */
extern void wa_event_writers_preload(void);

/*
 * The ordinal of this transaction among those that write events of the organization.  The first
 * call for an organization gives it out, and later calls return the same one.  The caller must
 * have made sure that wa_event_writers_leave() is called at the end of the transaction.
 */
extern uint64 wa_event_writers_enter(const pg_uuid_t *org_id);

/*
 * Called when this transaction has been rolled back, or has committed and others see it.
 * Raises no error.
 */
extern void wa_event_writers_leave(void);

/*
 * Records who is writing now, for horizons in snapshots that are taken from now on.  Does
 * nothing on a standby and without shared_preload_libraries.
 */
extern void wa_event_writers_observe(void);

/*
 * The horizon in this snapshot: every transaction below this ordinal that writes events of the
 * organization has ended, and none will appear there any more.
 */
extern uint64 wa_event_writers_horizon(const pg_uuid_t *org_id, Snapshot snapshot);

#endif
