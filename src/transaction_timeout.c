/*-------------------------------------------------------------------------
 *
 * transaction_timeout.c
 *		No sealed session holds a transaction open.
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
 * therefore wound up again at each abort, and before anything is analyzed or
 * executed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/elog.h"
#include "utils/guc.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "src/compatibility.h"
#include "src/transaction_timeout.h"

#define TICK_MS 1000

/* The SQLSTATE of PostgreSQL 17's transaction_timeout. */
#define ERRCODE_TRANSACTION_TOO_LONG MAKE_SQLSTATE('2', '5', 'P', '0', '4')

static int timeout_ms = 0;
static TimeoutId tick = 0; /* 0: this session's login is not sealed */
static volatile sig_atomic_t expired = false;
static emit_log_hook_type next_emit_log_hook = NULL;

/* Runs in a signal handler. */
static void
on_tick(void)
{
	TimestampTz end;

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

void
wa_transaction_timeout_begin(void)
{
	tick = RegisterTimeout(USER_TIMEOUT, on_tick);
}

void
wa_transaction_timeout_arm(void)
{
	if (tick == 0 || get_timeout_active(tick))
		return;
	enable_timeout_every(tick, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), TICK_MS),
						 TICK_MS);
}

static void
transaction_changed(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_ABORT)
		wa_transaction_timeout_arm();
}

/* Let the session say why it ends. */
static void
explain_end(ErrorData *edata)
{
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
wa_transaction_timeout_init(void)
{
	DefineCustomIntVariable("wa.transaction_timeout",
							"Ends the session of a sealed role whose transaction takes longer.",
							NULL, &timeout_ms, 30000, 1000, 600000, PGC_SUSET, GUC_UNIT_MS, NULL,
							NULL, NULL);
	RegisterXactCallback(transaction_changed, NULL);
	next_emit_log_hook = emit_log_hook;
	emit_log_hook = explain_end;
}
