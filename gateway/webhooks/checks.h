/*
 * checks.h
 *		Finds rows whose bytes are not in the store.
 *
 * Nothing is changed: bytes that are missing may come back.  They are counted and logged, and who
 * asks for such a file gets a 410.
 */
#ifndef WEBHOOKS_CHECKS_H
#define WEBHOOKS_CHECKS_H

#include "db/db.h"
#include "lib/metrics.h"
#include "media/store.h"

struct event_base;

/* How many are looked for at once. */
#define CHECKS_MAX 16

typedef struct Checks Checks;

/* Asks about every period_ms for rows to check.  NULL: out of memory.  Everything is borrowed. */
extern Checks *checks_start(struct event_base *base, Db *db, const MediaStore *store,
							Metrics *metrics, int period_ms);

/* The argument may be NULL. */
extern void checks_stop(Checks *checks);

#endif
