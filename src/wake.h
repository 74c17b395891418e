/*-------------------------------------------------------------------------
 *
 * wake.h
 *		Waking those who wait for events, when the transaction that wrote
 *		them has committed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WA_WAKE_H
#define WA_WAKE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* Register the transaction callback; called once, at load. */
extern void wa_wake_init(void);

/* Ask for shared memory; called once, while shared_preload_libraries is processed. */
extern void wa_wake_preload(void);

/* At commit, wake those who listen to this organization: an event was written. */
extern void wa_wake_event(const pg_uuid_t *org_id);

/*
 * At commit, wake those who listen to this organization, or all when it is
 * NULL: what a credential rests on has changed.
 */
extern void wa_wake_credentials(const pg_uuid_t *org_id);

/*
 * When this run of the server began: another time after each start, also after
 * one that follows the crash of a backend.
 */
extern TimestampTz wa_wake_started_at(void);

#endif /* WA_WAKE_H */
