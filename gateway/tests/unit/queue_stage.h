/*
 * queue_stage.h
 *		A queue of the worker between a database and a receiver that are the test's own.
 *
 * attempt_start() only notes what is asked for, as the database of db_stage.h does, and each
 * test answers as it likes.  It replaces the program's: a test that links this links it in
 * front of the rest.
 */
#ifndef TESTS_UNIT_QUEUE_STAGE_H
#define TESTS_UNIT_QUEUE_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "webhooks/queue.h"
#include "webhooks/statements.h"

#define STAGE_LEASE_MS 60000
#define STAGE_ATTEMPTS_MAX 64

struct Attempt
{
	AttemptDone done;
	void *arg;
	char body;
	char url[32];
	AttemptSignatures signatures;
};

typedef struct QueueStage
{
	Queue *queue; /* NULL: it has ended */
	bool had_more;
	int sending;
	int64_t began_ms;

	Attempt *attempts[STAGE_ATTEMPTS_MAX]; /* in the order of their starts; those under way */
	int attempt_count;
} QueueStage;

extern QueueStage stage;

/* A queue that was just claimed; and the end of everything. */
extern void stage_start(void);
extern void stage_stop(void);

extern bool stage_is_asked(const char *statement);

/*
 * The webhook with this URL, and deliveries, one for each character of sessions, which names
 * its session; '-' is one whose event is gone.  The body is its number; so are its
 * signatures, and the time of them.  All but those of session 'z' were never tried.  URL
 * NULL: the webhook is gone.
 */
extern void stage_answer_taken(const char *url, const char *sessions);

/* What each of the results that are reported has made of its delivery. */
extern void stage_answer_done(const char *status);
extern void stage_answer_bool(const char *statement, bool value);
extern void stage_answer_outcome(const char *statement, DbOutcome outcome);

/* The same with a URL that does not matter. */
extern void stage_take(const char *sessions);

/*
 * What the report that is asked for says: "200 delivered", "why, not delivered" and so on,
 * separated by semicolons, and "released" at the end if it gives the webhook back.
 */
extern const char *stage_reported(void);

/* The last byte of the id of the delivery behind which is looked; -1: from the start. */
extern int stage_asked_after(void);

/* The bodies of the requests that are under way. */
extern const char *stage_under_way(void);

/* Ends the one with this body; status 0: there was no answer. */
extern void stage_receiver_answers(char body, int status);

#endif
