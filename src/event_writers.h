/*-------------------------------------------------------------------------
 *
 * event_writers.h
 *		Who is writing events now, and the order in which they began to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_EVENT_WRITERS_H
#define SRC_EVENT_WRITERS_H

#include "postgres.h"

#include "utils/snapshot.h"
#include "utils/uuid.h"

/* Ask for shared memory; called once, while shared_preload_libraries is processed. */
extern void wa_event_writers_preload(void);

/*
 * The ordinal of this transaction among those that write events of the organization.
 * The first call for an organization gives it out, and later ones give the same.  The
 * caller must have seen to it that wa_event_writers_leave() is called at the end.
 */
extern uint64 wa_event_writers_enter(const pg_uuid_t *org_id);

/*
 * This transaction has ended: committed, and others see it, or rolled back.  May be
 * called where nothing may raise.
 */
extern void wa_event_writers_leave(void);

/*
 * Note who is writing now, for horizons in snapshots that are taken from now on.  Does
 * nothing on a standby and without shared_preload_libraries.
 */
extern void wa_event_writers_observe(void);

/*
 * The ordinal below which, in this snapshot, every transaction that writes events of
 * the organization has ended, and none will appear any more.
 */
extern uint64 wa_event_writers_horizon(const pg_uuid_t *org_id, Snapshot snapshot);

#endif
