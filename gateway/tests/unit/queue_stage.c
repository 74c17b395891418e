/*
 * queue_stage.c
 *		A queue of the worker between a database and a receiver that are the test's own.
 */
#include "tests/unit/queue_stage.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "tests/unit/db_stage.h"

#define TAKEN_COLUMNS 7

QueueStage stage;

/* ---- the database ---- */

bool
stage_is_asked(const char *statement)
{
	return db_stage_find(statement) != NULL;
}

void
stage_answer_outcome(const char *statement, DbOutcome outcome)
{
	db_stage_refuse(statement, outcome, "");
}

#define TEXT(text)               \
	{                            \
		text, (int) strlen(text) \
	}

void
stage_answer_webhook(const char *url)
{
	const DbStageCell cells[] = {TEXT(url == NULL ? "" : url), {NULL, 0}};

	db_stage_answer_rows("webhook_lane", url == NULL ? 0 : 1, 2, cells);
}

void
stage_answer_deliveries(const char *sessions)
{
	static const char numbers[] = "0123456789";
	DbStageCell cells[QUEUE_TAKEN_MAX * TAKEN_COLUMNS];
	uint8_t times[QUEUE_TAKEN_MAX][8] = {0};
	uint8_t ids[QUEUE_TAKEN_MAX][DB_UUID_SIZE] = {0};
	uint8_t session_ids[QUEUE_TAKEN_MAX][DB_UUID_SIZE] = {0};
	int rows = (int) strlen(sessions);

	for (int i = 0; i < rows; i++)
	{
		bool gone = sessions[i] == '-';
		const DbStageCell number = {gone ? NULL : &numbers[i % 10], 1};
		DbStageCell *cell = &cells[i * TAKEN_COLUMNS];

		ids[i][15] = (uint8_t) (i + 1);
		session_ids[i][15] = (uint8_t) sessions[i];
		times[i][7] = (uint8_t) i;
		cell[0] = (DbStageCell){ids[i], DB_UUID_SIZE};
		cell[1] = (DbStageCell){ids[i], DB_UUID_SIZE};
		cell[2] = (DbStageCell){session_ids[i], DB_UUID_SIZE};
		cell[3] = number;
		cell[4] = (DbStageCell){times[i], 8};
		cell[5] = number;
		cell[6] = number;
	}
	db_stage_answer_rows("deliveries_take", rows, TAKEN_COLUMNS, cells);
}

void
stage_answer_done(const char *status)
{
	const DbStageCell cell = TEXT(status);

	db_stage_answer_rows("delivery_done", 1, 1, &cell);
}

void
stage_answer_bool(const char *statement, bool value)
{
	const DbStageCell cell = {value ? "\1" : "\0", 1};

	db_stage_answer_rows(statement, 1, 1, &cell);
}

const char *
stage_reported(void)
{
	static char text[128];
	const DbRequest *request = db_stage_find("delivery_done");
	const uint8_t *at;

	ck_assert_ptr_nonnull(request);
	at = (const uint8_t *) request->bytes.data;
	for (int i = 0; i < 3; i++)
		at += request->lengths[i];
	if (request->lengths[3] > 0)
		snprintf(text, sizeof(text), "%d %s", at[2] << 8 | at[3],
				 at[4] == 1 ? "delivered" : "not delivered");
	else
		snprintf(text, sizeof(text), "%.*s, %s", request->lengths[4], at,
				 at[request->lengths[4]] == 1 ? "delivered" : "not delivered");
	return text;
}

/* ---- the receiver ---- */

Attempt *
attempt_start(const AttemptSetup *setup, const AttemptRequest *request, AttemptDone done, void *arg)
{
	Attempt *attempt = calloc(1, sizeof(*attempt));

	(void) setup;
	ck_assert_ptr_nonnull(attempt);
	*attempt = (Attempt){
		.done = done, .arg = arg, .body = request->body[0], .signatures = *request->signatures};
	snprintf(attempt->url, sizeof(attempt->url), "%s", request->url);
	stage.attempts[stage.attempt_count++] = attempt;
	return attempt;
}

void
attempt_abandon(Attempt *attempt)
{
	int place = 0;

	while (place < stage.attempt_count && stage.attempts[place] != attempt)
		place++;
	ck_assert_int_lt(place, stage.attempt_count);
	stage.attempt_count--;
	memmove(&stage.attempts[place], &stage.attempts[place + 1],
			sizeof(stage.attempts[0]) * (size_t) (stage.attempt_count - place));
	free(attempt);
}

const char *
stage_under_way(void)
{
	static char bodies[STAGE_ATTEMPTS_MAX + 1];

	for (int i = 0; i < stage.attempt_count; i++)
		bodies[i] = stage.attempts[i]->body;
	bodies[stage.attempt_count] = '\0';
	return bodies;
}

void
stage_receiver_answers(char body, int status)
{
	const AttemptResult result = {.delivered = status / 100 == 2,
								  .status = status,
								  .problem = status == 0 ? "no answer in time" : NULL};
	int place = 0;
	AttemptDone done;
	void *arg;

	while (place < stage.attempt_count && stage.attempts[place]->body != body)
		place++;
	ck_assert_int_lt(place, stage.attempt_count);
	done = stage.attempts[place]->done;
	arg = stage.attempts[place]->arg;
	attempt_abandon(stage.attempts[place]);
	done(arg, &result);
}

/* ---- the queue ---- */

static const uint8_t org[DB_UUID_SIZE] = {1};
static const uint8_t webhook[DB_UUID_SIZE] = {2};
static QueueSetup setup;

static void
on_gone(void *context, Queue *ended)
{
	(void) context;
	ck_assert_ptr_eq(ended, stage.queue);
	stage.had_more = queue_has_more(stage.queue);
	queue_free(stage.queue);
	stage.queue = NULL;
}

void
stage_start(void)
{
	char error[64];

	ck_assert(statements_find(&worker_statements, error, sizeof(error)));
	setup = (QueueSetup){
		.owner = "me", .lease_ms = STAGE_LEASE_MS, .sending = &stage.sending, .gone = on_gone};
	stage.began_ms = clock_monotonic_ms();
	stage.queue = queue_start(&setup, org, webhook, stage.began_ms);
	ck_assert_ptr_nonnull(stage.queue);
}

void
stage_stop(void)
{
	if (stage.queue != NULL)
		queue_free(stage.queue);
	ck_assert_int_eq(stage.sending, 0);
	ck_assert_int_eq(stage.attempt_count, 0);
	ck_assert_int_eq(db_stage_count(), 0);
}

void
stage_take(const char *sessions)
{
	stage_answer_webhook("http://r.example/");
	stage_answer_deliveries(sessions);
}

void
stage_answer_look(void)
{
	stage_answer_webhook("http://r.example/");
	ck_assert(!stage_is_asked("deliveries_take"));
}
