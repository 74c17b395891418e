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

#endif /* WA_WAKE_H */
