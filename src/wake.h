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

/* Registers the transaction callback.  Called once, at load. */
extern void wa_wake_init(void);

/* Requests shared memory.  Called once, while shared_preload_libraries is processed. */
extern void wa_wake_preload(void);

/*
 * At commit, wakes those who wait for this organization, or everybody if it is NULL: an event
 * was written, or something that a credential depends on has changed.  From then on the
 * transaction cannot be prepared.
 */
extern void wa_wake_org(const pg_uuid_t *org_id);

/*
 * When this run of the server began: different after each start.  With preload it is also
 * different after a restart that follows the crash of a backend.  Without preload such a crash
 * does not change it, and transaction numbers that were never written to disk may be given out
 * again within one run.
 */
extern TimestampTz wa_wake_started_at(void);

/* ---- For those who wait: event_wait.c ---- */

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

/* The most changes that are read at once, while the spinlock is held. */
#define WA_CHANGES_CHUNK 64

/* Raises 55000 if there is no shared memory.  Called before the functions below. */
extern void wa_wake_require_memory(void);

/* The generation, which is the number of the newest change. */
extern uint64 wa_wake_generation(void);

/*
 * The changes after *seen, which is moved on.  Returns their number, 0 if there are none.  If
 * changes are not kept any more, or the generation never existed (from another server, or made
 * up), the result is one change of all organizations.
 */
extern int wa_wake_changes(uint64 *seen, WaChange chunk[WA_CHANGES_CHUNK]);

/*
 * How often somebody has knocked for the gateway of this name, or for another one that shares
 * its slot.
 */
extern uint64 wa_wake_knocks(const pg_uuid_t *gateway);

/*
 * Sleeps until the generation differs from "seen", the gateway has more knocks than "heard", or
 * the time is over.  "gateway" may be NULL.
 */
extern void wa_wake_sleep(uint64 seen, const pg_uuid_t *gateway, uint64 heard, TimestampTz end);

/* Waits PAUSE_MS, so that the next look finds several changes at once. */
extern void wa_wake_pause(void);

#endif
