/*
 * housekeeping.c
 *		Removes expired rows in small batches.
 */
#include "webhooks/housekeeping.h"

#include <stdlib.h>
#include <string.h>

#include <event2/util.h>

#include "db/result.h"
#include "db/task.h"
#include "lib/log.h"
#include "webhooks/statements.h"
#include "webhooks/metrics.h"

typedef struct Task
{
	const char *name; /* as wa.housekeep() and the metrics name it */
	WorkerStatement statement;
	int rows; /* of a batch, at most */
	int full; /* from how many rows on there may be more: one organization's backlog has half of a batch */
} Task;

/* A batch of events ends where the deliveries of a few are many. */
static const Task tasks[] = {
	{"events", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, HOUSEKEEPING_ROWS / 2},
	{"deliveries", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, HOUSEKEEPING_ROWS / 2},
	{"tickets", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, HOUSEKEEPING_ROWS / 2},
	{"sockets", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, HOUSEKEEPING_ROWS / 2},
	{"user_tokens", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, HOUSEKEEPING_ROWS / 2},
	{"sign_ins", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, HOUSEKEEPING_ROWS},
	{"idempotency", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, HOUSEKEEPING_ROWS / 2},
	{"key_warnings", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, 1},
	{"ends", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, 1},
	{"key_hours", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, HOUSEKEEPING_ROWS / 2},
	{"deleted_sessions", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, HOUSEKEEPING_ROWS},
	{"read_chats", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, HOUSEKEEPING_ROWS},
	{"unsent", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, 1},
	{"media", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, 1},
	{"failed_sign_ins", WORKER_HOUSEKEEPING, 64, 64},
	{"audit", WORKER_HOUSEKEEPING, HOUSEKEEPING_ROWS, HOUSEKEEPING_ROWS},
	{"key_usage", WORKER_FLUSH_KEY_USAGE, 1000, 1000},
};

#define TASKS ((int) (sizeof(tasks) / sizeof(tasks[0])))

struct Housekeeping
{
	Metrics *metrics;
	int period_ms;
	int task;     /* the current task */
	bool backlog; /* a task of this round had a full batch */
	DbTask asking;
};

int
housekeeping_jittered(int period_ms)
{
	uint32_t random;

	evutil_secure_rng_get_bytes(&random, sizeof(random));
	return period_ms / 2 + (int) (random % ((uint32_t) period_ms + 1));
}

/* Starts the next task; after the last one the round is over. */
static void
go_on(Housekeeping *housekeeping)
{
	int ms = HOUSEKEEPING_PAUSE_MS / TASKS;

	housekeeping->task++;
	if (housekeeping->task == TASKS)
	{
		ms = housekeeping->backlog ? HOUSEKEEPING_PAUSE_MS
								   : housekeeping_jittered(housekeeping->period_ms);
		housekeeping->task = 0;
		housekeeping->backlog = false;
	}
	db_task_in(&housekeeping->asking, ms);
}

static void
take_result(void *context, const DbResult *result)
{
	Housekeeping *housekeeping = context;
	const Task *task = &tasks[housekeeping->task];
	int64_t rows = 0;

	if (result != NULL && result->outcome != DB_ROWS)
		statements_log_failure(&worker_statements, task->statement, result);
	else if (result != NULL && result->rows == 1 && db_int(result, 0, 0, &rows) && rows > 0)
	{
		metrics_add(housekeeping->metrics, WORKER_HOUSEKEPT, (const char *[]){task->name, NULL},
					(uint64_t) rows);
		log_line(LOG_LEVEL_DEBUG, "housekept", log_text("task", task->name), log_int("rows", rows));
	}
	housekeeping->backlog |= rows >= task->full;
	go_on(housekeeping);
}

static DbRequest *
make_request(void *context, DbDone done, void *arg)
{
	const Housekeeping *housekeeping = context;
	const Task *task = &tasks[housekeeping->task];

	if (task->statement != WORKER_HOUSEKEEPING)
		return statements_request(&worker_statements, task->statement, NULL, done, arg, "");
	return statements_request(&worker_statements, task->statement, NULL, done, arg, "si",
							  task->name, task->rows);
}

Housekeeping *
housekeeping_start(struct event_base *base, Db *db, Metrics *metrics, int period_ms)
{
	Housekeeping *housekeeping = calloc(1, sizeof(*housekeeping));

	if (housekeeping == NULL)
		return NULL;
	*housekeeping = (Housekeeping){.metrics = metrics, .period_ms = period_ms};
	if (!db_task_open(&housekeeping->asking, base, db, make_request, take_result, housekeeping))
	{
		free(housekeeping);
		return NULL;
	}
	for (int i = 0; i < TASKS; i++)
		metrics_add(metrics, WORKER_HOUSEKEPT, (const char *[]){tasks[i].name, NULL}, 0);
	db_task_in(&housekeeping->asking, housekeeping_jittered(period_ms));
	return housekeeping;
}

void
housekeeping_stop(Housekeeping *housekeeping)
{
	if (housekeeping == NULL)
		return;
	db_task_close(&housekeeping->asking);
	free(housekeeping);
}
