/*
 * task.h
 *		Something to ask the database at a time, and again when its answer says so.
 *
 *	IDLE ──db_task_in()──▶ WAITING ──the time has come──▶ ASKED ──take()──▶ IDLE
 *
 * It has one request at most.  take() is called once for each time that was set: with the
 * answer, or with NULL when nothing could be asked.  It may set the next time, and may close
 * the task.
 */
#ifndef DB_TASK_H
#define DB_TASK_H

#include "db/db.h"
#include "lib/timer.h"

/*
 * Makes the request, by db_request_new() with these two.  NULL: could not.
 */
typedef DbRequest *(*DbTaskMake)(void *context, DbDone done, void *arg);

/* The result is gone when it returns. */
typedef void (*DbTaskTake)(void *context, const DbResult *result);

typedef struct DbTask
{
	Db *db;
	DbTaskMake make;
	DbTaskTake take;
	void *context;
	Timer timer;
	DbRequest *request; /* ASKED */
} DbTask;

/* The task is idle.  False: no memory.  Its address must not change until db_task_close(). */
extern bool db_task_open(DbTask *task, struct event_base *base, Db *db, DbTaskMake make,
						 DbTaskTake take, void *context);

/*
 * Asks in so many milliseconds; a time that was set before no longer counts.  When the time
 * comes while it is asked, that answer is the one.
 */
extern void db_task_in(DbTask *task, int64_t ms);

/* Asks at once; take() may be called from within, with NULL. */
extern void db_task_now(DbTask *task);

/* No time is set any more; what is asked is still answered. */
extern void db_task_stop(DbTask *task);

extern bool db_task_is_asked(const DbTask *task);

/* Neither asks nor takes an answer; a task of zeros may be closed. */
extern void db_task_close(DbTask *task);

#endif
