/*-------------------------------------------------------------------------
 *
 * handover.h
 *		What leaves shared memory for a table, unless the transaction fails.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_HANDOVER_H
#define SRC_HANDOVER_H

#include "postgres.h"

/* Puts items back where they were taken from.  Must not raise an error. */
typedef void (*WaGiveBack)(const void *items, int count);

/*
 * Items that this transaction has taken.  The caller fills them, and counts each one before it is
 * gone from where it was.
 */
typedef struct WaHandover
{
	void *items; /* with room for as many as were asked for; all zeros */
	int count;
	WaGiveBack give_back;
	SubTransactionId level;
	struct WaHandover *next;
} WaHandover;

/* Registers the transaction callbacks.  Called once, at load. */
extern void wa_handover_init(void);

/*
 * Makes room for items, in memory that lasts until the transaction ends.  If the transaction or
 * subtransaction is rolled back, give_back() gets the items that were counted.  If it commits,
 * they are forgotten: the caller has written them to a table.
 */
extern WaHandover *wa_handover_begin(Size item_size, int max, WaGiveBack give_back);

#endif
