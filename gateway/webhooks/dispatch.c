/*
 * dispatch.c
 *		Decides which webhooks this process delivers to: claims queues and gives them back.
 *
 * A committed event may not be visible to readers yet, because an older transaction that
 * writes events of its organization still runs.  Nothing reports when that transaction
 * rolls back.  Therefore the database is asked several times in short intervals after each
 * wake-up.
 */
#include "webhooks/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "db/result.h"
#include "db/task.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "webhooks/queue.h"
#include "webhooks/statements.h"

/* How often the queues check their leases and their reports. */
#define TICK_MS 250

/*
 * The pause before the next wait: after an event, so that several events cause one wake-up;
 * after a failure.
 */
#define WAIT_SPACING_MS 20
#define WAIT_AGAIN_MS 1000

/* The SQLSTATE that wa.wait_for_deliveries() raises when the library is not preloaded. */
#define STATE_NOT_PRELOADED "55000"

struct Dispatch
{
	DispatchSetup setup;
	QueueSetup queues;
	Queue *slots[DISPATCH_QUEUES_MAX]; /* NULL: a free slot */
	int count;
	int sending;

	DbTask claiming;
	int64_t claimed_ms; /* when the claim was asked for */
	bool claim_again;

	DbTask waiting;
	int64_t seen; /* the last answer of wa.wait_for_deliveries() */
	bool blind;   /* the database cannot report events */
	int64_t eager_until_ms;

	Timer tick;

	void (*drained)(void *context); /* NULL: it is not draining */
	void *drained_context;
	bool told; /* drained was called */
};

static void claim(Dispatch *dispatch);

/* ---- queues ---- */

static void
tell_if_drained(Dispatch *dispatch)
{
	if (dispatch->drained == NULL || dispatch->told || dispatch->count > 0 ||
		db_task_is_asked(&dispatch->claiming))
		return;
	dispatch->told = true;
	dispatch->drained(dispatch->drained_context);
}

/* Whether the places still free are reserved for organizations that hold few. */
static bool
others_may_wait(const Dispatch *dispatch)
{
	return dispatch->count >= DISPATCH_QUEUES_MAX - DISPATCH_QUEUES_KEPT;
}

static void
on_gone(void *context, Queue *queue)
{
	Dispatch *dispatch = context;
	bool ask_again = others_may_wait(dispatch);

	for (int i = 0; i < DISPATCH_QUEUES_MAX; i++)
		if (dispatch->slots[i] == queue)
			dispatch->slots[i] = NULL;
	dispatch->count--;
	if (ask_again || queue_has_more(queue))
		claim(dispatch);
	queue_free(queue);
	tell_if_drained(dispatch);
}

static void
stop_queues(Dispatch *dispatch)
{
	for (int i = 0; i < DISPATCH_QUEUES_MAX; i++)
		if (dispatch->slots[i] != NULL)
			queue_stop(dispatch->slots[i]);
	tell_if_drained(dispatch);
}

static void
add_queue(Dispatch *dispatch, const DbResult *result, int row)
{
	uint8_t org[DB_UUID_SIZE];
	uint8_t webhook[DB_UUID_SIZE];
	int free_slot = 0;
	Queue *queue;

	while (free_slot < DISPATCH_QUEUES_MAX && dispatch->slots[free_slot] != NULL)
		free_slot++;
	if (free_slot == DISPATCH_QUEUES_MAX || !db_uuid(result, row, 0, org) ||
		!db_uuid(result, row, 1, webhook))
		return;
	queue = queue_start(&dispatch->queues, org, webhook, dispatch->claimed_ms);
	if (queue == NULL)
		return;
	dispatch->slots[free_slot] = queue;
	dispatch->count++;
}

/*
 * Stops queues that have used their time.  Whoever claims their webhooks next gets the
 * remaining deliveries; the database decides who that is.
 */
static void
end_long_turns(Dispatch *dispatch, int64_t now_ms)
{
	int64_t turn_ms =
		dispatch->count == DISPATCH_QUEUES_MAX ? DISPATCH_FULL_TURN_MS : DISPATCH_TURN_MS;

	if (!others_may_wait(dispatch))
		return;
	for (int i = 0; i < DISPATCH_QUEUES_MAX; i++)
		if (dispatch->slots[i] != NULL && now_ms >= queue_claimed_ms(dispatch->slots[i]) + turn_ms)
			queue_stop(dispatch->slots[i]);
}

static void
on_tick(void *context)
{
	Dispatch *dispatch = context;
	int64_t now_ms = clock_monotonic_ms();

	end_long_turns(dispatch, now_ms);
	for (int i = 0; i < DISPATCH_QUEUES_MAX; i++)
		if (dispatch->slots[i] != NULL)
			queue_tick(dispatch->slots[i], now_ms);
}

/* ---- claiming ---- */

/* The time until the database is asked again, unless something happens before. */
static int
poll_ms(const Dispatch *dispatch)
{
	if (clock_monotonic_ms() < dispatch->eager_until_ms)
		return DISPATCH_EAGER_POLL_MS;
	return dispatch->blind ? DISPATCH_BLIND_POLL_MS : DISPATCH_POLL_MS;
}

static void
take_claimed(void *context, const DbResult *result)
{
	Dispatch *dispatch = context;
	bool again = dispatch->claim_again && dispatch->count < DISPATCH_QUEUES_MAX;

	dispatch->claim_again = false;
	if (result != NULL && result->outcome != DB_ROWS)
		statements_log_failure(&worker_statements, WORKER_CLAIM_WEBHOOKS, result);
	for (int i = 0; result != NULL && result->outcome == DB_ROWS && i < result->rows; i++)
		add_queue(dispatch, result, i);
	if (dispatch->drained != NULL)
		stop_queues(dispatch);
	else
		db_task_in(&dispatch->claiming, again ? 0 : poll_ms(dispatch));
}

/* There is nothing to ask for when all places are taken. */
static DbRequest *
make_claim(void *context, DbDone done, void *arg)
{
	Dispatch *dispatch = context;
	const DispatchSetup *setup = &dispatch->setup;
	int room = DISPATCH_QUEUES_MAX - dispatch->count;

	if (room == 0)
		return NULL;
	dispatch->claimed_ms = clock_monotonic_ms();
	return statements_request(&worker_statements, WORKER_CLAIM_WEBHOOKS, NULL, done, arg, "sii",
							  setup->owner, room, setup->lease_ms);
}

/* Asks for queues now, or as soon as the current request has ended. */
static void
claim(Dispatch *dispatch)
{
	if (dispatch->drained != NULL)
		return;
	if (db_task_is_asked(&dispatch->claiming))
		dispatch->claim_again = true;
	else
		db_task_in(&dispatch->claiming, 0);
}

/* ---- waiting for events ---- */

static void
wake_lanes_of(Dispatch *dispatch, const uint8_t org[DB_UUID_SIZE])
{
	for (int i = 0; i < DISPATCH_QUEUES_MAX; i++)
		if (dispatch->slots[i] != NULL && queue_is_of(dispatch->slots[i], org))
			queue_wake(dispatch->slots[i]);
}

/* Each row after the first is an organization that has something new. */
static void
wake_queues(Dispatch *dispatch, const DbResult *result)
{
	uint8_t org[DB_UUID_SIZE];

	for (int row = 1; row < result->rows; row++)
		if (db_uuid(result, row, 1, org))
			wake_lanes_of(dispatch, org);
}

/*
 * Returns the milliseconds until the next wait; a negative number means that it does not
 * wait again.
 */
static int
take_waited(Dispatch *dispatch, const DbResult *result)
{
	int64_t seen = dispatch->seen;

	if (result->outcome == DB_REFUSED && strcmp(result->sqlstate, STATE_NOT_PRELOADED) == 0)
	{
		dispatch->blind = true;
		log_line(LOG_LEVEL_WARNING, "events_polled",
				 log_text("reason", "the database does not preload wa_apikeys"));
		return -1;
	}
	if (result->outcome != DB_ROWS || result->rows < 1 || !db_int(result, 0, 0, &seen))
	{
		if (result->outcome != DB_ROWS)
			statements_log_failure(&worker_statements, WORKER_EVENT_WAIT, result);
		return WAIT_AGAIN_MS;
	}
	if (seen != dispatch->seen)
	{
		dispatch->seen = seen;
		dispatch->eager_until_ms = clock_monotonic_ms() + DISPATCH_EAGER_MS;
		wake_queues(dispatch, result);
		claim(dispatch);
	}
	return WAIT_SPACING_MS;
}

static void
on_waited(void *context, const DbResult *result)
{
	Dispatch *dispatch = context;
	int ms = result == NULL ? WAIT_AGAIN_MS : take_waited(dispatch, result);

	if (ms >= 0)
		db_task_in(&dispatch->waiting, ms);
}

static DbRequest *
make_wait(void *context, DbDone done, void *arg)
{
	const Dispatch *dispatch = context;

	int wait_ms = dispatch->count > 0 ? DISPATCH_BUSY_WAIT_MS : DISPATCH_WAIT_MS;

	return statements_request(&worker_statements, WORKER_EVENT_WAIT, NULL, done, arg, "sIi",
							  dispatch->setup.owner, dispatch->seen, wait_ms);
}

/* ---- from outside ---- */

static bool
start_asking(Dispatch *dispatch)
{
	struct event_base *base = dispatch->setup.base;
	Db *db = dispatch->setup.db;

	if (!db_task_open(&dispatch->claiming, base, db, make_claim, take_claimed, dispatch) ||
		!db_task_open(&dispatch->waiting, base, db, make_wait, on_waited, dispatch) ||
		!timer_open(&dispatch->tick, base, on_tick, dispatch))
		return false;
	db_task_in(&dispatch->claiming, 0);
	db_task_in(&dispatch->waiting, 0);
	return timer_repeat(&dispatch->tick, TICK_MS);
}

Dispatch *
dispatch_start(const DispatchSetup *setup)
{
	Dispatch *dispatch = calloc(1, sizeof(*dispatch));

	if (dispatch == NULL)
		return NULL;
	dispatch->setup = *setup;
	dispatch->queues = (QueueSetup){.db = setup->db,
									.attempt = setup->attempt,
									.metrics = setup->metrics,
									.owner = dispatch->setup.owner,
									.lease_ms = setup->lease_ms,
									.sending = &dispatch->sending,
									.gone = on_gone,
									.context = dispatch};
	if (!start_asking(dispatch))
	{
		dispatch_free(dispatch);
		return NULL;
	}
	return dispatch;
}

void
dispatch_drain(Dispatch *dispatch, void (*done)(void *context), void *context)
{
	dispatch->drained = done;
	dispatch->drained_context = context;
	db_task_stop(&dispatch->claiming);
	stop_queues(dispatch);
}

void
dispatch_free(Dispatch *dispatch)
{
	if (dispatch == NULL)
		return;
	for (int i = 0; i < DISPATCH_QUEUES_MAX; i++)
		if (dispatch->slots[i] != NULL)
			queue_free(dispatch->slots[i]);
	db_task_close(&dispatch->claiming);
	db_task_close(&dispatch->waiting);
	timer_close(&dispatch->tick);
	free(dispatch);
}

int
dispatch_queues(const Dispatch *dispatch)
{
	return dispatch->count;
}

int
dispatch_sending(const Dispatch *dispatch)
{
	return dispatch->sending;
}
