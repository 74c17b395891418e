/*
 * housekeeping.c
 *		What has expired is taken away, a little at a time.
 */
#include "webhooks/housekeeping.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/util.h>

#include "db/result.h"
#include "lib/log.h"
#include "webhooks/statements.h"
#include "webhooks/metrics.h"

typedef struct Task
{
	const char *name; /* as wa.housekeep() and the metrics have it */
	WorkerStatement statement;
	int rows; /* of a batch; so many mean that there may be more */
} Task;

static const Task tasks[] = {
	{"events", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS},
	{"deliveries", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS},
	{"tickets", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS},
	{"sockets", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS},
	{"user_tokens", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS},
	{"sign_ins", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS},
	{"idempotency", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS},
	{"deleted_sessions", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS},
	{"read_chats", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS},
	{"unsent", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS},
	{"key_usage", WORKER_FLUSH_KEY_USAGE, 1000},
};

#define TASKS ((int) (sizeof(tasks) / sizeof(tasks[0])))

struct Housekeeping
{
	struct event_base *base;
	Db *db;
	Metrics *metrics;
	int period_ms;
	int task;     /* whose turn it is */
	bool backlog; /* a task of this round had more */
	DbRequest *asked;
	struct event *timer;
};

static void
wait_ms(Housekeeping *housekeeping, int ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_add(housekeeping->timer, &wait);
}

/* From half the period to one and a half. */
static int
jittered(int period_ms)
{
	uint32_t random;

	evutil_secure_rng_get_bytes(&random, sizeof(random));
	return period_ms / 2 + (int) (random % ((uint32_t) period_ms + 1));
}

/* The next task; after the last one the round is over. */
static void
go_on(Housekeeping *housekeeping)
{
	housekeeping->task++;
	if (housekeeping->task < TASKS)
	{
		wait_ms(housekeeping, HOUSEKEEPING_PAUSE_MS / TASKS);
		return;
	}
	housekeeping->task = 0;
	wait_ms(housekeeping,
			housekeeping->backlog ? HOUSEKEEPING_PAUSE_MS : jittered(housekeeping->period_ms));
	housekeeping->backlog = false;
}

static void
on_done(void *arg, const DbResult *result)
{
	Housekeeping *housekeeping = arg;
	const Task *task = &tasks[housekeeping->task];
	int64_t rows = 0;

	housekeeping->asked = NULL;
	if (result->outcome != DB_ROWS)
		worker_log_failure(task->statement, result);
	else if (result->rows == 1 && db_int(result, 0, 0, &rows) && rows > 0)
	{
		metrics_add(housekeeping->metrics, WORKER_HOUSEKEPT, (const char *[]){task->name, NULL},
					(uint64_t) rows);
		log_line(LOG_LEVEL_DEBUG, "housekept", log_text("task", task->name), log_int("rows", rows));
	}
	housekeeping->backlog |= rows >= task->rows;
	go_on(housekeeping);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	Housekeeping *housekeeping = arg;
	const Task *task = &tasks[housekeeping->task];
	DbRequest *request = worker_request(task->statement, NULL, on_done, housekeeping);

	(void) fd;
	(void) what;
	if (request != NULL && task->statement == WORKER_HOUSEKEEPING &&
		(!db_param_text(request, task->name, strlen(task->name)) ||
		 !db_param_int32(request, task->rows)))
	{
		db_request_free(request);
		request = NULL;
	}
	if (request != NULL && db_submit(housekeeping->db, request))
		housekeeping->asked = request;
	else
		go_on(housekeeping);
}

Housekeeping *
housekeeping_start(struct event_base *base, Db *db, Metrics *metrics, int period_ms)
{
	Housekeeping *housekeeping = calloc(1, sizeof(*housekeeping));

	if (housekeeping == NULL)
		return NULL;
	*housekeeping =
		(Housekeeping){.base = base, .db = db, .metrics = metrics, .period_ms = period_ms};
	housekeeping->timer = evtimer_new(base, on_timer, housekeeping);
	if (housekeeping->timer == NULL)
	{
		free(housekeeping);
		return NULL;
	}
	for (int i = 0; i < TASKS; i++)
		metrics_add(metrics, WORKER_HOUSEKEPT, (const char *[]){tasks[i].name, NULL}, 0);
	wait_ms(housekeeping, jittered(period_ms));
	return housekeeping;
}

void
housekeeping_stop(Housekeeping *housekeeping)
{
	if (housekeeping == NULL)
		return;
	if (housekeeping->asked != NULL)
		db_abandon(housekeeping->asked);
	event_free(housekeeping->timer);
	free(housekeeping);
}
