/*
 * scan.h
 *		Finds what is in the store without a row, so that it is removed (removals.h).
 */
#ifndef WEBHOOKS_SCAN_H
#define WEBHOOKS_SCAN_H

#include "db/db.h"
#include "lib/metrics.h"
#include "media/store.h"

struct event_base;

typedef struct Scan Scan;

/*
 * Asks about every period_ms whether the store is to be listed; owner is the worker's name in the
 * database.  NULL: out of memory.  Everything is borrowed.
 */
extern Scan *scan_start(struct event_base *base, Db *db, const MediaStore *store, Metrics *metrics,
						const char *owner, int period_ms);

/* The argument may be NULL. */
extern void scan_stop(Scan *scan);

#endif
