/*-------------------------------------------------------------------------
 *
 * session_watch.c
 *		Limits on what a sealed session can hold: its transaction and its memory.
 *
 * statement_timeout runs only while a statement does, and
 * idle_in_transaction_session_timeout only after a BEGIN.  Neither runs in a
 * pipeline whose Sync does not come, between two parts of a portal that is read
 * in parts, or while a client does not read what it asked for.  Such a
 * transaction keeps its locks, and it delays vacuum and everybody's events.
 *
 * So the session of a sealed login checks the time twice a second, by a timeout
 * of its own.  It ends itself if its transaction is older than
 * wa.transaction_timeout, or has been idle for wa.idle_in_transaction_timeout.
 * It ends like a backend that is told to terminate, because only that also
 * works while it waits for its client.
 *
 * A transaction is idle while it waits for messages that the client has yet to
 * send, and when its one statement has run and it only processes more messages.
 * While the client does not read, the transaction is idle if it has a number,
 * because it may then hold row locks.  Our programs read the result of such a
 * statement at once.  Without a number it is not idle then, because a busy
 * gateway may be slow to read the pages of a list.  Idle times add up until the
 * transaction ends.  Otherwise a client could send a message now and then and
 * keep the transaction until the limit on its age.  Our programs send the Sync
 * together with the statement, so they need almost no idle time.
 *
 * The server disarms all timeouts when it has caught an error.  The timeout is
 * therefore armed again when the error is reported, when its transaction
 * aborts, and before anything is analyzed or executed.  The hook is called only
 * for errors that go to the server's log.  So a sealed session always logs
 * errors: it uses log_min_messages as postgresql.conf has it, or "error" if
 * that would hide errors.  A setting of the role or database does not count.
 *
 * The server does not limit the memory that a session keeps for portals,
 * prepared statements, their texts and values.  Much of that passes no hook (an
 * empty text, and portals of it).  So the timeout also checks the memory, and a
 * session that holds more than WA_SESSION_MEMORY_MAX ends.  The server's own
 * memory accounts cannot be read in a signal handler, because they may be
 * changing.  The kernel is asked instead, by calls that are safe there, how
 * much memory the process has for itself, without shared buffers.  On systems
 * without /proc/self/statm there is no limit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "tcop/pquery.h"
#include "utils/elog.h"
#include "utils/guc.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "src/compatibility.h"
#include "src/context.h"
#include "src/session_watch.h"

#define TICK_MS 500

/* Many times what the largest request of a gateway needs. */
#define WA_SESSION_MEMORY_MAX ((Size) 256 * 1024 * 1024)

#define TRANSACTION_TIMEOUT "wa.transaction_timeout"
#define IDLE_TIMEOUT "wa.idle_in_transaction_timeout"

/*
 * The SQLSTATE of PostgreSQL 17's transaction_timeout.  That of the server's timeout of idle
 * transactions would tell a program that it had begun a transaction, which it had not.
 */
#define ERRCODE_TRANSACTION_TOO_LONG MAKE_SQLSTATE('2', '5', 'P', '0', '4')

/* Why the session ends itself. */
typedef enum EndReason
{
	END_NONE,
	END_TIME,   /* its transaction is too old */
	END_IDLE,   /* its transaction was idle for too long */
	END_MEMORY, /* it holds too much memory */
} EndReason;

static int timeout_ms = 0;
static int idle_timeout_ms = 0;
static long page_size = 0;
static TimeoutId tick = 0; /* 0: this session's login is not sealed */
static volatile sig_atomic_t end_reason = END_NONE;
static emit_log_hook_type next_emit_log_hook = NULL;

/* The number at *at, which is moved behind the number and the space that follows. */
static Size
take_number(const char **at)
{
	Size number = 0;

	while (**at >= '0' && **at <= '9')
		number = number * 10 + (Size) (*(*at)++ - '0');
	if (**at == ' ')
		(*at)++;
	return number;
}

/* The bytes of memory that this process has for itself; 0 if that cannot be found out. */
static Size
own_memory(void)
{
	int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128] = "";
	const char *at = text;
	ssize_t got;
	Size resident;

	if (file < 0)
		return 0;
	got = read(file, text, sizeof(text) - 1);
	close(file);
	if (got <= 0)
		return 0;
	take_number(&at); /* its address space */
	resident = take_number(&at);
	return (resident - take_number(&at)) * page_size;
}

static bool
is_transaction_too_old(void)
{
	return IsTransactionState() &&
		   GetCurrentTimestamp() >=
			   TimestampTzPlusMilliseconds(GetCurrentTransactionStartTimestamp(), timeout_ms);
}

/* Whether the transaction does nothing now that its client could wait for. */
static bool
is_idle(void)
{
	switch (*(volatile uint32 *) my_wait_event_info)
	{
		case WAIT_EVENT_CLIENT_READ:
			return true;
		case WAIT_EVENT_CLIENT_WRITE:
			return TransactionIdIsValid(GetTopTransactionIdIfAny());
		default:
			return ActivePortal == NULL && wa_context_has_served();
	}
}

/*
 * Whether the transaction was idle for too long, by this tick and earlier ones.  The time
 * before the first of these ticks does not count.
 */
static bool
is_idle_for_too_long(void)
{
	static TimestampTz transaction = 0; /* start of the transaction whose ticks are counted */
	static int idle_ticks = 0;

	if (!IsTransactionState() || !is_idle())
		return false;
	if (transaction != GetCurrentTransactionStartTimestamp())
		idle_ticks = 0;
	transaction = GetCurrentTransactionStartTimestamp();
	return idle_ticks++ * TICK_MS >= idle_timeout_ms;
}

/* Runs in a signal handler. */
static void
on_tick(void)
{
	int saved_errno = errno;

	if (is_transaction_too_old())
		end_reason = END_TIME;
	else if (is_idle_for_too_long())
		end_reason = END_IDLE;
	else if (own_memory() > WA_SESSION_MEMORY_MAX)
		end_reason = END_MEMORY;
	errno = saved_errno;
	if (end_reason == END_NONE)
		return;
	ProcDiePending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

void
wa_session_watch(void)
{
	if (tick != 0 && !get_timeout_active(tick))
		enable_timeout_every(tick, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), TICK_MS),
							 TICK_MS);
}

/*
 * Errors are hidden by the levels above ERROR, and by LOG, which stands between them in the
 * order.
 */
static void
log_errors(void)
{
	bool hides_errors = log_min_messages > ERROR || log_min_messages == LOG;

	SetConfigOption("log_min_messages",
					hides_errors ? "error" : GetConfigOption("log_min_messages", false, false),
					PGC_SUSET, PGC_S_OVERRIDE);
}

/*
 * What must hold at the commit is read as committed then: an end that came after the snapshot
 * of the transaction counts.  A setting of the role, the database or the server does not.
 */
static void
read_committed(void)
{
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
}

void
wa_session_watch_begin(void)
{
	log_errors();
	read_committed();
	tick = RegisterTimeout(USER_TIMEOUT, on_tick);
	wa_session_watch();
}

static void
transaction_changed(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_ABORT)
		wa_session_watch();
}

/* The caller of the hook frees what is set here, because its memory context is the current one. */
static void
explain_end(ErrorData *edata)
{
	if (end_reason == END_TIME || end_reason == END_IDLE)
	{
		edata->sqlerrcode = ERRCODE_TRANSACTION_TOO_LONG;
		edata->message = psprintf("terminating connection of a sealed role due to %s",
								  end_reason == END_TIME ? TRANSACTION_TIMEOUT : IDLE_TIMEOUT);
	}
	else if (end_reason == END_MEMORY)
	{
		edata->sqlerrcode = ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		edata->message =
			pstrdup("terminating connection of a sealed role: it holds too much memory");
		edata->detail =
			psprintf("A sealed session can hold %zu MB.", WA_SESSION_MEMORY_MAX / 1024 / 1024);
	}
}

/* Called when an error is reported: arms the timeout, and adds why the session ends. */
static void
report(ErrorData *edata)
{
	if (edata->elevel == ERROR)
		wa_session_watch();
	if (edata->elevel == FATAL && edata->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN)
		explain_end(edata);
	if (next_emit_log_hook)
		next_emit_log_hook(edata);
}

void
wa_session_watch_init(void)
{
	page_size = sysconf(_SC_PAGESIZE);
	DefineCustomIntVariable(
		TRANSACTION_TIMEOUT, "Ends the session of a sealed role whose transaction takes longer.",
		NULL, &timeout_ms, 30000, 1000, 600000, PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable(
		IDLE_TIMEOUT, "Ends the session of a sealed role whose transaction is idle for longer.",
		"Its idle times add up.", &idle_timeout_ms, 1000, 500, 600000, PGC_SUSET, GUC_UNIT_MS, NULL,
		NULL, NULL);
	RegisterXactCallback(transaction_changed, NULL);
	next_emit_log_hook = emit_log_hook;
	emit_log_hook = report;
}
