/*
 * housekeeping.h
 *		What has expired is taken away, a little at a time.
 *
 * Each round runs every task once, one after the other, with a bounded number of rows; when
 * one had so many, the next round comes soon.  Rounds are
 * jittered, so that several workers do not come in step.
 */
#ifndef WEBHOOKS_HOUSEKEEPING_H
#define WEBHOOKS_HOUSEKEEPING_H

#include "db/db.h"
#include "lib/metrics.h"

struct event_base;

/* Rows of one task at once: small, so that nobody waits for a lock or a disk. */
#define HOUSEKEEPING_ROWS 500

/* Between two batches while there is a backlog. */
#define HOUSEKEEPING_PAUSE_MS 100

typedef struct Housekeeping Housekeeping;

/* Rounds of about period_ms.  NULL: out of memory.  All is borrowed. */
extern Housekeeping *
housekeeping_start(struct event_base *base, Db *db, Metrics *metrics, int period_ms);

/* May be NULL. */
extern void housekeeping_stop(Housekeeping *housekeeping);

#endif
