/*
 * jobs.c
 *		Reports messages as sent, delivered and read, answers texts, and carries out message
 *		actions.
 *
 * Messages of every type are "sent".  A text that contains "react" gets a reaction.  Then every
 * text gets an answer: itself, or the file that it asks for.  A file whose caption asks for
 * that is sent back.  A text that contains "my phone" is followed by a message that is typed on
 * the session's own phone.
 *
 * The invented WhatsApp accepts every action, so an action needs nothing but its report.
 * Only a forward creates something: a message, whose id was already assigned when the
 * forward was requested.  It is then delivered and read like any other message.
 *
 * A job ends when it is finished, when the database says that it no longer belongs to this
 * process, when its session is no longer leased, or when its report was refused.  If the
 * process is killed, the jobs that it had claimed are claimed again after their lease in
 * the database has expired.  They get the same ids, so nothing is sent twice.  Messages
 * that it had sent stay "sent", because their invented phones ended with the process.
 */
#include "sandbox/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "db/result.h"
#include "db/task.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "sandbox/files.h"
#include "sandbox/identity.h"
#include "src/common/media_type.h"

#define CLAIM_MAX 64 /* the most jobs that one statement claims */
#define FAILURE_TEXT "the number is not on WhatsApp"
#define ANSWERER_NAME "Sandbox"
#define TYPED_TEXT "typed on the phone itself"

typedef enum JobState
{
	JOB_CLAIMED,   /* next: report that it was done, or that it has failed */
	JOB_SENT,      /* next: report that the message was delivered */
	JOB_DELIVERED, /* next: report that it was read */
	JOB_READ,      /* next: react to it, if it asks for that */
	JOB_REACTED,   /* next: answer it */
	JOB_ANSWERED,  /* next: the session's own phone writes */
	JOB_FINISHED   /* the job is freed */
} JobState;

static const char *const state_names[] = {
	[JOB_CLAIMED] = "claimed",   [JOB_SENT] = "sent",       [JOB_DELIVERED] = "delivered",
	[JOB_READ] = "read",         [JOB_REACTED] = "reacted", [JOB_ANSWERED] = "answered",
	[JOB_FINISHED] = "finished",
};

/* Columns of claim.sql and actions.sql: the type is that of a message or of an action. */
enum
{
	COLUMN_ORG,
	COLUMN_ID,
	COLUMN_SESSION,
	COLUMN_CHAT,
	COLUMN_TYPE,
	COLUMN_BODY,
	COLUMN_ACTION_TYPE = COLUMN_CHAT,
	COLUMN_TO,
	COLUMN_COPY,
	COLUMN_MAYBE_SENT,
	COLUMN_ATTEMPT,
	COLUMN_DIGEST, /* of claim.sql only, as the next two */
	COLUMN_MEDIA_TYPE,
	COLUMN_MEDIA_SIZE
};

/* A file that answers a message. */
typedef struct Answer
{
	char type[16]; /* of the message; "": the answer is a text */
	char reference[SANDBOX_REFERENCE_MAX];
	char digits[MEDIA_DIGITS_MAX];                   /* of the digest; "": it is not announced */
	char media_type[WAK_MEDIA_TYPE_WRITTEN_MAX + 1]; /* "": it is not announced */
	const char *name;                                /* NULL: none */
} Answer;

typedef struct Job
{
	TAILQ_ENTRY(Job) link;
	struct Claims *claims; /* the list that contains it */
	ConnectorId org;
	ConnectorId id;
	ConnectorId session;
	char message[UUID_TEXT_MAX + 1]; /* the message that is sent; "": none */
	char *chat;                      /* owned; where it is sent to, NULL if nothing is */
	char *body;                      /* owned; NULL when there is nothing to answer */
	Answer answer;
	JobState state;
	int64_t attempt; /* of the claim */
	int attempts;    /* of the current report */
	Report report;
} Job;

/* What differs between messages and actions. */
typedef struct KindRow
{
	const char *name; /* for the log, like the next four */
	const char *sent;
	const char *taken_over;
	const char *given_up;
	const char *forgotten;
	SandboxStatement claim;
	const char *subject; /* the report's member that names the job, like the next two */
	const char *done;
	const char *failed;
	int max; /* the most that are on their way at once */
	bool (*read)(Job *job, const DbResult *result, int row);
} KindRow;

/* The claimed jobs of one kind. */
typedef struct Claims
{
	Jobs *jobs;
	const KindRow *kind;
	TAILQ_HEAD(, Job) list;
	int count;
	DbTask claiming;
} Claims;

struct Jobs
{
	const Sandbox *sandbox;
	int poll_ms;
	int step_ms; /* 0 while draining */
	bool draining;
	void (*drained)(void *context);
	void *context;
	Outbox *outbox;
	Claims claims[JOB_KINDS];
};

static void free_job(Job *job);

/* Whether the job goes to the number that no phone has. */
static bool
has_to_fail(const Job *job)
{
	return job->chat != NULL && sandbox_is_dead(job->chat);
}

/* ---- reports ---- */

static void
write_claimed(const Job *job, JsonWriter *json)
{
	const KindRow *kind = job->claims->kind;
	char wa_id[WA_MESSAGE_ID_MAX + 1];

	report_text(json, "report", has_to_fail(job) ? kind->failed : kind->done);
	report_text(json, kind->subject, job->id.text);
	if (has_to_fail(job))
	{
		report_text(json, "error", FAILURE_TEXT);
		json_write_name(json, "attempt");
		json_write_int64(json, job->attempt);
		return;
	}
	sandbox_sent_id(job->message, wa_id);
	report_text(json, "wa_message_id", job->chat == NULL ? NULL : wa_id);
	report_time(json, "at", clock_wall_ms());
}

/* What all reports about a message of the session begin with, and its id on the other side. */
static void
write_about(const Job *job, const char *report, const char *wa_id, JsonWriter *json)
{
	report_text(json, "report", report);
	report_text(json, "session", job->session.text);
	report_text(json, "wa_message_id", wa_id);
}

static void
write_status(const Job *job, const char *status, JsonWriter *json)
{
	char wa_id[WA_MESSAGE_ID_MAX + 1];

	sandbox_sent_id(job->message, wa_id);
	write_about(job, "status", wa_id, json);
	report_text(json, "status", status);
	report_time(json, "at", clock_wall_ms());
}

static void
write_reaction(const Job *job, JsonWriter *json)
{
	char wa_id[WA_MESSAGE_ID_MAX + 1];

	sandbox_sent_id(job->message, wa_id);
	write_about(job, "change", wa_id, json);
	report_text(json, "sender_jid", sandbox_answerer(job->chat));
	report_text(json, "type", "react");
	report_text(json, "value", SANDBOX_REACTION);
}

/* What the answer is: the text itself, or a file. */
static void
write_answer(const Job *job, JsonWriter *json)
{
	const Answer *answer = &job->answer;

	if (answer->type[0] == '\0')
	{
		report_text(json, "type", "text");
		report_text(json, "body", job->body);
		return;
	}
	report_text(json, "type", answer->type);
	json_write_name(json, "media");
	json_write_object_begin(json);
	report_text(json, "reference", answer->reference);
	report_text(json, "sha256", answer->digits[0] == '\0' ? NULL : answer->digits);
	report_text(json, "mimetype", answer->media_type[0] == '\0' ? NULL : answer->media_type);
	report_text(json, "filename", answer->name);
	json_write_object_end(json);
}

/*
 * Reports a message that has arrived: the answer to a message, or the message typed on the
 * session's phone.
 */
static void
write_arrival(const Job *job, JsonWriter *json)
{
	bool typed = job->state == JOB_ANSWERED;
	char wa_id[WA_MESSAGE_ID_MAX + 1];

	if (typed)
		sandbox_typed_id(job->message, wa_id);
	else
		sandbox_echo_id(job->message, wa_id);
	write_about(job, "receive", wa_id, json);
	report_text(json, "chat_jid", job->chat);
	report_text(json, "sender_jid", typed ? NULL : sandbox_answerer(job->chat));
	report_text(json, "sender_name", typed ? NULL : ANSWERER_NAME);
	if (typed)
	{
		report_text(json, "type", "text");
		report_text(json, "body", TYPED_TEXT);
	}
	else
		write_answer(job, json);
	report_time(json, "at", clock_wall_ms());
	json_write_name(json, "from_me");
	json_write_bool(json, typed);
}

/* Writes the report for the job's state. */
static void
write_report(void *context, JsonWriter *json)
{
	const Job *job = context;

	switch (job->state)
	{
		case JOB_CLAIMED:
			write_claimed(job, json);
			break;
		case JOB_SENT:
			write_status(job, "delivered", json);
			break;
		case JOB_DELIVERED:
			write_status(job, "read", json);
			break;
		case JOB_READ:
			write_reaction(job, json);
			break;
		case JOB_REACTED:
		case JOB_ANSWERED:
			write_arrival(job, json);
			break;
		case JOB_FINISHED:
			break;
	}
}

/* ---- states ---- */

static const char *
name_of_state(const Job *job)
{
	return job->state == JOB_SENT ? job->claims->kind->sent : state_names[job->state];
}

/* Changes a job's state; no other function does.  It may free the job. */
static void
enter_state(Job *job, JobState state)
{
	const KindRow *kind = job->claims->kind;

	job->state = state;
	job->attempts = 0;
	log_line(LOG_LEVEL_DEBUG, kind->name, log_text("org", job->org.text),
			 log_text(kind->name, job->id.text), log_text("status", name_of_state(job)));
	if (state == JOB_FINISHED)
		free_job(job);
	else
		report_in(&job->report, job->claims->jobs->step_ms);
}

/* The state after a report that the database has accepted. */
static JobState
next_state(const Job *job)
{
	switch (job->state)
	{
		case JOB_CLAIMED:
			return job->chat == NULL || has_to_fail(job) ? JOB_FINISHED : JOB_SENT;
		case JOB_SENT:
			return JOB_DELIVERED;
		case JOB_DELIVERED:
			if (job->body == NULL)
				return JOB_FINISHED;
			return sandbox_asks_reaction(job->body) ? JOB_READ : JOB_REACTED;
		case JOB_READ:
			return JOB_REACTED;
		case JOB_REACTED:
			return sandbox_asks_phone(job->body) ? JOB_ANSWERED : JOB_FINISHED;
		case JOB_ANSWERED:
		case JOB_FINISHED:
			break;
	}
	return JOB_FINISHED;
}

/*
 * Every report can be repeated: the ids are derived, and a status never goes back.  So
 * REPORT_STALE usually counts as done.  The exception is the first try of a job's first
 * report: if that is stale, another process has taken the job over and continues it.
 */
static void
take_report(void *context, ReportOutcome outcome)
{
	Job *job = context;
	bool first = job->state == JOB_CLAIMED && job->attempts == 0;

	if (outcome == REPORT_DONE || (outcome == REPORT_STALE && !first))
	{
		enter_state(job, next_state(job));
		return;
	}
	/* a report that could not be sent does not count as an attempt */
	if (outcome != REPORT_UNSENT)
		job->attempts++;
	if (outcome == REPORT_UNSENT ||
		(outcome == REPORT_AGAIN && job->attempts < SANDBOX_ATTEMPTS_MAX))
	{
		report_in(&job->report, SANDBOX_RETRY_MS);
		return;
	}
	log_line(LOG_LEVEL_WARNING, job->claims->kind->given_up, log_text("org", job->org.text),
			 log_text(job->claims->kind->name, job->id.text),
			 log_text("status", name_of_state(job)));
	enter_state(job, JOB_FINISHED);
}

/* ---- claiming ---- */

static void
tell_if_drained(const Jobs *jobs)
{
	for (int i = 0; i < JOB_KINDS; i++)
		if (jobs->claims[i].count > 0 || db_task_is_asked(&jobs->claims[i].claiming))
			return;
	if (jobs->draining)
		jobs->drained(jobs->context);
}

static void
drop_job(Job *job)
{
	report_close(&job->report);
	free(job->chat);
	free(job->body);
	free(job);
}

static void
free_job(Job *job)
{
	Claims *claims = job->claims;

	TAILQ_REMOVE(&claims->list, job, link);
	claims->count--;
	drop_job(job);
	tell_if_drained(claims->jobs);
}

/* Returns a copy that the caller owns.  NULL: the cell is NULL, or memory is out. */
static char *
copy_text(const DbResult *result, int row, int column)
{
	const char *text;
	size_t len;

	return db_text(result, row, column, &text, &len) ? strndup(text, len) : NULL;
}

static bool
is_type(const DbResult *result, int row, int column, const char *type)
{
	char text[16];

	return db_text_copy(result, row, column, text, sizeof(text)) && strcmp(text, type) == 0;
}

static void
answer_with_file(Job *job)
{
	const SandboxFile *file = sandbox_file_asked(job->body);
	Answer *answer = &job->answer;

	if (file == NULL)
		return;
	snprintf(answer->type, sizeof(answer->type), "%s", file->message_type);
	snprintf(answer->media_type, sizeof(answer->media_type), "%s", file->media_type);
	sandbox_write_reference(file, answer->reference);
	answer->name = file->name;
}

/* Answers with the file of the message, if it is in the store and its caption asks for that. */
static void
answer_with_same(Job *job, const DbResult *result, int row)
{
	DbCell digest = db_cell(result, row, COLUMN_DIGEST);
	Answer *answer = &job->answer;
	int64_t size;

	if (job->body == NULL)
		return;
	if (digest.bytes == NULL || digest.len != MEDIA_DIGEST_SIZE || !sandbox_asks_back(job->body) ||
		!db_int(result, row, COLUMN_MEDIA_SIZE, &size) ||
		!db_text_copy(result, row, COLUMN_TYPE, answer->type, sizeof(answer->type)))
	{
		free(job->body);
		job->body = NULL;
		return;
	}
	media_write_digits(digest.bytes, MEDIA_DIGEST_SIZE, answer->digits);
	sandbox_write_stored_reference(answer->digits, (uint64_t) size, answer->reference);
	db_text_copy(result, row, COLUMN_MEDIA_TYPE, answer->media_type, sizeof(answer->media_type));
}

static bool
read_message(Job *job, const DbResult *result, int row)
{
	bool is_text = is_type(result, row, COLUMN_TYPE, "text");
	bool has_store = job->claims->jobs->sandbox->media != NULL;

	memcpy(job->message, job->id.text, sizeof(job->message));
	job->chat = copy_text(result, row, COLUMN_CHAT);
	if (is_text || has_store)
		job->body = copy_text(result, row, COLUMN_BODY);
	if (is_text && job->body != NULL && has_store)
		answer_with_file(job);
	else if (!is_text)
		answer_with_same(job, result, row);
	return job->chat != NULL && (!is_text || job->body != NULL);
}

static bool
read_action(Job *job, const DbResult *result, int row)
{
	if (!is_type(result, row, COLUMN_ACTION_TYPE, "forward"))
		return true;
	job->chat = copy_text(result, row, COLUMN_TO);
	return job->chat != NULL &&
		   db_text_copy(result, row, COLUMN_COPY, job->message, sizeof(job->message));
}

static bool
is_on_its_way(const Claims *claims, const ConnectorId *id)
{
	const Job *job;

	TAILQ_FOREACH(job, &claims->list, link)
	{
		if (memcmp(job->id.bytes, id->bytes, DB_UUID_SIZE) == 0)
			return true;
	}
	return false;
}

/* Returns NULL when memory is out, or the job is already here. */
static Job *
read_job(Claims *claims, const DbResult *result, int row)
{
	Job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->claims = claims;
	if (!connector_read_id(result, row, COLUMN_ORG, &job->org) ||
		!connector_read_id(result, row, COLUMN_ID, &job->id) ||
		!connector_read_id(result, row, COLUMN_SESSION, &job->session) ||
		!db_int(result, row, COLUMN_ATTEMPT, &job->attempt) || is_on_its_way(claims, &job->id) ||
		!claims->kind->read(job, result, row) ||
		!report_open(&job->report, claims->jobs->outbox, &job->org, write_report, take_report, job))
	{
		drop_job(job);
		return NULL;
	}
	return job;
}

/*
 * A message may already have been sent by a process that has ended.  Sending it again makes
 * no duplicate, because its WhatsApp id is derived.  If memory is out, the job is claimed
 * again after its lease has expired.
 */
static void
add_job(Claims *claims, const DbResult *result, int row)
{
	Job *job = read_job(claims, result, row);
	bool maybe_sent;

	if (job == NULL)
		return;
	if (db_bool(result, row, COLUMN_MAYBE_SENT, &maybe_sent) && maybe_sent)
		log_line(LOG_LEVEL_INFO, claims->kind->taken_over, log_text("org", job->org.text),
				 log_text(claims->kind->name, job->id.text));
	TAILQ_INSERT_TAIL(&claims->list, job, link);
	claims->count++;
	enter_state(job, JOB_CLAIMED);
}

/* After a full claim the next one follows at once. */
static void
take_claim(void *context, const DbResult *result)
{
	Claims *claims = context;
	const Jobs *jobs = claims->jobs;
	int rows = result != NULL && result->outcome == DB_ROWS ? result->rows : 0;

	if (result != NULL && result->outcome != DB_ROWS)
		statements_log_failure(&sandbox_statements, (int) claims->kind->claim, result);
	for (int row = 0; row < rows; row++)
		add_job(claims, result, row);
	if (jobs->draining)
		tell_if_drained(jobs);
	else
		db_task_in(&claims->claiming, rows == CLAIM_MAX ? 0 : jobs->poll_ms);
}

static DbRequest *
make_claim(void *context, DbDone done, void *arg)
{
	const Claims *claims = context;
	const Sandbox *sandbox = claims->jobs->sandbox;
	int room = claims->kind->max - claims->count;

	if (room == 0)
		return NULL;
	return sandbox_request(claims->kind->claim, NULL, done, arg, "ssil", SANDBOX_CONNECTOR,
						   sandbox->owner, room < CLAIM_MAX ? room : CLAIM_MAX, sandbox->lease_ms);
}

/* ---- from outside ---- */

static const KindRow kinds[JOB_KINDS] = {
	[JOB_MESSAGE] = {.name = "message",
					 .sent = "sent",
					 .taken_over = "message_taken_over",
					 .given_up = "message_given_up",
					 .forgotten = "message_forgotten",
					 .claim = SANDBOX_CLAIM,
					 .subject = "message",
					 .done = "sent",
					 .failed = "failed",
					 .max = JOBS_MESSAGES_MAX,
					 .read = read_message},
	[JOB_ACTION] = {.name = "action",
					.sent = "done",
					.taken_over = "action_taken_over",
					.given_up = "action_given_up",
					.forgotten = "action_forgotten",
					.claim = SANDBOX_ACTIONS,
					.subject = "action",
					.done = "action_done",
					.failed = "action_failed",
					.max = JOBS_ACTIONS_MAX,
					.read = read_action},
};

Jobs *
jobs_start(const Sandbox *sandbox, int poll_ms, void (*drained)(void *context), void *context)
{
	const OutboxSetup setup = {.base = sandbox->base,
							   .db = sandbox->db,
							   .statements = &sandbox_statements,
							   .report = SANDBOX_REPORT,
							   .reports_max = sandbox->reports_max};
	Jobs *jobs = calloc(1, sizeof(*jobs));

	if (jobs == NULL)
		return NULL;
	*jobs = (Jobs){.sandbox = sandbox,
				   .poll_ms = poll_ms,
				   .step_ms = sandbox->step_ms,
				   .drained = drained,
				   .context = context,
				   .outbox = outbox_open(&setup)};
	for (int i = 0; i < JOB_KINDS; i++)
	{
		Claims *claims = &jobs->claims[i];

		claims->jobs = jobs;
		claims->kind = &kinds[i];
		TAILQ_INIT(&claims->list);
		if (jobs->outbox == NULL || !db_task_open(&claims->claiming, sandbox->base, sandbox->db,
												  make_claim, take_claim, claims))
		{
			jobs_free(jobs);
			return NULL;
		}
		db_task_in(&claims->claiming, 0);
	}
	return jobs;
}

/* An answer to an earlier claim may have brought jobs of a session that is no longer leased. */
void
jobs_forget(Jobs *jobs, const Sessions *sessions)
{
	for (int i = 0; i < JOB_KINDS; i++)
	{
		const KindRow *kind = jobs->claims[i].kind;
		Job *next;

		for (Job *job = TAILQ_FIRST(&jobs->claims[i].list); job != NULL; job = next)
		{
			next = TAILQ_NEXT(job, link);
			if (sessions_have(sessions, &job->session))
				continue;
			log_line(LOG_LEVEL_INFO, kind->forgotten, log_text("org", job->org.text),
					 log_text(kind->name, job->id.text), log_text("status", name_of_state(job)));
			enter_state(job, JOB_FINISHED);
		}
	}
}

void
jobs_drain(Jobs *jobs)
{
	Job *job;

	jobs->draining = true;
	jobs->step_ms = 0;
	for (int i = 0; i < JOB_KINDS; i++)
	{
		db_task_stop(&jobs->claims[i].claiming);
		TAILQ_FOREACH(job, &jobs->claims[i].list, link)
		{
			report_in(&job->report, 0);
		}
	}
	tell_if_drained(jobs);
}

int
jobs_count(const Jobs *jobs)
{
	return jobs->claims[JOB_MESSAGE].count + jobs->claims[JOB_ACTION].count;
}

void
jobs_free(Jobs *jobs)
{
	Job *job;

	if (jobs == NULL)
		return;
	for (int i = 0; i < JOB_KINDS && jobs->claims[i].jobs != NULL; i++)
	{
		db_task_close(&jobs->claims[i].claiming);
		while ((job = TAILQ_FIRST(&jobs->claims[i].list)) != NULL)
		{
			TAILQ_REMOVE(&jobs->claims[i].list, job, link);
			drop_job(job);
		}
	}
	outbox_free(jobs->outbox);
	free(jobs);
}
