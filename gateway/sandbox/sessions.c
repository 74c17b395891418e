/*
 * sessions.c
 *		Pairs sessions: first starting, then a QR code, then working.
 *
 * An invented phone scans the QR code after a step.  If somebody asks for a pairing code
 * before that, the session is paired with the phone that was named, one step after the
 * request was seen, as if the code was entered there.
 *
 * The database's status is authoritative.  Here only the time of the next step is kept.
 * After a restart a session continues from the status that the database has.
 */
#include "sandbox/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "db/result.h"
#include "db/task.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "sandbox/identity.h"

#define RENEW_MS 1000
#define QR_LIFETIME_MS 60000
#define PAIRING_CODE_MAX 15

/* The columns of sessions.sql. */
enum
{
	COLUMN_ORG,
	COLUMN_ID,
	COLUMN_STATUS,
	COLUMN_PHONE,
	COLUMN_PAIRING_PHONE,
	COLUMN_PAIRING_CODE
};

typedef enum SessionState
{
	SESSION_STARTING, /* a QR code is to be shown */
	SESSION_SCANNING, /* the code is shown, and will be "scanned" next */
	SESSION_WORKING   /* paired; its messages are claimed */
} SessionState;

static const char *const statuses[] = {
	[SESSION_STARTING] = "starting",
	[SESSION_SCANNING] = "scan_qr_code",
	[SESSION_WORKING] = "working",
};

typedef struct Session
{
	TAILQ_ENTRY(Session) link;
	Sessions *sessions;
	ConnectorId org;
	ConnectorId id;
	char phone[PHONE_NUMBER_MAX + 1];
	char code[PAIRING_CODE_MAX + 1]; /* of the phone that asked to be paired by code; "": none */
	SessionState state;
	SessionState next; /* the state that is being reported */
	DbTask report;
	bool leased; /* the last renewal returned it */
} Session;

struct Sessions
{
	const Sandbox *sandbox;
	int poll_ms;
	TAILQ_HEAD(, Session) list;
	int count;
	DbTask renewal;
	DbTask release;
	void (*renewed)(void *context);
	void *renewed_context;
	void (*released)(void *context);
	void *released_context;
};

/* ---- states ---- */

static SessionState
state_of_status(const char *status)
{
	for (int i = SESSION_SCANNING; i <= SESSION_WORKING; i++)
		if (strcmp(status, statuses[i]) == 0)
			return (SessionState) i;
	return SESSION_STARTING;
}

/* Changes a session's state; no other function does. */
static void
enter_state(Session *session, SessionState state)
{
	session->state = state;
	if (state != SESSION_WORKING)
		db_task_in(&session->report, session->sessions->sandbox->step_ms);
	else
		db_task_stop(&session->report);
	log_line(LOG_LEVEL_INFO, "session", log_text("org", session->org.text),
			 log_text("session", session->id.text), log_text("status", statuses[state]));
}

static DbRequest *
make_report(void *context, DbDone done, void *arg)
{
	Session *session = context;
	const char *owner = session->sessions->sandbox->owner;
	char jid[SANDBOX_JID_MAX];
	char qr[SANDBOX_QR_MAX];

	session->next = session->state == SESSION_STARTING ? SESSION_SCANNING : SESSION_WORKING;
	if (session->next == SESSION_SCANNING)
	{
		sandbox_qr(session->id.text, qr);
		return sandbox_request(SANDBOX_SESSION, session->org.bytes, done, arg, "ussssstss",
							   session->id.bytes, owner, statuses[session->next], STATEMENTS_NULL,
							   STATEMENTS_NULL, qr, clock_wall_ms() + QR_LIFETIME_MS,
							   STATEMENTS_NULL, STATEMENTS_NULL);
	}
	sandbox_jid(session->phone, jid);
	return sandbox_request(SANDBOX_SESSION, session->org.bytes, done, arg, "ussssssss",
						   session->id.bytes, owner, statuses[session->next], session->phone, jid,
						   STATEMENTS_NULL, STATEMENTS_NULL, STATEMENTS_NULL, STATEMENTS_NULL);
}

static void
take_report(void *context, const DbResult *result)
{
	Session *session = context;

	if (sandbox_outcome(SANDBOX_SESSION, result) == REPORT_DONE)
		enter_state(session, session->next);
	else
		db_task_in(&session->report, session->sessions->sandbox->step_ms + SANDBOX_RETRY_MS);
}

/* ---- leases ---- */

static void
free_session(Session *session)
{
	TAILQ_REMOVE(&session->sessions->list, session, link);
	session->sessions->count--;
	db_task_close(&session->report);
	free(session);
}

static Session *
find_session(const Sessions *sessions, const ConnectorId *id)
{
	Session *session;

	TAILQ_FOREACH(session, &sessions->list, link)
	{
		if (memcmp(session->id.bytes, id->bytes, DB_UUID_SIZE) == 0)
			return session;
	}
	return NULL;
}

/* Returns NULL when there is no room. */
static Session *
add_session(Sessions *sessions, const ConnectorId *id, const DbResult *result, int row)
{
	const Sandbox *sandbox = sessions->sandbox;
	Session *session = sessions->count < SESSIONS_MAX ? calloc(1, sizeof(*session)) : NULL;

	if (session == NULL)
		return NULL;
	session->sessions = sessions;
	session->id = *id;
	if (!connector_read_id(result, row, COLUMN_ORG, &session->org) ||
		!db_task_open(&session->report, sandbox->base, sandbox->db, make_report, take_report,
					  session))
	{
		free(session);
		return NULL;
	}
	if (!db_text_copy(result, row, COLUMN_PHONE, session->phone, sizeof(session->phone)))
		sandbox_phone(id->text, session->phone);
	TAILQ_INSERT_TAIL(&sessions->list, session, link);
	sessions->count++;
	return session;
}

/* Notes a pairing code that was not there at the last renewal: the named phone enters it. */
static void
take_pairing_code(Session *session, const DbResult *result, int row)
{
	char code[PAIRING_CODE_MAX + 1];

	if (session->state == SESSION_WORKING ||
		!db_text_copy(result, row, COLUMN_PAIRING_CODE, code, sizeof(code)) || code[0] == '\0' ||
		strcmp(code, session->code) == 0)
		return;
	memcpy(session->code, code, sizeof(code));
	db_text_copy(result, row, COLUMN_PAIRING_PHONE, session->phone, sizeof(session->phone));
	db_task_in(&session->report, session->sessions->sandbox->step_ms);
	log_line(LOG_LEVEL_INFO, "session_pairs_by_code", log_text("org", session->org.text),
			 log_text("session", session->id.text));
}

/* Reads a row of a renewal: a session that is new here, is known, or was restarted. */
static void
take_row(Sessions *sessions, const DbResult *result, int row)
{
	char status[16] = "";
	ConnectorId id = {.text = ""};
	Session *session;
	SessionState state;
	bool is_new;

	if (!connector_read_id(result, row, COLUMN_ID, &id))
		return;
	db_text_copy(result, row, COLUMN_STATUS, status, sizeof(status));
	state = state_of_status(status);
	session = find_session(sessions, &id);
	is_new = session == NULL;
	if (is_new)
		session = add_session(sessions, &id, result, row);
	if (session == NULL)
		return;
	if (is_new || session->state != state)
		enter_state(session, state);
	take_pairing_code(session, result, row);
	session->leased = true;
}

/* Frees the sessions that were stopped or taken by others. */
static void
drop_others(Sessions *sessions)
{
	Session *next;

	for (Session *session = TAILQ_FIRST(&sessions->list); session != NULL; session = next)
	{
		next = TAILQ_NEXT(session, link);
		if (!session->leased)
		{
			log_line(LOG_LEVEL_INFO, "session_gone", log_text("session", session->id.text));
			free_session(session);
		}
		else
			session->leased = false;
	}
}

static bool
has_waiting(const Sessions *sessions)
{
	const Session *session;

	TAILQ_FOREACH(session, &sessions->list, link)
	{
		if (session->state != SESSION_WORKING)
			return true;
	}
	return false;
}

static void
take_renewal(void *context, const DbResult *result)
{
	Sessions *sessions = context;
	bool renewed = result != NULL && result->outcome == DB_ROWS;

	if (result != NULL && !renewed)
		statements_log_failure(&sandbox_statements, SANDBOX_SESSIONS, result);
	for (int row = 0; renewed && row < result->rows; row++)
		take_row(sessions, result, row);
	if (renewed)
	{
		drop_others(sessions);
		sessions->renewed(sessions->renewed_context);
	}
	db_task_in(&sessions->renewal,
			   renewed && !has_waiting(sessions) ? RENEW_MS : sessions->poll_ms);
}

static DbRequest *
make_renewal(void *context, DbDone done, void *arg)
{
	const Sandbox *sandbox = ((const Sessions *) context)->sandbox;

	return sandbox_request(SANDBOX_SESSIONS, NULL, done, arg, "ssil", SANDBOX_CONNECTOR,
						   sandbox->owner, SESSIONS_MAX, sandbox->lease_ms);
}

static DbRequest *
make_release(void *context, DbDone done, void *arg)
{
	const Sessions *sessions = context;

	return sandbox_request(SANDBOX_RELEASE, NULL, done, arg, "s", sessions->sandbox->owner);
}

static void
take_release(void *context, const DbResult *result)
{
	const Sessions *sessions = context;

	if (result != NULL && result->outcome != DB_ROWS)
		statements_log_failure(&sandbox_statements, SANDBOX_RELEASE, result);
	sessions->released(sessions->released_context);
}

/* ---- from outside ---- */

Sessions *
sessions_start(const Sandbox *sandbox, int poll_ms, void (*renewed)(void *context), void *context)
{
	Sessions *sessions = calloc(1, sizeof(*sessions));

	if (sessions == NULL)
		return NULL;
	*sessions = (Sessions){
		.sandbox = sandbox, .poll_ms = poll_ms, .renewed = renewed, .renewed_context = context};
	TAILQ_INIT(&sessions->list);
	if (!db_task_open(&sessions->renewal, sandbox->base, sandbox->db, make_renewal, take_renewal,
					  sessions) ||
		!db_task_open(&sessions->release, sandbox->base, sandbox->db, make_release, take_release,
					  sessions))
	{
		sessions_free(sessions);
		return NULL;
	}
	db_task_in(&sessions->renewal, 0);
	return sessions;
}

bool
sessions_have(const Sessions *sessions, const ConnectorId *id)
{
	return find_session(sessions, id) != NULL;
}

void
sessions_stop(Sessions *sessions)
{
	db_task_close(&sessions->renewal);
	while (!TAILQ_EMPTY(&sessions->list))
		free_session(TAILQ_FIRST(&sessions->list));
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
