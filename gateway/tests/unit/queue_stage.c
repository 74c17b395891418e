/*
 * queue_stage.c
 *		A queue of the worker between a database and a receiver that are the test's own.
 */
#include "tests/unit/queue_stage.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/clock.h"
#include "lib/json_read.h"
#include "tests/unit/db_stage.h"
#include "webhooks/queue_internal.h"

#define TAKEN_COLUMNS (TAKEN_HEADERS + 1)

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

static const char numbers[] = "0123456789";

typedef struct Taken
{
	uint8_t id[DB_UUID_SIZE];
	uint8_t session[DB_UUID_SIZE];
	uint8_t time[8];
} Taken;

static void
set_delivery(DbStageCell *cells, Taken *taken, int number, char session)
{
	const DbStageCell text = {session == '-' ? NULL : &numbers[number % 10], 1};

	*taken = (Taken){.id = {[15] = (uint8_t) (number + 1)},
					 .session = {[15] = (uint8_t) session},
					 .time = {[7] = (uint8_t) number}};
	cells[TAKEN_ID] = (DbStageCell){taken->id, DB_UUID_SIZE};
	cells[TAKEN_EVENT] = (DbStageCell){taken->id, DB_UUID_SIZE};
	cells[TAKEN_SESSION] = (DbStageCell){taken->session, DB_UUID_SIZE};
	cells[TAKEN_ENVELOPE] = text;
	cells[TAKEN_SIGNED_MS] = (DbStageCell){taken->time, 8};
	cells[TAKEN_HMAC] = text;
	cells[TAKEN_SIGNATURE] = text;
	cells[TAKEN_IS_NEW] = (DbStageCell){session == 'z' ? "\0" : "\1", 1};
}

void
stage_answer_taken(const char *url, const char *sessions)
{
	DbStageCell cells[QUEUE_TAKEN_MAX * TAKEN_COLUMNS] = {{NULL, 0}};
	Taken taken[QUEUE_TAKEN_MAX];
	int rows = (int) strlen(sessions);

	for (int i = 0; i < rows; i++)
		set_delivery(&cells[i * TAKEN_COLUMNS], &taken[i], i, sessions[i]);
	if (url != NULL)
		cells[TAKEN_URL] = (DbStageCell) TEXT(url);
	db_stage_answer_rows("deliveries_take",
						 url == NULL ? 0
						 : rows == 0 ? 1
									 : rows,
						 TAKEN_COLUMNS, cells);
}

/* The results of the report that is asked for; the caller frees them. */
static JsonValue *
read_report(void)
{
	const DbRequest *request = db_stage_find("deliveries_done");
	JsonReadError error;
	JsonValue *results;
	const char *at;

	ck_assert_ptr_nonnull(request);
	at = request->bytes.data + request->lengths[0] + request->lengths[1];
	ck_assert_int_eq(at[0], DB_JSONB_VERSION);
	results = json_read(at + 1, (size_t) request->lengths[2] - 1, &error);
	ck_assert_ptr_nonnull(results);
	return results;
}

void
stage_answer_done(const char *status)
{
	DbStageCell cells[QUEUE_TAKEN_MAX];
	JsonValue *results = read_report();
	int count = (int) json_read_count(results);

	json_read_free(results);
	for (int i = 0; i < count; i++)
		cells[i] = (DbStageCell) TEXT(status);
	db_stage_answer_rows("deliveries_done", count, 1, cells);
}

void
stage_answer_bool(const char *statement, bool value)
{
	const DbStageCell cell = {value ? "\1" : "\0", 1};

	db_stage_answer_rows(statement, 1, 1, &cell);
}

static void
add_result(Buffer *text, const JsonValue *result)
{
	const char *problem;
	size_t len;
	int64_t status;
	bool succeeded = false;

	if (json_read_int64(json_read_member(result, "status_code"), &status))
		buffer_printf(text, "%d", (int) status);
	if (json_read_string(json_read_member(result, "problem"), &problem, &len))
		buffer_printf(text, "%.*s,", (int) len, problem);
	ck_assert(json_read_bool(json_read_member(result, "succeeded"), &succeeded));
	buffer_printf(text, " %s", succeeded ? "delivered" : "not delivered");
}

const char *
stage_reported(void)
{
	static char copy[512];
	const DbRequest *request;
	JsonValue *results = read_report();
	Buffer text;

	buffer_init(&text, sizeof(copy) - 1);
	for (size_t i = 0; i < json_read_count(results); i++)
	{
		buffer_printf(&text, i == 0 ? "" : "; ");
		add_result(&text, json_read_element(results, i));
	}
	request = db_stage_find("deliveries_done");
	if (request->bytes.data[request->bytes.len - 1] == 1)
		buffer_printf(&text, "; released");
	json_read_free(results);
	ck_assert(!text.failed);
	snprintf(copy, sizeof(copy), "%s", text.data);
	buffer_free(&text);
	return copy;
}

int
stage_asked_after(void)
{
	const DbRequest *request = db_stage_find("deliveries_take");

	ck_assert_ptr_nonnull(request);
	return request->lengths[3] < 0 ? -1 : (uint8_t) request->bytes.data[request->bytes.len - 1];
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
	stage_answer_taken("http://r.example/", sessions);
}
