/*-------------------------------------------------------------------------
 *
 * session_watch.c
 *		What a sealed session can hold: its transaction and its memory.
 *
 * statement_timeout runs while a statement does, and
 * idle_in_transaction_session_timeout only behind a BEGIN.  Neither runs in a
 * pipeline whose Sync does not come, between two parts of a portal that is read
 * in parts, or while a client does not read what it asked for.  Such a
 * transaction keeps its locks and holds up vacuum and everybody's events.
 *
 * So the session of a sealed login looks at a clock once a second, by a timeout
 * of its own, and ends itself when its transaction is older than
 * wa.transaction_timeout.  It does so as a backend ends that is told to: that is
 * the only way which also works while it waits for its client.
 *
 * The server disarms all timeouts when it has caught an error.  The clock is
 * therefore wound up again when the error is reported, when its transaction
 * aborts, and before anything is analyzed or executed.
 *
 * Nor does the server bound what a session keeps in memory: portals, prepared
 * statements, their texts and values.  Once in a second of work it is added up,
 * and a session that holds more than WA_SESSION_MEMORY_MAX ends.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/elog.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "src/compatibility.h"
#include "src/session_watch.h"

#define TICK_MS 1000

/* Many times what the largest request of a gateway takes. */
#define WA_SESSION_MEMORY_MAX ((Size) 256 * 1024 * 1024)

/* The SQLSTATE of PostgreSQL 17's transaction_timeout. */
#define ERRCODE_TRANSACTION_TOO_LONG MAKE_SQLSTATE('2', '5', 'P', '0', '4')

static int timeout_ms = 0;
static TimeoutId tick = 0; /* 0: this session's login is not sealed */
static volatile sig_atomic_t expired = false;
static volatile sig_atomic_t memory_is_due = false;
static emit_log_hook_type next_emit_log_hook = NULL;

/* Runs in a signal handler. */
static void
on_tick(void)
{
	TimestampTz end;

	memory_is_due = true;
	if (!IsTransactionState())
		return;
	end = TimestampTzPlusMilliseconds(GetCurrentTransactionStartTimestamp(), timeout_ms);
	if (GetCurrentTimestamp() < end)
		return;
	expired = true;
	ProcDiePending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

static void
arm(void)
{
	if (tick != 0 && !get_timeout_active(tick))
		enable_timeout_every(tick, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), TICK_MS),
							 TICK_MS);
}

void
wa_session_watch_begin(void)
{
	tick = RegisterTimeout(USER_TIMEOUT, on_tick);
	arm();
}

void
wa_session_watch(void)
{
	if (tick == 0)
		return;
	arm();
	if (!memory_is_due)
		return;
	memory_is_due = false;
	if (MemoryContextMemAllocated(TopMemoryContext, true) > WA_SESSION_MEMORY_MAX)
		ereport(FATAL, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("terminating connection of a sealed role: it holds too much memory"),
						errdetail("A sealed session can hold %zu MB.",
								  WA_SESSION_MEMORY_MAX / 1024 / 1024)));
}

static void
transaction_changed(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_ABORT)
		arm();
	else if (event == XACT_EVENT_PRE_COMMIT)
		wa_session_watch();
}

/* An error is reported: wind up the clock, and let the session say why it ends. */
static void
report(ErrorData *edata)
{
	if (edata->elevel == ERROR)
		arm();
	if (expired && edata->elevel == FATAL && edata->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN)
	{
		edata->sqlerrcode = ERRCODE_TRANSACTION_TOO_LONG;
		/* freed by the caller, in whose memory we are */
		edata->message =
			pstrdup("terminating connection of a sealed role due to wa.transaction_timeout");
	}
	if (next_emit_log_hook)
		next_emit_log_hook(edata);
}

void
wa_session_watch_init(void)
{
	DefineCustomIntVariable("wa.transaction_timeout",
							"Ends the session of a sealed role whose transaction takes longer.",
							NULL, &timeout_ms, 30000, 1000, 600000, PGC_SUSET, GUC_UNIT_MS, NULL,
							NULL, NULL);
	RegisterXactCallback(transaction_changed, NULL);
	next_emit_log_hook = emit_log_hook;
	emit_log_hook = report;
}
