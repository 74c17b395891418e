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

/* The URL of the webhook; NULL: it is gone. */
extern void stage_answer_webhook(const char *url);

/*
 * Deliveries, one for each character of sessions, which names its session; '-' is one whose
 * event is gone.  The body is its number; so are its signatures, and the time of them.
 */
extern void stage_answer_deliveries(const char *sessions);

extern void stage_answer_done(const char *status);
extern void stage_answer_bool(const char *statement, bool value);
extern void stage_answer_outcome(const char *statement, DbOutcome outcome);

/* Answers with the webhook, and these as what is taken. */
extern void stage_take(const char *sessions);

/*
 * Answers the look for more, which began when the last batch was small, and has nothing to
 * say any more.
 */
extern void stage_answer_look(void);

/* What the first report that is asked for says: "200", "gone: why" and so on. */
extern const char *stage_reported(void);

/* The bodies of the requests that are under way. */
extern const char *stage_under_way(void);

/* Ends the one with this body; status 0: there was no answer. */
extern void stage_receiver_answers(char body, int status);

#endif
