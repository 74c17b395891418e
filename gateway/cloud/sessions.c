/*
 * sessions.c
 *		Leases sessions and connects them to the Cloud API; see sessions.h.
 *
 * The database's status is authoritative: a session that is not in the answer to a renewal is not
 * ours any more.  It is told what Meta says of the number, and why a session has failed.
 *
 * What Meta does not answer is asked again: a session that waits for it stays as it is.
 */
#include "cloud/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "cloud/number.h"
#include "db/result.h"
#include "db/task.h"
#include "lib/log.h"
#include "src/common/memory.h"

#define RENEW_MS 1000
#define BUCKETS 256  /* of the table of sessions; by the last byte of their ids, which is random */
#define OPEN_MAX 100 /* sessions whose credentials are asked for at once */
#define JID_SUFFIX "@s.whatsapp.net"

/* Before Meta is asked again that has not answered; doubled each time. */
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000

/* Before a number is looked at because something has changed; more of it is one look. */
#define LOOK_MS 2000

#define NO_CREDENTIALS "the session has no credentials; give it some"

/* The columns of sessions.sql. */
enum
{
	COLUMN_ORG,
	COLUMN_ID,
	COLUMN_STATUS,
	COLUMN_CREDENTIALS_AT = 6
};

/* The columns of credentials.sql. */
enum
{
	COLUMN_OF_ORG,
	COLUMN_OF_SESSION,
	COLUMN_KEY,
	COLUMN_SEALED,
	COLUMN_UPDATED_AT,
	COLUMN_NUMBER_ID
};

static const char *const state_names[] = {
	[SESSION_OPENING] = "opening",
	[SESSION_CHECKING] = "checking",
	[SESSION_WORKING] = "working",
	[SESSION_FAILED] = "failed",
};

struct CloudSession
{
	SessionView view; /* first: sessions_find() gives its address */
	LIST_ENTRY(CloudSession) link;
	Sessions *sessions;
	CloudCredentials credentials;
	bool has_credentials;
	int64_t credentials_at; /* as the database counts; with has_credentials */
	bool asked;             /* OPENING: the credentials are in the statement on its way */
	bool leased;            /* the last renewal returned it */
	NumberCheck *check;     /* CHECKING, WORKING: NULL: none is on its way */
	Timer next;             /* the next check */
	bool looks;             /* that is soon, because something has changed */
	int64_t retry_ms;
	char digits[NUMBER_DIGITS_MAX + 1];
	char reason[GRAPH_PROBLEM_MAX + 1];
	DbTask report;
	bool changed;  /* since the report on its way was made */
	bool reported; /* the database knows the state */
};

struct Sessions
{
	const Cloud *cloud;
	LIST_HEAD(, CloudSession) buckets[BUCKETS];
	int count;
	uint64_t connections; /* that were begun, of all sessions */
	DbTask renewal;
	DbTask opening;
	DbTask release;
	void (*changed)(void *context);
	void *context;
	void (*released)(void *context);
	void *released_context;
};

/* ---- states ---- */

static void
end_check(CloudSession *session)
{
	timer_stop(&session->next);
	if (session->check != NULL)
		number_check_abandon(session->check);
	session->check = NULL;
}

/* Changes a session's state; no other function does. */
static void
enter_state(CloudSession *session, SessionState state, const char *reason)
{
	Sessions *sessions = session->sessions;
	bool ready = state == SESSION_CHECKING || state == SESSION_WORKING;

	session->view.state = state;
	session->view.credentials = ready ? &session->credentials : NULL;
	session->changed = true;
	session->reported = false;
	snprintf(session->reason, sizeof(session->reason), "%s", reason);
	log_line(LOG_LEVEL_INFO, "session", log_text("org", session->view.org.text),
			 log_text("session", session->view.id.text), log_text("status", state_names[state]),
			 log_text("reason", reason[0] == '\0' ? NULL : reason));
	if (state == SESSION_WORKING || state == SESSION_FAILED)
		db_task_in(&session->report, 0);
	else
		db_task_stop(&session->report);
	sessions->changed(sessions->context);
}

static void
fail(CloudSession *session, const char *reason)
{
	end_check(session);
	cloud_credentials_wipe(&session->credentials);
	enter_state(session, SESSION_FAILED, reason);
}

static void
begin_anew(CloudSession *session)
{
	end_check(session);
	cloud_credentials_wipe(&session->credentials);
	session->asked = false;
	session->retry_ms = RETRY_MIN_MS;
	session->view.connection = ++session->sessions->connections;
	enter_state(session, SESSION_OPENING, "");
	if (session->has_credentials)
		db_task_in(&session->sessions->opening, 0);
	else
		fail(session, NO_CREDENTIALS);
}

/* ---- reports ---- */

static DbRequest *
make_report(void *context, DbDone done, void *arg)
{
	CloudSession *session = context;
	const char *owner = session->sessions->cloud->owner;
	bool works = session->view.state == SESSION_WORKING;
	char jid[NUMBER_DIGITS_MAX + sizeof(JID_SUFFIX)];

	session->changed = false;
	snprintf(jid, sizeof(jid), "%s" JID_SUFFIX, session->digits);
	return cloud_request(
		CLOUD_SESSION, session->view.org.bytes, done, arg,
		session->has_credentials ? "usssssssT" : "ussssssss", session->view.id.bytes, owner,
		works ? "working" : "failed", works ? session->digits : STATEMENTS_NULL,
		works ? jid : STATEMENTS_NULL, STATEMENTS_NULL, STATEMENTS_NULL,
		session->reason[0] == '\0' ? STATEMENTS_NULL : session->reason, session->credentials_at);
}

/* A report that changes nothing was about a lease or credentials that are not ours any more. */
static void
take_report(void *context, const DbResult *result)
{
	CloudSession *session = context;
	ReportOutcome outcome = connector_outcome(&cloud_statements, CLOUD_SESSION, result);

	if (session->view.state != SESSION_WORKING && session->view.state != SESSION_FAILED)
		return;
	if (session->changed)
		db_task_in(&session->report, 0);
	else if (outcome == REPORT_AGAIN || outcome == REPORT_UNSENT)
		db_task_in(&session->report, OUTBOX_RETRY_MS);
	else
		session->reported = true;
}

/* ---- the number ---- */

static void
retry_check(CloudSession *session)
{
	timer_start(&session->next, session->retry_ms);
	session->retry_ms *= 2;
	if (session->retry_ms > RETRY_MAX_MS)
		session->retry_ms = RETRY_MAX_MS;
}

static void
take_working(CloudSession *session, const NumberResult *result)
{
	bool news = session->view.state != SESSION_WORKING ||
				strcmp(session->digits, result->digits) != 0 ||
				strcmp(session->reason, result->problem) != 0;

	memcpy(session->digits, result->digits, sizeof(session->digits));
	session->retry_ms = RETRY_MIN_MS;
	timer_start(&session->next, session->sessions->cloud->health_ms);
	if (news)
		enter_state(session, SESSION_WORKING, result->problem);
}

static void
on_checked(void *context, const NumberResult *result)
{
	CloudSession *session = context;

	session->check = NULL;
	if (result->outcome == NUMBER_FAILS)
	{
		fail(session, result->problem);
		return;
	}
	if (result->outcome == NUMBER_WORKS)
	{
		take_working(session, result);
		return;
	}
	log_line(LOG_LEVEL_WARNING, "number_not_checked", log_text("org", session->view.org.text),
			 log_text("session", session->view.id.text), log_text("reason", result->problem));
	retry_check(session);
}

static void
begin_check(void *context)
{
	CloudSession *session = context;

	session->looks = false;
	session->check = number_check(&session->sessions->cloud->graph, &session->credentials,
								  session->view.state == SESSION_CHECKING, on_checked, session);
	if (session->check == NULL)
		retry_check(session);
}

/* ---- credentials ---- */

/* Whoever writes SQL can give other credentials the id of somebody else's number. */
static bool
name_the_number(const CloudCredentials *credentials, const DbResult *result, int row)
{
	char number[CLOUD_ID_MAX + 1];

	return db_text_copy(result, row, COLUMN_NUMBER_ID, number, sizeof(number)) &&
		   strcmp(credentials->phone_number_id, number) == 0;
}

/* Credentials that are newer than the renewal knows come with the next one. */
static void
open_credentials(CloudSession *session, const DbResult *result, int row)
{
	const Cloud *cloud = session->sessions->cloud;
	DbCell sealed = db_cell(result, row, COLUMN_SEALED);
	const char *problem;
	int64_t at;

	if (!db_time_us(result, row, COLUMN_UPDATED_AT, &at) || at != session->credentials_at)
		return;
	problem = cloud_credentials_open(cloud->keys, session->view.org.bytes, sealed.bytes, sealed.len,
									 &session->credentials);
	if (problem == NULL && !name_the_number(&session->credentials, result, row))
		problem = "the credentials are those of another phone number; give them again";
	if (problem != NULL)
	{
		fail(session, problem);
		return;
	}
	enter_state(session, SESSION_CHECKING, "");
	begin_check(session);
}

static CloudSession *
find_session(const Sessions *sessions, const ConnectorId *id)
{
	CloudSession *session;

	LIST_FOREACH(session, &sessions->buckets[id->bytes[DB_UUID_SIZE - 1] % BUCKETS], link)
	{
		if (connector_same_id(&session->view.id, id))
			return session;
	}
	return NULL;
}

/* The sessions that still wait are asked for again, after a moment. */
static void
take_opening(void *context, const DbResult *result)
{
	Sessions *sessions = context;
	bool waiting = false;
	CloudSession *session;
	ConnectorId id;

	if (result != NULL && result->outcome != DB_ROWS)
		statements_log_failure(&cloud_statements, CLOUD_CREDENTIALS, result);
	for (int row = 0; result != NULL && result->outcome == DB_ROWS && row < result->rows; row++)
	{
		session = connector_read_id(result, row, COLUMN_OF_SESSION, &id)
					  ? find_session(sessions, &id)
					  : NULL;
		if (session != NULL && session->asked && session->view.state == SESSION_OPENING)
			open_credentials(session, result, row);
	}
	for (int i = 0; i < BUCKETS; i++)
		LIST_FOREACH(session, &sessions->buckets[i], link)
		{
			session->asked = false;
			waiting |= session->view.state == SESSION_OPENING;
		}
	if (waiting)
		db_task_in(&sessions->opening, sessions->cloud->poll_ms);
}

static DbRequest *
make_opening(void *context, DbDone done, void *arg)
{
	Sessions *sessions = context;
	const Cloud *cloud = sessions->cloud;
	uint8_t ids[OPEN_MAX][DB_UUID_SIZE];
	CloudSession *session;
	int count = 0;

	for (int i = 0; i < BUCKETS; i++)
		LIST_FOREACH(session, &sessions->buckets[i], link)
		{
			if (session->view.state != SESSION_OPENING || count == OPEN_MAX)
				continue;
			session->asked = true;
			memcpy(ids[count++], session->view.id.bytes, DB_UUID_SIZE);
		}
	if (count == 0)
		return NULL;
	return cloud_request(CLOUD_CREDENTIALS, NULL, done, arg, "ssU", CLOUD_CONNECTOR, cloud->owner,
						 (const uint8_t(*)[DB_UUID_SIZE]) ids, count);
}

/* ---- leases ---- */

static void
free_session(CloudSession *session)
{
	LIST_REMOVE(session, link);
	session->sessions->count--;
	end_check(session);
	timer_close(&session->next);
	db_task_close(&session->report);
	wak_wipe(session, sizeof(*session));
	free(session);
}

/* Returns NULL when there is no room. */
static CloudSession *
add_session(Sessions *sessions, const ConnectorId *id, const DbResult *result, int row)
{
	const Cloud *cloud = sessions->cloud;
	CloudSession *session = sessions->count < SESSIONS_MAX ? calloc(1, sizeof(*session)) : NULL;

	if (session == NULL)
		return NULL;
	session->sessions = sessions;
	session->view.id = *id;
	if (!connector_read_id(result, row, COLUMN_ORG, &session->view.org) ||
		!timer_open(&session->next, cloud->base, begin_check, session) ||
		!db_task_open(&session->report, cloud->base, cloud->db, make_report, take_report, session))
	{
		timer_close(&session->next);
		free(session);
		return NULL;
	}
	LIST_INSERT_HEAD(&sessions->buckets[id->bytes[DB_UUID_SIZE - 1] % BUCKETS], session, link);
	sessions->count++;
	return session;
}

/*
 * Whether somebody has started the session again since its state was reported.  One connection
 * answers in order, so what a renewal says is never older than a report that was answered before.
 */
static bool
is_restarted(const CloudSession *session, const DbResult *result, int row)
{
	char status[16] = "";

	db_text_copy(result, row, COLUMN_STATUS, status, sizeof(status));
	return session->reported && strcmp(status, "starting") == 0;
}

/* Reads a row of a renewal: a session that is new here, has other credentials, or is known. */
static void
take_row(Sessions *sessions, const DbResult *result, int row)
{
	ConnectorId id = {.text = ""};
	CloudSession *session;
	int64_t at = 0;
	bool has;
	bool is_new;

	if (!connector_read_id(result, row, COLUMN_ID, &id))
		return;
	session = find_session(sessions, &id);
	is_new = session == NULL;
	if (is_new)
		session = add_session(sessions, &id, result, row);
	if (session == NULL)
		return;
	session->leased = true;
	has = db_time_us(result, row, COLUMN_CREDENTIALS_AT, &at);
	if (!is_new && has == session->has_credentials && at == session->credentials_at &&
		!is_restarted(session, result, row))
		return;
	session->has_credentials = has;
	session->credentials_at = at;
	begin_anew(session);
}

/* Frees the sessions that were stopped or taken by others. */
static void
drop_others(Sessions *sessions)
{
	CloudSession *next;
	bool dropped = false;

	for (int i = 0; i < BUCKETS; i++)
		for (CloudSession *session = LIST_FIRST(&sessions->buckets[i]); session != NULL;
			 session = next)
		{
			next = LIST_NEXT(session, link);
			if (!session->leased)
			{
				log_line(LOG_LEVEL_INFO, "session_gone", log_text("org", session->view.org.text),
						 log_text("session", session->view.id.text));
				free_session(session);
				dropped = true;
			}
			else
				session->leased = false;
		}
	if (dropped)
		sessions->changed(sessions->context);
}

static void
take_renewal(void *context, const DbResult *result)
{
	Sessions *sessions = context;
	bool renewed = result != NULL && result->outcome == DB_ROWS;

	if (result != NULL && !renewed)
		statements_log_failure(&cloud_statements, CLOUD_SESSIONS, result);
	for (int row = 0; renewed && row < result->rows; row++)
		take_row(sessions, result, row);
	if (renewed)
		drop_others(sessions);
	db_task_in(&sessions->renewal, renewed ? RENEW_MS : sessions->cloud->poll_ms);
}

static DbRequest *
make_renewal(void *context, DbDone done, void *arg)
{
	const Cloud *cloud = ((const Sessions *) context)->cloud;

	return cloud_request(CLOUD_SESSIONS, NULL, done, arg, "ssil", CLOUD_CONNECTOR, cloud->owner,
						 SESSIONS_MAX, cloud->lease_ms);
}

static DbRequest *
make_release(void *context, DbDone done, void *arg)
{
	const Sessions *sessions = context;

	return cloud_request(CLOUD_RELEASE, NULL, done, arg, "s", sessions->cloud->owner);
}

static void
take_release(void *context, const DbResult *result)
{
	const Sessions *sessions = context;

	if (result != NULL && result->outcome != DB_ROWS)
		statements_log_failure(&cloud_statements, CLOUD_RELEASE, result);
	sessions->released(sessions->released_context);
}

/* ---- from outside ---- */

Sessions *
sessions_start(const Cloud *cloud, void (*changed)(void *context), void *context)
{
	Sessions *sessions = calloc(1, sizeof(*sessions));

	if (sessions == NULL)
		return NULL;
	*sessions = (Sessions){.cloud = cloud, .changed = changed, .context = context};
	if (!db_task_open(&sessions->renewal, cloud->base, cloud->db, make_renewal, take_renewal,
					  sessions) ||
		!db_task_open(&sessions->opening, cloud->base, cloud->db, make_opening, take_opening,
					  sessions) ||
		!db_task_open(&sessions->release, cloud->base, cloud->db, make_release, take_release,
					  sessions))
	{
		sessions_free(sessions);
		return NULL;
	}
	db_task_in(&sessions->renewal, 0);
	return sessions;
}

SessionView *
sessions_find(const Sessions *sessions, const ConnectorId *id)
{
	CloudSession *session = find_session(sessions, id);

	return session == NULL ? NULL : &session->view;
}

void
sessions_fail(SessionView *view, const char *reason)
{
	CloudSession *session = (CloudSession *) (void *) view;

	if (view->state != SESSION_FAILED)
		fail(session, reason);
}

void
sessions_look(SessionView *view)
{
	CloudSession *session = (CloudSession *) (void *) view;

	if (view->state != SESSION_WORKING || session->check != NULL || session->looks)
		return;
	session->looks = true;
	timer_start(&session->next, LOOK_MS);
}

void
sessions_stop(Sessions *sessions)
{
	db_task_close(&sessions->renewal);
	db_task_close(&sessions->opening);
	for (int i = 0; i < BUCKETS; i++)
		while (!LIST_EMPTY(&sessions->buckets[i]))
			free_session(LIST_FIRST(&sessions->buckets[i]));
}

void
sessions_release(Sessions *sessions, void (*released)(void *context), void *context)
{
	sessions->released = released;
	sessions->released_context = context;
	db_task_in(&sessions->release, 0);
}

void
sessions_free(Sessions *sessions)
{
	if (sessions == NULL)
		return;
	sessions_stop(sessions);
	db_task_close(&sessions->release);
	free(sessions);
}
