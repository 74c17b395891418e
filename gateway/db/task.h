/*
 * task.h
 *		A request to the database that is made at a set time, and again as its answer says.
 *
 *	IDLE ──db_task_in()──▶ WAITING ──the time has come──▶ ASKED ──take()──▶ IDLE
 *
 * A task has at most one request.  take() is called once for each request: with the answer,
 * or with NULL when the request could not be made.  It may set the next time, and it may
 * close the task.
 */
#ifndef DB_TASK_H
#define DB_TASK_H

#include "db/db.h"
#include "lib/timer.h"

/* Makes the request, by db_request_new() with this done and arg.  NULL: it could not. */
typedef DbRequest *(*DbTaskMake)(void *context, DbDone done, void *arg);

/* Takes the answer; the result is not valid after it returns. */
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

/* Opens a task, which is idle; its address must not change.  False: out of memory. */
extern bool db_task_open(DbTask *task, struct event_base *base, Db *db, DbTaskMake make,
						 DbTaskTake take, void *context);

/*
 * Makes the request in ms milliseconds; replaces a time that was set before.  If a request is
 * already outstanding at that time, no second one is made.
 */
extern void db_task_in(DbTask *task, int64_t ms);

/* Makes the request at once; take() may be called before this returns, with NULL. */
extern void db_task_now(DbTask *task);

/* Cancels the time that was set; an outstanding request is still answered. */
extern void db_task_stop(DbTask *task);

extern bool db_task_is_asked(const DbTask *task);

/* Ends the task without calling take(); a zeroed task may be closed. */
extern void db_task_close(DbTask *task);

#endif
