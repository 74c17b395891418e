/*
 * jobs.h
 *		What was claimed and is on its way: messages, and what is done to messages.
 *
 *	CLAIMED ──▶ SENT ──▶ DELIVERED ──▶ READ ──▶ REACTED ──▶ ANSWERED ──▶ gone
 *
 * A job goes to its next state a step after it has come to the last, by a report that the
 * database has taken.  It leaves out the states that it has no need of.
 */
#ifndef SANDBOX_JOBS_H
#define SANDBOX_JOBS_H

#include "sandbox/sandbox.h"
#include "sandbox/sessions.h"

/* On their way at once; the rest stays queued in the database. */
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

/* Claims every poll_ms.  The sandbox is borrowed.  NULL: out of memory. */
extern Jobs *
jobs_start(const Sandbox *sandbox, int poll_ms, void (*drained)(void *context), void *context);

/*
 * Claims nothing more, and does the rest without delays; drained(context) when it is done,
 * maybe from within.
 */
extern void jobs_drain(Jobs *jobs);

/*
 * Forgets the jobs of sessions that are not leased any more: their telephones send nothing.
 * The database knows by the leases of the jobs what is to become of them.
 */
extern void jobs_forget(Jobs *jobs, const Sessions *sessions);

/* Jobs that are on their way. */
extern int jobs_count(const Jobs *jobs);

/* Ends all at once; may be NULL. */
extern void jobs_free(Jobs *jobs);

#endif
