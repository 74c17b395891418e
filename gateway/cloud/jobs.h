/*
 * jobs.h
 *		The messages and message actions that were claimed and are on their way.
 *
 *	WAITING ──its turn──▶ SENDING ──the answer──▶ REPORTING ──the database has it──▶ gone
 *	   ▲                     │  │
 *	   └── again, a pause ───┘  └──no answer──▶ UNSURE ──nothing was heard──▶ REPORTING
 *
 * The jobs of a chat are sent one after the other.  A pause that Meta asks for, and a try that is
 * repeated, keep the job here: it loses neither its place in the chat nor an attempt.
 *
 * Whether Meta has taken a message whose answer did not come is told by the webhook of its status
 * only, which carries the id of the message.  If none has come in time, the message is reported as
 * failed, and its error says that the outcome is unknown.  It is not sent again.
 */
#ifndef CLOUD_JOBS_H
#define CLOUD_JOBS_H

#include "cloud/cloud.h"
#include "cloud/sessions.h"

/* The most jobs that are on their way at once; the rest stays queued in the database. */
#define JOBS_MESSAGES_MAX 4096
#define JOBS_ACTIONS_MAX 1024
#define JOBS_MAX (JOBS_MESSAGES_MAX + JOBS_ACTIONS_MAX + 2 * JOBS_RENEWED)

/*
 * ... and of one kind and session; and of an organization, a quarter of those of one kind.  A
 * claim takes half of these at most (wa.connector_claim(), wa.connector_actions()), so more are
 * here only while their leases have run out.
 */
#define JOBS_SESSION_MAX 200
#define JOBS_ORG_SHARE 4

/*
 * What is claimed when all places are taken: jobs that are here have their leases renewed by it.
 * Others are given back.
 */
#define JOBS_RENEWED 16 /* of each kind */

typedef struct Jobs Jobs;

/* Claims jobs every poll_ms.  The cloud and the sessions are borrowed.  NULL: out of memory. */
extern Jobs *jobs_start(const Cloud *cloud, Sessions *sessions);

/*
 * Gives back the jobs that wait and whose session does not work any more; starts those whose
 * session has begun to work.
 */
extern void jobs_look(Jobs *jobs);

/*
 * Claims nothing more, gives back what waits, and finishes what is being sent.  Then it calls
 * drained(context), possibly before it returns.
 */
extern void jobs_drain(Jobs *jobs, void (*drained)(void *context), void *context);

/* The number of jobs that are on their way. */
extern int jobs_count(const Jobs *jobs);

/* Ends all jobs at once.  The argument may be NULL. */
extern void jobs_free(Jobs *jobs);

#endif
