/*
 * task.c
 *		A request to the database that is made at a set time; see task.h.
 */
#include "db/task.h"

static void
on_answer(void *arg, const DbResult *result)
{
	DbTask *task = arg;

	task->request = NULL;
	task->take(task->context, result);
}

void
db_task_now(DbTask *task)
{
	DbRequest *request;

	timer_stop(&task->timer);
	if (task->request != NULL)
		return;
	request = task->make(task->context, on_answer, task);
	if (request != NULL && db_submit(task->db, request))
		task->request = request;
	else
		task->take(task->context, NULL);
}

static void
on_due(void *context)
{
	db_task_now(context);
}

bool
db_task_open(DbTask *task, struct event_base *base, Db *db, DbTaskMake make, DbTaskTake take,
			 void *context)
{
	*task = (DbTask){.db = db, .make = make, .take = take, .context = context};
	return timer_open(&task->timer, base, on_due, task);
}

void
db_task_in(DbTask *task, int64_t ms)
{
	timer_start(&task->timer, ms);
}

void
db_task_stop(DbTask *task)
{
	timer_stop(&task->timer);
}

bool
db_task_is_asked(const DbTask *task)
{
	return task->request != NULL;
}

void
db_task_close(DbTask *task)
{
	timer_close(&task->timer);
	if (task->request != NULL)
		db_abandon(task->request);
	task->request = NULL;
}
