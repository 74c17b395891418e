/*
 * realtime.c
 *		Events to WebSockets: the whole of it, made and freed.
 */
#include "realtime/realtime.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "realtime/read.h"
#include "realtime/state.h"
#include "realtime/wait.h"

/* How often it is looked whether all is given back. */
#define DRAIN_TICK_MS 20

static bool
find_statements(Realtime *realtime)
{
	Statements *statements = &realtime->statements;
	const struct
	{
		const char *name;
		int *index;
	} names[] = {
		{"realtime_redeem", &statements->redeem}, {"realtime_open", &statements->open},
		{"realtime_start", &statements->start},   {"realtime_batch", &statements->batch},
		{"realtime_close", &statements->close},   {"realtime_credential", &statements->credential},
		{"event_wait", &statements->wait},        {"event_knock", &statements->knock},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		*names[i].index = db_statement_find(realtime->config.db.role, names[i].name);
		if (*names[i].index < 0)
		{
			log_line(LOG_LEVEL_ERROR, "statement_missing", log_text("statement", names[i].name));
			return false;
		}
	}
	return true;
}

static void
on_drain_tick(evutil_socket_t fd, short what, void *context)
{
	Realtime *realtime = context;
	void (*drained)(void *context) = realtime->drained;

	(void) fd;
	(void) what;
	if (realtime->forget_count > 0 && clock_monotonic_ms() < realtime->drain_deadline)
		return;
	event_del(realtime->drain);
	realtime->drained = NULL;
	if (drained != NULL)
		drained(realtime->drained_context);
}

static bool
make_timers(Realtime *realtime)
{
	struct timeval hour = {.tv_sec = EXPIRY_SWEEP_MS / 1000};

	realtime->late_tick = event_new(realtime->base, -1, EV_PERSIST, feeds_on_late_tick, realtime);
	realtime->sweep = event_new(realtime->base, -1, EV_PERSIST, feeds_on_sweep, realtime);
	realtime->drain = event_new(realtime->base, -1, EV_PERSIST, on_drain_tick, realtime);
	return realtime->late_tick != NULL && realtime->sweep != NULL && realtime->drain != NULL &&
		   event_add(realtime->sweep, &hour) == 0;
}

static void
make_lists(Realtime *realtime)
{
	for (int i = 0; i < HOLDER_LISTS; i++)
		TAILQ_INIT(&realtime->holders[i]);
	for (int i = 0; i < ORG_LISTS; i++)
		TAILQ_INIT(&realtime->orgs[i]);
	TAILQ_INIT(&realtime->unwatched);
	TAILQ_INIT(&realtime->due);
	TAILQ_INIT(&realtime->late);
	TAILQ_INIT(&realtime->openings);
	TAILQ_INIT(&realtime->forgets);
	buffer_init(&realtime->frames, FRAMES_MAX);
}

Realtime *
realtime_open(struct event_base *base, Db *db, const RealtimeConfig *config)
{
	Realtime *realtime = calloc(1, sizeof(*realtime));

	if (realtime == NULL)
		return NULL;
	realtime->base = base;
	realtime->db = db;
	realtime->config = *config;
	realtime->reads_max = READS_PER_CONNECTION * config->db.connections;
	make_lists(realtime);
	realtime->waiting = waiting_create(realtime);
	if (realtime->waiting == NULL || !find_statements(realtime) || !make_timers(realtime))
	{
		realtime_free(realtime);
		return NULL;
	}
	return realtime;
}

void
realtime_free(Realtime *realtime)
{
	if (realtime == NULL)
		return;
	openings_end(realtime);
	forgets_free(realtime);
	waiting_free(realtime->waiting);
	if (realtime->late_tick != NULL)
		event_free(realtime->late_tick);
	if (realtime->sweep != NULL)
		event_free(realtime->sweep);
	if (realtime->drain != NULL)
		event_free(realtime->drain);
	buffer_free(&realtime->frames);
	free(realtime);
}

void
realtime_drain(Realtime *realtime, void (*done)(void *context), void *context)
{
	struct timeval tick = {.tv_usec = DRAIN_TICK_MS * 1000};

	realtime->drained = done;
	realtime->drained_context = context;
	realtime->drain_deadline = clock_monotonic_ms() + REALTIME_DRAIN_MS;
	event_add(realtime->drain, &tick);
	event_active(realtime->drain, EV_TIMEOUT, 0);
}

int
realtime_sockets(const Realtime *realtime)
{
	return realtime->sockets;
}
