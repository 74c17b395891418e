/*
 * housekeeping.h
 *		Removes expired rows in small batches.
 *
 * Each round runs every task once, one after the other, with a bounded number of rows.  If
 * a task had a full batch, the next round comes soon.  The period is varied at random, so
 * that several workers do not run at the same moments.
 */
#ifndef WEBHOOKS_HOUSEKEEPING_H
#define WEBHOOKS_HOUSEKEEPING_H

#include "db/db.h"
#include "lib/metrics.h"

struct event_base;

/* Rows of one batch.  It is small, so that nobody waits long for a lock or a disk. */
#define HOUSEKEEPING_ROWS 500

/* The pause between two rounds while a task has more to do. */
#define HOUSEKEEPING_PAUSE_MS 100

/* A time between half the period and one and a half, so that workers do not ask all at once. */
extern int housekeeping_jittered(int period_ms);

typedef struct Housekeeping Housekeeping;

/* Runs a round about every period_ms.  NULL: out of memory.  Everything is borrowed. */
extern Housekeeping *
housekeeping_start(struct event_base *base, Db *db, Metrics *metrics, int period_ms);

/* The argument may be NULL. */
extern void housekeeping_stop(Housekeeping *housekeeping);

#endif
