/*
 * jobs.c
 *		Sends messages, carries out message actions, and reports what became of them; see jobs.h.
 *
 * A claim whose lease runs out while its job is here is claimed again, by this process, because
 * nobody else has the session.  That renews the lease, and the job takes the new attempt over.
 */
#include "cloud/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/chats.h"
#include "cloud/fields.h"
#include "cloud/work.h"
#include "db/result.h"
#include "db/task.h"
#include "lib/clock.h"
#include "lib/log.h"

#define CLAIM_MAX 64   /* the most jobs that one statement claims */
#define LEASE_MS 60000 /* of a job */

/* Before a try that may succeed is repeated; doubled each time. */
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000

#define REPORT_RETRY_MAX_MS 5000 /* before a report is repeated */
#define PAUSE_BASE_NUMBER 2      /* 1, 2, 4 … seconds */
#define PAUSE_BASE_RECIPIENT 4   /* 1, 4, 16 … seconds */
#define IDEMPOTENT_TRIES 3       /* of what changes nothing when it is repeated */

typedef enum JobState
{
	JOB_WAITING,  /* in the queue of its chat */
	JOB_SENDING,  /* the current one of its chat; Meta is asked */
	JOB_UNSURE,   /* Meta may have taken it; a webhook may tell */
	JOB_REPORTING /* the database is told the outcome */
} JobState;

typedef enum JobOutcome
{
	JOB_DONE,
	JOB_FAILED,
	JOB_GIVEN_BACK /* it was certainly not sent, and may be by another try */
} JobOutcome;

typedef struct Job
{
	TAILQ_ENTRY(Job) link;
	TAILQ_ENTRY(Job) chat_link; /* WAITING */
	struct Claims *claims;
	Work work;
	JobState state;
	Chat *chat; /* WAITING, SENDING */
	int tries;
	GraphCall *call;     /* SENDING */
	uint64_t connection; /* of the session, when it was sent */
	Timer timer;         /* UNSURE */
	JobOutcome outcome;
	bool maybe_sent; /* GIVEN_BACK: it is not known whether it was sent before */
	char *wa_message_id;
	char error_code[24]; /* "": none */
	char error[GRAPH_PROBLEM_MAX + 1];
	int64_t at;       /* DONE: when, by clock_wall_ms() */
	int64_t reported; /* the attempt in the report on its way */
	int report_tries;
	Report report;
} Job;

/* The claimed jobs of one kind. */
typedef struct Claims
{
	Jobs *jobs;
	WorkKind kind;
	TAILQ_HEAD(, Job) list;
	int count;
	DbTask claiming;
} Claims;

typedef struct KindRow
{
	CloudStatement claim;
	const char *subject; /* the report's member that names the job, like the next two */
	const char *done;
	const char *failed;
	int max;
} KindRow;

static const KindRow kinds[WORK_KINDS] = {
	[WORK_MESSAGE] = {CLOUD_CLAIM, "message", "sent", "failed", JOBS_MESSAGES_MAX},
	[WORK_ACTION] = {CLOUD_ACTIONS, "action", "action_done", "action_failed", JOBS_ACTIONS_MAX},
};

struct Jobs
{
	const Cloud *cloud;
	Sessions *sessions;
	Chats *chats;
	Outbox *outbox;
	bool draining;
	void (*drained)(void *context);
	void *context;
	Claims claims[WORK_KINDS];
};

/* ---- the end of a job ---- */

static void
drop_job(Job *job)
{
	report_close(&job->report);
	timer_close(&job->timer);
	if (job->call != NULL)
		graph_call_abandon(job->call);
	work_free(&job->work);
	free(job->wa_message_id);
	free(job);
}

static void
tell_if_drained(const Jobs *jobs)
{
	for (int i = 0; i < WORK_KINDS; i++)
		if (jobs->claims[i].count > 0 || db_task_is_asked(&jobs->claims[i].claiming))
			return;
	if (jobs->draining)
		jobs->drained(jobs->context);
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

/* ---- reports ---- */

static void
write_failure(const Job *job, JsonWriter *json)
{
	bool again = job->outcome == JOB_GIVEN_BACK;

	report_text(json, "error", job->error);
	if (job->work.kind == WORK_MESSAGE && job->error_code[0] != '\0' && !again)
		report_text(json, "error_code", job->error_code);
	json_write_name(json, "attempt");
	json_write_int64(json, job->work.attempt);
	json_write_name(json, "retry");
	json_write_bool(json, again);
	json_write_name(json, "maybe_sent");
	json_write_bool(json, again && job->maybe_sent);
}

static void
write_report(void *context, JsonWriter *json)
{
	Job *job = context;
	const KindRow *kind = &kinds[job->work.kind];
	bool done = job->outcome == JOB_DONE;

	job->reported = job->work.attempt;
	report_text(json, "report", done ? kind->done : kind->failed);
	report_text(json, kind->subject, job->work.id.text);
	if (!done)
	{
		write_failure(job, json);
		return;
	}
	report_text(json, "wa_message_id", job->work.deed == WORK_SEND ? job->wa_message_id : NULL);
	report_time(json, "at", job->at);
}

/* A failure of an attempt that was claimed again meanwhile is reported once more. */
static void
take_report(void *context, ReportOutcome outcome)
{
	Job *job = context;
	bool passed =
		outcome == REPORT_STALE && job->outcome != JOB_DONE && job->reported != job->work.attempt;
	int wait = OUTBOX_RETRY_MS;

	if (outcome != REPORT_AGAIN && outcome != REPORT_UNSENT && !passed)
	{
		free_job(job);
		return;
	}
	for (int i = 0; i < job->report_tries && wait < REPORT_RETRY_MAX_MS; i++)
		wait *= 2;
	job->report_tries++;
	report_in(&job->report, wait);
}

/* The outcome is certain, or will not be known any more. */
static void
end_job(Job *job, JobOutcome outcome, const char *error)
{
	job->state = JOB_REPORTING;
	job->outcome = outcome;
	job->at = clock_wall_ms();
	snprintf(job->error, sizeof(job->error), "%s", error);
	log_line(LOG_LEVEL_DEBUG, "job", log_text("org", job->work.org.text),
			 log_text(kinds[job->work.kind].subject, job->work.id.text),
			 log_text("error", outcome == JOB_DONE ? NULL : error));
	report_in(&job->report, 0);
}

/* ---- its place in the chat ---- */

/* What comes behind it in the chat may go on. */
static void
leave_chat(Job *job)
{
	Chat *chat = job->chat;

	if (chat == NULL)
		return;
	if (job->state == JOB_WAITING)
		TAILQ_REMOVE(&chat->waiting, job, chat_link);
	else
		chat->current = NULL;
	job->chat = NULL;
	chat_wait(chat, 0);
}

/* Whether an earlier connector may have sent what is not to be sent twice. */
static bool
is_unsure(const Job *job)
{
	return job->work.maybe_sent && job->work.deed == WORK_SEND;
}

static void
give_back(Job *job, const char *why)
{
	leave_chat(job);
	job->maybe_sent = job->state == JOB_UNSURE || is_unsure(job);
	timer_stop(&job->timer);
	end_job(job, JOB_GIVEN_BACK, why);
}

static void
fail(Job *job, const char *error)
{
	leave_chat(job);
	end_job(job, JOB_FAILED, error);
}

/* Goes to the head of the queue again; at the earliest in wait_ms. */
static void
try_again(Job *job, int64_t wait_ms)
{
	Chat *chat = job->chat;

	chat->current = NULL;
	chat->not_before = clock_monotonic_ms() + wait_ms;
	job->state = JOB_WAITING;
	TAILQ_INSERT_HEAD(&chat->waiting, job, chat_link);
	chat_wait(chat, wait_ms);
}

/* ---- an unknown outcome ---- */

static void
on_nothing_heard(void *context)
{
	Job *job = context;

	snprintf(job->error_code, sizeof(job->error_code), "outcome_unknown");
	end_job(job, JOB_FAILED,
			"outcome unknown: WhatsApp may have taken the message, and has not said so");
}

static void
enter_unsure(Job *job)
{
	leave_chat(job);
	job->state = JOB_UNSURE;
	log_line(LOG_LEVEL_WARNING, "outcome_unknown", log_text("org", job->work.org.text),
			 log_text(kinds[job->work.kind].subject, job->work.id.text));
	timer_start(&job->timer, job->claims->jobs->cloud->status_wait_ms);
}

/* ---- Meta's answer ---- */

static int64_t
retry_wait(const Job *job, const GraphAnswer *answer)
{
	int64_t wait = RETRY_MIN_MS;

	if (answer->wait_s > 0 && answer->wait_s <= RETRY_MAX_MS / 1000)
		return (int64_t) answer->wait_s * 1000;
	for (int i = 1; i < job->tries && wait < RETRY_MAX_MS; i++)
		wait *= 2;
	return wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS;
}

static void
take_done(Job *job, const GraphAnswer *answer)
{
	const JsonValue *first = json_read_element(json_read_member(answer->json, "messages"), 0);
	const char *id;
	size_t len;

	pace_resume(&job->chat->pace);
	if (job->work.deed == WORK_SEND)
	{
		if (json_read_string(json_read_member(first, "id"), &id, &len) && len > 0 &&
			len <= FIELD_MESSAGE_ID_MAX)
			job->wa_message_id = strndup(id, len);
		if (job->wa_message_id == NULL)
		{
			enter_unsure(job);
			return;
		}
	}
	leave_chat(job);
	end_job(job, JOB_DONE, "");
}

static void
take_again(Job *job, const GraphAnswer *answer, int tries)
{
	if (++job->tries < tries)
		try_again(job, retry_wait(job, answer));
	else
		fail(job, answer->problem);
}

static void
take_pause(Job *job, const GraphAnswer *answer, SessionView *session)
{
	bool of_chat = answer->advice.verdict == GRAPH_PAUSED_CHAT;
	int64_t wait_s =
		answer->wait_s > answer->advice.wait_s ? answer->wait_s : answer->advice.wait_s;
	Pace *pace;

	if (session == NULL)
	{
		try_again(job, 0);
		return;
	}
	pace = of_chat ? &job->chat->pace : &session->pace;
	pace_pause(pace, wait_s * 1000, of_chat ? PAUSE_BASE_RECIPIENT : PAUSE_BASE_NUMBER,
			   clock_monotonic_ms());
	log_line(LOG_LEVEL_WARNING, of_chat ? "chat_paused" : "number_paused",
			 log_text("org", job->work.org.text), log_text("session", job->work.session.text),
			 log_int("code", answer->code));
	try_again(job, 0);
}

static void
take_uncertain(Job *job, const GraphAnswer *answer)
{
	if (job->work.deed == WORK_SEND)
		enter_unsure(job);
	else
		take_again(job, answer, IDEMPOTENT_TRIES);
}

/*
 * The session with whose credentials the job was sent.  NULL: it has begun anew or is gone, and
 * what Meta says of it, its token or its number does not count any more.
 */
static SessionView *
find_sender(const Job *job)
{
	SessionView *session = sessions_find(job->claims->jobs->sessions, &job->work.session);

	return session == NULL || session->connection != job->connection ? NULL : session;
}

static void
on_answer(void *context, const GraphAnswer *answer)
{
	Job *job = context;
	SessionView *session = find_sender(job);

	job->call = NULL;
	if (answer->code >= 0)
		snprintf(job->error_code, sizeof(job->error_code), "%d", answer->code);
	switch (answer->advice.verdict)
	{
		case GRAPH_DONE:
			if (session != NULL)
				pace_resume(&session->pace);
			take_done(job, answer);
			break;
		case GRAPH_AGAIN:
			take_again(job, answer, answer->advice.tries);
			break;
		case GRAPH_PAUSED:
		case GRAPH_PAUSED_CHAT:
			take_pause(job, answer, session);
			break;
		case GRAPH_REFUSED:
			fail(job, answer->problem);
			break;
		case GRAPH_BARRED:
			try_again(job, 0);
			if (session != NULL)
				sessions_fail(session, answer->problem);
			break;
		case GRAPH_UNCERTAIN:
			take_uncertain(job, answer);
			break;
	}
}

/* ---- sending ---- */

static const char *
compose(const Job *job, Buffer *body)
{
	const Outgoing *outgoing = &job->work.outgoing;

	if (job->work.deed != WORK_READ)
		return compose_message(outgoing, body);
	if (outgoing->target == NULL || !compose_read(outgoing->target, body))
		return "the message has no id at WhatsApp";
	return NULL;
}

/* What cannot be sent fails; what could not be for lack of memory is tried again. */
static void
begin_sending(Job *job, const SessionView *session)
{
	GraphRequest request = {.method = "POST",
							.id = session->credentials->phone_number_id,
							.edge = "/messages",
							.query = ""};
	const char *problem;
	Buffer body;

	TAILQ_REMOVE(&job->chat->waiting, job, chat_link);
	job->chat->current = job;
	job->state = JOB_SENDING;
	job->connection = session->connection;
	buffer_init(&body, COMPOSE_MAX);
	problem = compose(job, &body);
	request.body = body.data;
	request.body_len = body.len;
	if (problem == NULL)
		job->call = graph_call(&job->claims->jobs->cloud->graph, session->credentials, &request,
							   on_answer, job);
	buffer_free(&body);
	if (problem != NULL)
		fail(job, problem);
	else if (job->call == NULL)
		try_again(job, RETRY_MIN_MS);
}

/* Milliseconds until the job may be sent; 0: it has its turn now. */
static int64_t
wait_of(const Job *job, SessionView *session)
{
	const Cloud *cloud = job->claims->jobs->cloud;
	int64_t now = clock_monotonic_ms();

	if (job->chat->not_before > now)
		return job->chat->not_before - now;
	if (job->work.deed == WORK_READ)
		return session->pace.paused_until > now ? session->pace.paused_until - now : 0;
	return pace_take(&session->pace, cloud->number_rate, &job->chat->pace, now);
}

static void
give_all_back(Chat *chat, const char *why)
{
	while (!TAILQ_EMPTY(&chat->waiting))
		give_back(TAILQ_FIRST(&chat->waiting), why);
}

static void
run_chat(void *context, Chat *chat)
{
	Jobs *jobs = context;
	Job *job = TAILQ_FIRST(&chat->waiting);
	SessionView *session = sessions_find(jobs->sessions, &chat->session);
	int64_t wait;

	if (chat->current != NULL)
		return;
	if (job == NULL)
	{
		chat_rest(chat);
		return;
	}
	if (jobs->draining || session == NULL || session->state == SESSION_FAILED)
	{
		give_all_back(chat, "the session does not run any more");
		return;
	}
	if (session->state != SESSION_WORKING)
		return;
	wait = wait_of(job, session);
	if (wait > 0)
		chat_wait(chat, wait);
	else
		begin_sending(job, session);
}

/* ---- claiming ---- */

/* How many jobs there are of the session and of the organization of one. */
typedef struct Others
{
	int of_session;
	int of_org;
} Others;

/* The job that was claimed before, or NULL; and how many others there are. */
static Job *
find_job(const Claims *claims, const Work *work, Others *others)
{
	Job *found = NULL;
	Job *job;

	*others = (Others){0};
	TAILQ_FOREACH(job, &claims->list, link)
	{
		if (connector_same_id(&job->work.id, &work->id))
			found = job;
		others->of_session += connector_same_id(&job->work.session, &work->session);
		others->of_org += connector_same_id(&job->work.org, &work->org);
	}
	return found;
}

/* Why there is no place for a job that is new here and was counted already; NULL: there is. */
static const char *
find_no_place(const Claims *claims, const Others *others)
{
	if (others->of_session >= JOBS_SESSION_MAX)
		return "too many messages of the session wait for WhatsApp";
	if (others->of_org >= kinds[claims->kind].max / JOBS_ORG_SHARE)
		return "too many messages of the organization wait for WhatsApp";
	if (claims->count > kinds[claims->kind].max)
		return "too many messages wait for WhatsApp";
	return NULL;
}

/* Says what becomes of a job that is new here. */
static void
begin_job(Job *job, const Others *others)
{
	Jobs *jobs = job->claims->jobs;
	const Work *work = &job->work;
	const char *problem = find_no_place(job->claims, others);
	Chat *chat;

	if (work->deed == WORK_IMPOSSIBLE)
	{
		fail(job, "the Cloud API cannot do this");
		return;
	}
	if (problem != NULL)
	{
		give_back(job, problem);
		return;
	}
	if (is_unsure(job))
	{
		enter_unsure(job);
		return;
	}
	chat = chats_find(jobs->chats, &work->session, work->outgoing.to);
	if (chat == NULL)
	{
		give_back(job, "out of memory");
		return;
	}
	job->state = JOB_WAITING;
	job->chat = chat;
	TAILQ_INSERT_TAIL(&chat->waiting, job, chat_link);
	chat_wait(chat, 0);
}

/* If memory is out, the job is claimed again after its lease has expired. */
static void
add_job(Claims *claims, Work *work, const Others *others)
{
	const Jobs *jobs = claims->jobs;
	Job *job = calloc(1, sizeof(*job));

	if (job == NULL)
	{
		work_free(work);
		return;
	}
	*job = (Job){.claims = claims, .state = JOB_REPORTING, .work = *work};
	job->work.outgoing.id = job->work.opaque;
	if (!timer_open(&job->timer, jobs->cloud->base, on_nothing_heard, job) ||
		!report_open(&job->report, jobs->outbox, &job->work.org, write_report, take_report, job))
	{
		drop_job(job);
		return;
	}
	TAILQ_INSERT_TAIL(&claims->list, job, link);
	claims->count++;
	begin_job(job, others);
}

static void
take_row(Claims *claims, const DbResult *result, int row)
{
	Work work;
	Others others;
	Job *known;

	if (!work_read(&work, claims->kind, result, row))
		return;
	known = find_job(claims, &work, &others);
	if (known == NULL)
	{
		add_job(claims, &work, &others);
		return;
	}
	known->work.attempt = work.attempt;
	work_free(&work);
}

/* After a full claim the next one follows at once. */
static void
take_claim(void *context, const DbResult *result)
{
	Claims *claims = context;
	const Jobs *jobs = claims->jobs;
	int rows = result != NULL && result->outcome == DB_ROWS ? result->rows : 0;

	if (result != NULL && result->outcome != DB_ROWS)
		statements_log_failure(&cloud_statements, (int) kinds[claims->kind].claim, result);
	for (int row = 0; row < rows; row++)
		take_row(claims, result, row);
	if (jobs->draining)
		tell_if_drained(jobs);
	else
		db_task_in(&claims->claiming, rows == CLAIM_MAX ? 0 : jobs->cloud->poll_ms);
}

static DbRequest *
make_claim(void *context, DbDone done, void *arg)
{
	const Claims *claims = context;
	const Cloud *cloud = claims->jobs->cloud;
	const KindRow *kind = &kinds[claims->kind];
	int room = kind->max - claims->count;

	if (room <= -JOBS_RENEWED)
		return NULL;
	if (room < JOBS_RENEWED)
		room = JOBS_RENEWED;
	return cloud_request(kind->claim, NULL, done, arg, "ssil", CLOUD_CONNECTOR, cloud->owner,
						 room < CLAIM_MAX ? room : CLAIM_MAX, LEASE_MS);
}

/* ---- from outside ---- */

Jobs *
jobs_start(const Cloud *cloud, Sessions *sessions)
{
	const OutboxSetup setup = {.base = cloud->base,
							   .db = cloud->db,
							   .statements = &cloud_statements,
							   .report = CLOUD_REPORT,
							   .reports_max = OUTBOX_REPORTS_MAX};
	Jobs *jobs = calloc(1, sizeof(*jobs));

	if (jobs == NULL)
		return NULL;
	*jobs = (Jobs){.cloud = cloud,
				   .sessions = sessions,
				   .chats = chats_open(cloud->base, run_chat, jobs),
				   .outbox = outbox_open(&setup)};
	for (int i = 0; i < WORK_KINDS; i++)
	{
		Claims *claims = &jobs->claims[i];

		claims->jobs = jobs;
		claims->kind = (WorkKind) i;
		TAILQ_INIT(&claims->list);
		if (jobs->chats == NULL || jobs->outbox == NULL ||
			!db_task_open(&claims->claiming, cloud->base, cloud->db, make_claim, take_claim,
						  claims))
		{
			jobs_free(jobs);
			return NULL;
		}
		db_task_in(&claims->claiming, 0);
	}
	return jobs;
}

void
jobs_look(Jobs *jobs)
{
	chats_wake(jobs->chats);
}

/* The next connector is told of those that may have been sent. */
void
jobs_drain(Jobs *jobs, void (*drained)(void *context), void *context)
{
	Job *job;

	jobs->draining = true;
	jobs->drained = drained;
	jobs->context = context;
	for (int i = 0; i < WORK_KINDS; i++)
	{
		db_task_stop(&jobs->claims[i].claiming);
		TAILQ_FOREACH(job, &jobs->claims[i].list, link)
		{
			if (job->state == JOB_UNSURE)
				give_back(job, "the connector was stopped");
		}
	}
	chats_wake(jobs->chats);
	tell_if_drained(jobs);
}

int
jobs_count(const Jobs *jobs)
{
	return jobs->claims[WORK_MESSAGE].count + jobs->claims[WORK_ACTION].count;
}

void
jobs_free(Jobs *jobs)
{
	Job *job;

	if (jobs == NULL)
		return;
	for (int i = 0; i < WORK_KINDS && jobs->claims[i].jobs != NULL; i++)
	{
		db_task_close(&jobs->claims[i].claiming);
		while ((job = TAILQ_FIRST(&jobs->claims[i].list)) != NULL)
		{
			TAILQ_REMOVE(&jobs->claims[i].list, job, link);
			drop_job(job);
		}
	}
	chats_close(jobs->chats);
	outbox_free(jobs->outbox);
	free(jobs);
}
