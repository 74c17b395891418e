/*-------------------------------------------------------------------------
 *
 * handover.c
 *		What leaves shared memory for a table, unless the transaction fails.
 *
 * Shared memory is not transactional.  A function that moves counts from there
 * into a table takes them out, so that no other transaction writes the same
 * ones.  If its transaction is rolled back, the table does not have them, and
 * they are put back.
 *
 * Invariants:
 * - Each item that was taken ends in one of two ways: the transaction that wrote
 *   it has committed, or it was given back.  Only a crash of the server loses
 *   one, and a crash loses the shared memory as well.
 * - What a subtransaction takes is its own: handed to the parent at subcommit,
 *   given back at subabort.
 * - A transaction that has taken something cannot be prepared, because nobody
 *   knows whether it will be committed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "src/handover.h"

/* Of the running transaction, the latest one first; in TopTransactionContext. */
static WaHandover *taken = NULL;

static void
give_back(const WaHandover *handover)
{
	handover->give_back(handover->items, handover->count);
}

static void
check_nothing_taken(void)
{
	if (taken != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot PREPARE a transaction that has taken counts from shared memory")));
}

static void
transaction_changed(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_PRE_PREPARE)
		check_nothing_taken();
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT)
		return;
	for (; taken != NULL; taken = taken->next)
		if (event == XACT_EVENT_ABORT)
			give_back(taken);
}

/* Those of the ending level come first in the list, because inner levels have ended before. */
static void
subtransaction_changed(SubXactEvent event, SubTransactionId level, SubTransactionId parent,
					   void *argument)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		for (; taken != NULL && taken->level == level; taken = taken->next)
			give_back(taken);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		for (WaHandover *each = taken; each != NULL && each->level == level; each = each->next)
			each->level = parent;
}

void
wa_handover_init(void)
{
	RegisterXactCallback(transaction_changed, NULL);
	RegisterSubXactCallback(subtransaction_changed, NULL);
}

WaHandover *
wa_handover_begin(Size item_size, int max, WaGiveBack give_back_items)
{
	WaHandover *handover = MemoryContextAllocZero(TopTransactionContext, sizeof(WaHandover));

	handover->items = MemoryContextAllocZero(TopTransactionContext, Max(max, 1) * item_size);
	handover->give_back = give_back_items;
	handover->level = GetCurrentSubTransactionId();
	handover->next = taken;
	taken = handover;
	return handover;
}
