/*-------------------------------------------------------------------------
 *
 * wake.h
 *		Waking those who wait for events, when the transaction that wrote
 *		them has committed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_WAKE_H
#define SRC_WAKE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* Register the transaction callback; called once, at load. */
extern void wa_wake_init(void);

/* Ask for shared memory; called once, while shared_preload_libraries is processed. */
extern void wa_wake_preload(void);

/*
 * At commit, wake those who wait for this organization, or all when it is NULL: an
 * event was written, or what a credential rests on has changed.  From then on the
 * transaction cannot be prepared.
 */
extern void wa_wake_org(const pg_uuid_t *org_id);

/*
 * When this run of the server began: another time after each start.  With preload
 * also after one that follows the crash of a backend; without it a crash leaves the
 * time as it was, and numbers of transactions that were never written to disk may
 * be given out again within one run.
 */
extern TimestampTz wa_wake_started_at(void);

/* ---- for those who wait: event_wait.c ---- */

typedef enum WaChangeKind
{
	WA_CHANGE_ORG,      /* of the organization with this id */
	WA_CHANGE_EVERYBODY /* of any */
} WaChangeKind;

typedef struct WaChange
{
	pg_uuid_t id;
	WaChangeKind kind;
} WaChange;

/* Changes that are read at a time, while the spinlock is held. */
#define WA_CHANGES_CHUNK 64

/* Raise 55000 where there is no shared memory; before what follows. */
extern void wa_wake_require_memory(void);

/* The number of the last change. */
extern uint64 wa_wake_generation(void);

/*
 * The next changes behind *seen, which moves on: how many, 0 when there are none.
 * What is not kept any more, or a generation that never was (from another server,
 * or made up), is one change of everybody's.
 */
extern int wa_wake_changes(uint64 *seen, WaChange chunk[WA_CHANGES_CHUNK]);

/*
 * How often somebody has knocked for the gateway of this name, or for one of those that
 * share its slot.
 */
extern uint64 wa_wake_knocks(const pg_uuid_t *gateway);

/*
 * Sleep until the generation is another one than was seen, or the knocks for the gateway
 * (NULL: none) are more than were heard, or the time is over.
 */
extern void wa_wake_sleep(uint64 seen, const pg_uuid_t *gateway, uint64 heard, TimestampTz end);

/* Let some more happen before the next look. */
extern void wa_wake_pause(void);

#endif
