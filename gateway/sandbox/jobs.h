/*
 * jobs.h
 *		The jobs that were claimed and are on their way: messages and message actions.
 *
 *	CLAIMED ──▶ SENT ──▶ DELIVERED ──▶ READ ──▶ REACTED ──▶ ANSWERED ──▶ gone
 *
 * A job enters its next state after a step's delay and a report that the database has
 * accepted.  States that it does not need are skipped.
 */
#ifndef SANDBOX_JOBS_H
#define SANDBOX_JOBS_H

#include "sandbox/sandbox.h"
#include "sandbox/sessions.h"

/* The most jobs that are on their way at once; the rest stays queued in the database. */
#define JOBS_MESSAGES_MAX 4096
#define JOBS_ACTIONS_MAX 1024
#define JOBS_MAX (JOBS_MESSAGES_MAX + JOBS_ACTIONS_MAX)

typedef enum JobKind
{
	JOB_MESSAGE,
	JOB_ACTION, /* a reaction, an edit, a revocation or a forward */
	JOB_KINDS
} JobKind;

typedef struct Jobs Jobs;

/* Claims jobs every poll_ms.  The sandbox is borrowed.  NULL: out of memory. */
extern Jobs *
jobs_start(const Sandbox *sandbox, int poll_ms, void (*drained)(void *context), void *context);

/*
 * Claims nothing more, and finishes the jobs without delays.  Then it calls
 * drained(context), possibly before it returns.
 */
extern void jobs_drain(Jobs *jobs);

/*
 * Frees the jobs of sessions that are no longer leased: their phones send nothing.  The
 * database decides by the leases of the jobs what becomes of them.
 */
extern void jobs_forget(Jobs *jobs, const Sessions *sessions);

/* The number of jobs that are on their way. */
extern int jobs_count(const Jobs *jobs);

/* Ends all jobs at once.  The argument may be NULL. */
extern void jobs_free(Jobs *jobs);

#endif
