/*-------------------------------------------------------------------------
 *
 * portal_watch.c
 *		A query that was stopped continues only for somebody who may still run it.
 *
 * Row security asks for the bound organization when a scan begins, and not for
 * each row.  A cursor, or a portal of which the client has read a part, could
 * therefore continue after the key was revoked, or after a savepoint rolled
 * back the binding under which it began.  So each run of a query notes which
 * permissions the transaction has required so far.  The next run of that query
 * is refused unless all of them are still there, and if the key has been
 * restricted to fewer sessions in between: a sorted result was read before.
 *
 * Invariants:
 * - Only later runs of a query are checked.  In its first run a query asks for
 *   the permissions that it needs by its policies and functions.
 * - A note is in the memory of its query's execution and ends with it.
 *
 * This cannot cover results that the server computes completely before it
 * returns the first row: a cursor WITH HOLD after its transaction has
 * committed, and the rows of RETURNING.  Nor does it cover a single run that
 * takes long.  statement_timeout limits such a run, and what it has written or
 * locked is verified at its end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "lib/ilist.h"
#include "nodes/execnodes.h"

#include "src/compatibility.h"
#include "src/context.h"
#include "src/portal_watch.h"

typedef struct Note
{
	dlist_node link; /* in notes */
	const EState *query;
	WaPermissions used;
	uint64 narrowings;
	MemoryContextCallback ending;
} Note;

static dlist_head notes = DLIST_STATIC_INIT(notes);
static ExecutorRun_hook_type next_executor_run = NULL;

static Note *
note_of(const EState *query)
{
	dlist_iter at;

	dlist_foreach(at, &notes)
	{
		Note *note = dlist_container(Note, link, at.cur);

		if (note->query == query)
			return note;
	}
	return NULL;
}

static void
forget(void *argument)
{
	Note *note = argument;

	dlist_delete(&note->link);
}

static Note *
make_note(const EState *query)
{
	Note *note = MemoryContextAllocZero(query->es_query_cxt, sizeof(Note));

	note->query = query;
	note->ending.func = forget;
	note->ending.arg = note;
	dlist_push_head(&notes, &note->link);
	MemoryContextRegisterResetCallback(query->es_query_cxt, &note->ending);
	return note;
}

static void
check_before_run(const QueryDesc *query)
{
	const Note *note = query->already_executed ? note_of(query->estate) : NULL;

	if (note == NULL)
		return;
	wa_context_require(note->used);
	wa_context_require_reach(note->narrowings);
}

static void
note_after_run(const QueryDesc *query)
{
	Note *note;

	if (!wa_context_is_relied_on())
		return;
	note = note_of(query->estate);
	if (note == NULL)
		note = make_note(query->estate);
	note->used = wa_context_used();
	note->narrowings = wa_context_narrowings();
}

static void
run(WA_RUN_PARAMETERS)
{
	check_before_run(query);
	if (next_executor_run)
		next_executor_run(WA_RUN_ARGUMENTS);
	else
		standard_ExecutorRun(WA_RUN_ARGUMENTS);
	wa_context_verify_written();
	if (!WA_RUNS_ONCE)
		note_after_run(query);
}

void
wa_portal_watch_init(void)
{
	next_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = run;
}
