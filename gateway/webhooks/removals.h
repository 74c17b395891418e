/*
 * removals.h
 *		Removes the bytes from the store that no file is of any more.
 */
#ifndef WEBHOOKS_REMOVALS_H
#define WEBHOOKS_REMOVALS_H

#include "db/db.h"
#include "lib/metrics.h"
#include "media/store.h"

struct event_base;

/* How many are removed at once. */
#define REMOVALS_MAX 32

typedef struct Removals Removals;

/* Looks for bytes about every period_ms.  NULL: out of memory.  Everything is borrowed. */
extern Removals *removals_start(struct event_base *base, Db *db, const MediaStore *store,
								Metrics *metrics, int period_ms);

/* What has begun may still be done; another worker reports it.  The argument may be NULL. */
extern void removals_stop(Removals *removals);

#endif
