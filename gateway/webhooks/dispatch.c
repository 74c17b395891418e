/*
 * dispatch.c
 *		Which webhooks this process delivers to: claims their queues, and lets them go.
 *
 * An event that was committed may not be visible to readers yet, because an older transaction
 * that writes events of its organization still runs; nobody tells when that one rolls back.
 * So a wake-up is followed by some looks in short succession.
 */
#include "webhooks/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "db/result.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "webhooks/queue.h"
#include "webhooks/statements.h"

/* How often queues look at their leases and reports. */
#define TICK_MS 250

/* Before waiting again: after an event, so that many of them are one wake-up; after a failure. */
#define WAIT_SPACING_MS 20
#define WAIT_AGAIN_MS 1000

/* Raised by wa.wait_for_deliveries() where the library is not preloaded. */
#define STATE_NOT_PRELOADED "55000"

struct Dispatch
{
	DispatchSetup setup;
	QueueSetup queues;
	Queue *slots[DISPATCH_QUEUES_MAX]; /* NULL: free */
	int count;
	int sending;

	DbRequest *claiming;
	int64_t claimed_ms; /* when that was asked */
	bool claim_again;
	struct event *poll;

	DbRequest *waiting;
	int64_t seen; /* of wa.wait_for_deliveries() */
	bool blind;   /* the database cannot tell */
	int64_t eager_until_ms;
	struct event *wait_again;

	struct event *tick;

	void (*drained)(void *context); /* NULL: not draining */
	void *drained_context;
	bool told; /* drained was called */
};

static void claim(Dispatch *dispatch);

static void
add_timer(struct event *timer, int ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_add(timer, &wait);
}

/* ---- queues ---- */

static void
tell_if_drained(Dispatch *dispatch)
{
	if (dispatch->drained == NULL || dispatch->told || dispatch->count > 0 ||
		dispatch->claiming != NULL)
		return;
	dispatch->told = true;
	dispatch->drained(dispatch->drained_context);
}

static void
on_gone(void *context, Queue *queue)
{
	Dispatch *dispatch = context;
	bool others_may_wait = dispatch->count >= DISPATCH_QUEUES_MAX - DISPATCH_QUEUES_KEPT;

	for (int i = 0; i < DISPATCH_QUEUES_MAX; i++)
		if (dispatch->slots[i] == queue)
			dispatch->slots[i] = NULL;
	dispatch->count--;
	if (others_may_wait || queue_has_more(queue))
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

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	Dispatch *dispatch = arg;
	int64_t now_ms = clock_monotonic_ms();

	(void) fd;
	(void) what;
	for (int i = 0; i < DISPATCH_QUEUES_MAX; i++)
		if (dispatch->slots[i] != NULL)
			queue_tick(dispatch->slots[i], now_ms);
}

/* ---- claiming ---- */

static void
on_claimed(void *arg, const DbResult *result)
{
	Dispatch *dispatch = arg;
	int room = DISPATCH_QUEUES_MAX - dispatch->count;

	dispatch->claiming = NULL;
	if (result->outcome != DB_ROWS)
		worker_log_failure(WORKER_CLAIM_WEBHOOKS, result);
	for (int i = 0; result->outcome == DB_ROWS && i < result->rows; i++)
		add_queue(dispatch, result, i);
	if (dispatch->claim_again && room > 0)
		claim(dispatch);
	if (dispatch->drained != NULL)
		stop_queues(dispatch);
}

/* Asks for queues now, or as soon as the asking that is under way has ended. */
static void
claim(Dispatch *dispatch)
{
	DbRequest *request;

	if (dispatch->drained != NULL || dispatch->count == DISPATCH_QUEUES_MAX)
		return;
	dispatch->claim_again = dispatch->claiming != NULL;
	if (dispatch->claim_again)
		return;
	request = worker_request(WORKER_CLAIM_WEBHOOKS, NULL, on_claimed, dispatch);
	if (request != NULL &&
		(!db_param_text(request, dispatch->setup.owner, strlen(dispatch->setup.owner)) ||
		 !db_param_int32(request, DISPATCH_QUEUES_MAX - dispatch->count) ||
		 !db_param_int32(request, dispatch->setup.lease_ms)))
	{
		db_request_free(request);
		return;
	}
	dispatch->claimed_ms = clock_monotonic_ms();
	if (request != NULL && db_submit(dispatch->setup.db, request))
		dispatch->claiming = request;
}

static void
on_poll(evutil_socket_t fd, short what, void *arg)
{
	Dispatch *dispatch = arg;
	int ms = dispatch->blind ? DISPATCH_BLIND_POLL_MS : DISPATCH_POLL_MS;

	(void) fd;
	(void) what;
	if (clock_monotonic_ms() < dispatch->eager_until_ms)
		ms = DISPATCH_EAGER_POLL_MS;
	claim(dispatch);
	add_timer(dispatch->poll, ms);
}

/* ---- waiting for events ---- */

static void
wake_lanes_of(Dispatch *dispatch, const uint8_t org[DB_UUID_SIZE])
{
	for (int i = 0; i < DISPATCH_QUEUES_MAX; i++)
		if (dispatch->slots[i] != NULL && queue_is_of(dispatch->slots[i], org))
			queue_wake(dispatch->slots[i]);
}

/* All rows but the first are organizations that have something new. */
static void
wake_queues(Dispatch *dispatch, const DbResult *result)
{
	uint8_t org[DB_UUID_SIZE];

	for (int row = 1; row < result->rows; row++)
		if (db_uuid(result, row, 1, org))
			wake_lanes_of(dispatch, org);
}

static void
on_waited(void *arg, const DbResult *result)
{
	Dispatch *dispatch = arg;
	int64_t seen = dispatch->seen;

	dispatch->waiting = NULL;
	if (result->outcome == DB_REFUSED && strcmp(result->sqlstate, STATE_NOT_PRELOADED) == 0)
	{
		dispatch->blind = true;
		log_line(LOG_LEVEL_WARNING, "events_polled",
				 log_text("reason", "the database does not preload wa_apikeys"));
		return;
	}
	if (result->outcome != DB_ROWS || result->rows < 1 || !db_int(result, 0, 0, &seen))
	{
		if (result->outcome != DB_ROWS)
			worker_log_failure(WORKER_EVENT_WAIT, result);
		add_timer(dispatch->wait_again, WAIT_AGAIN_MS);
		return;
	}
	if (seen != dispatch->seen)
	{
		dispatch->seen = seen;
		dispatch->eager_until_ms = clock_monotonic_ms() + DISPATCH_EAGER_MS;
		wake_queues(dispatch, result);
		claim(dispatch);
		add_timer(dispatch->poll, DISPATCH_EAGER_POLL_MS);
	}
	add_timer(dispatch->wait_again, WAIT_SPACING_MS);
}

static void
on_wait_again(evutil_socket_t fd, short what, void *arg)
{
	Dispatch *dispatch = arg;
	DbRequest *request = worker_request(WORKER_EVENT_WAIT, NULL, on_waited, dispatch);

	(void) fd;
	(void) what;
	if (request != NULL &&
		(!db_param_text(request, dispatch->setup.owner, strlen(dispatch->setup.owner)) ||
		 !db_param_int64(request, dispatch->seen) || !db_param_int32(request, DISPATCH_WAIT_MS)))
	{
		db_request_free(request);
		request = NULL;
	}
	if (request != NULL && db_submit(dispatch->setup.db, request))
		dispatch->waiting = request;
	else
		add_timer(dispatch->wait_again, WAIT_AGAIN_MS);
}

/* ---- from outside ---- */

static bool
start_timers(Dispatch *dispatch)
{
	struct timeval tick = {.tv_sec = TICK_MS / 1000, .tv_usec = TICK_MS % 1000 * 1000};

	dispatch->poll = evtimer_new(dispatch->setup.base, on_poll, dispatch);
	dispatch->wait_again = evtimer_new(dispatch->setup.base, on_wait_again, dispatch);
	dispatch->tick = event_new(dispatch->setup.base, -1, EV_PERSIST, on_tick, dispatch);
	if (dispatch->poll == NULL || dispatch->wait_again == NULL || dispatch->tick == NULL)
		return false;
	add_timer(dispatch->poll, 0);
	add_timer(dispatch->wait_again, 0);
	return event_add(dispatch->tick, &tick) == 0;
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
	if (!start_timers(dispatch))
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
	event_del(dispatch->poll);
	stop_queues(dispatch);
}

void
dispatch_free(Dispatch *dispatch)
{
	struct event *timers[] = {dispatch == NULL ? NULL : dispatch->poll,
							  dispatch == NULL ? NULL : dispatch->wait_again,
							  dispatch == NULL ? NULL : dispatch->tick};

	if (dispatch == NULL)
		return;
	for (int i = 0; i < DISPATCH_QUEUES_MAX; i++)
		if (dispatch->slots[i] != NULL)
			queue_free(dispatch->slots[i]);
	if (dispatch->claiming != NULL)
		db_abandon(dispatch->claiming);
	if (dispatch->waiting != NULL)
		db_abandon(dispatch->waiting);
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
		if (timers[i] != NULL)
			event_free(timers[i]);
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
