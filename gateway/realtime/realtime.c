/*
 * realtime.c
 *		Sends events to WebSockets: makes and frees the parts of this folder.
 */
#include "realtime/realtime.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "realtime/read.h"
#include "realtime/state.h"
#include "realtime/wait.h"

/* How often a drain checks whether all credentials are given back. */
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
on_drain_tick(void *context)
{
	Realtime *realtime = context;
	void (*drained)(void *context) = realtime->drained;

	if (realtime->forget_count > 0 && clock_monotonic_ms() < realtime->drain_deadline)
	{
		timer_start(&realtime->drain, DRAIN_TICK_MS);
		return;
	}
	realtime->drained = NULL;
	if (drained != NULL)
		drained(realtime->drained_context);
}

static bool
make_timers(Realtime *realtime)
{
	struct event_base *base = realtime->base;

	return timer_open(&realtime->late_tick, base, feeds_on_late_tick, realtime) &&
		   timer_open(&realtime->sweep, base, feeds_on_sweep, realtime) &&
		   timer_open(&realtime->drain, base, on_drain_tick, realtime) &&
		   timer_repeat(&realtime->sweep, EXPIRY_SWEEP_MS);
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
	timer_close(&realtime->late_tick);
	timer_close(&realtime->sweep);
	timer_close(&realtime->drain);
	buffer_free(&realtime->frames);
	free(realtime);
}

void
realtime_drain(Realtime *realtime, void (*done)(void *context), void *context)
{
	realtime->drained = done;
	realtime->drained_context = context;
	realtime->drain_deadline = clock_monotonic_ms() + REALTIME_DRAIN_MS;
	timer_start(&realtime->drain, 0);
}

int
realtime_sockets(const Realtime *realtime)
{
	return realtime->sockets;
}
