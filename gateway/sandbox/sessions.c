/*
 * sessions.c
 *		Pairs sessions: starting, then a QR code, then working.
 *
 * An invented telephone scans the QR code after a step.  Whoever asks for a pairing code
 * before that has the session paired with the telephone that was named, a step after the
 * request was seen: the code is "typed in" there.
 *
 * The database's status is the truth.  What is kept here is only when the next step
 * is due; after a restart a session goes on from the status that the database has.
 */
#include "sandbox/sessions.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

#define CONNECTOR_NAME "sandbox"
#define QR_LIFETIME_MS 60000

/* Columns of sessions.sql */
enum
{
	COLUMN_ORG,
	COLUMN_ID,
	COLUMN_STATUS,
	COLUMN_PHONE,
	COLUMN_PAIRING_PHONE,
	COLUMN_PAIRING_CODE
};

void
sessions_init(SandboxSessions *sessions, const char *owner, int step_ms, int lease_ms)
{
	memset(sessions, 0, sizeof(*sessions));
	sessions->owner = owner;
	sessions->step_ms = step_ms;
	sessions->lease_ms = lease_ms;
}

static SessionState
state_of_status(const char *status)
{
	if (strcmp(status, "working") == 0)
		return SESSION_WORKING;
	if (strcmp(status, "scan_qr_code") == 0)
		return SESSION_SCANNING;
	return SESSION_STARTING;
}

static const char *
status_of_state(SessionState state)
{
	switch (state)
	{
		case SESSION_STARTING:
			return "starting";
		case SESSION_SCANNING:
			return "scan_qr_code";
		case SESSION_WORKING:
			return "working";
	}
	return "";
}

/* The one place where a session's state changes. */
static void
enter_state(SandboxSessions *sessions, SandboxSession *session, SessionState state, int64_t now_ms)
{
	session->state = state;
	session->due_ms = now_ms + sessions->step_ms;
	log_line(LOG_LEVEL_INFO, "session", log_text("org", session->org),
			 log_text("session", session->id), log_text("status", status_of_state(state)));
}

static SandboxSession *
find_session(SandboxSessions *sessions, const char *id)
{
	for (int i = 0; i < sessions->count; i++)
		if (strcmp(sessions->session[i].id, id) == 0)
			return &sessions->session[i];
	return NULL;
}

/* A code that was not there at the last look: it is for that telephone to type in. */
static void
take_pairing_code(SandboxSessions *sessions, SandboxSession *session, const PGresult *rows, int row,
				  int64_t now_ms)
{
	const char *code = PQgetvalue(rows, row, COLUMN_PAIRING_CODE);

	if (session->state == SESSION_WORKING || code[0] == '\0' || strcmp(code, session->code) == 0)
		return;
	snprintf(session->code, sizeof(session->code), "%s", code);
	snprintf(session->phone, sizeof(session->phone), "%s",
			 PQgetvalue(rows, row, COLUMN_PAIRING_PHONE));
	session->due_ms = now_ms + sessions->step_ms;
	log_line(LOG_LEVEL_INFO, "session_pairs_by_code", log_text("org", session->org),
			 log_text("session", session->id));
}

/* A row of a renewal: a session that is new here, or known, or was restarted. */
static void
take_row(SandboxSessions *sessions, const PGresult *rows, int row, int64_t now_ms)
{
	const char *id = PQgetvalue(rows, row, COLUMN_ID);
	SessionState state = state_of_status(PQgetvalue(rows, row, COLUMN_STATUS));
	SandboxSession *session = find_session(sessions, id);

	if (session == NULL)
	{
		if (sessions->count == SANDBOX_SESSIONS_MAX)
			return;
		session = &sessions->session[sessions->count++];
		memset(session, 0, sizeof(*session));
		snprintf(session->id, sizeof(session->id), "%s", id);
		snprintf(session->org, sizeof(session->org), "%s", PQgetvalue(rows, row, COLUMN_ORG));
		snprintf(session->phone, sizeof(session->phone), "%s", PQgetvalue(rows, row, COLUMN_PHONE));
		if (session->phone[0] == '\0')
			sandbox_phone(id, session->phone);
		enter_state(sessions, session, state, now_ms);
	}
	else if (session->state != state)
		enter_state(sessions, session, state, now_ms);
	take_pairing_code(sessions, session, rows, row, now_ms);
	session->leased = true;
}

bool
sessions_renew(SandboxSessions *sessions, Store *store, int64_t now_ms)
{
	char max[16];
	char interval[32];
	const char *values[] = {CONNECTOR_NAME, sessions->owner, max, interval};
	PGresult *rows;
	int kept = 0;

	snprintf(max, sizeof(max), "%d", SANDBOX_SESSIONS_MAX);
	snprintf(interval, sizeof(interval), "%d milliseconds", sessions->lease_ms);
	rows = store_query(store, STORE_SESSIONS, 4, values);
	if (rows == NULL)
		return false;
	for (int i = 0; i < sessions->count; i++)
		sessions->session[i].leased = false;
	for (int row = 0; row < PQntuples(rows); row++)
		take_row(sessions, rows, row, now_ms);
	PQclear(rows);

	for (int i = 0; i < sessions->count; i++)
		if (sessions->session[i].leased)
			sessions->session[kept++] = sessions->session[i];
		else
			log_line(LOG_LEVEL_INFO, "session_gone", log_text("session", sessions->session[i].id));
	sessions->count = kept;
	return true;
}

/* Reports one session's next state; the outcome is the caller's to take. */
static bool
report_next(const SandboxSessions *sessions, const SandboxSession *session, Store *store)
{
	char jid[SANDBOX_JID_MAX];
	char qr[SANDBOX_QR_MAX];
	char expires[SANDBOX_TIME_MAX];
	const char *values[7] = {session->id, sessions->owner};

	if (session->state == SESSION_STARTING)
	{
		sandbox_qr(session->id, qr);
		sandbox_time(clock_wall_ms() + QR_LIFETIME_MS, expires);
		values[2] = status_of_state(SESSION_SCANNING);
		values[5] = qr;
		values[6] = expires;
	}
	else
	{
		sandbox_jid(session->phone, jid);
		values[2] = status_of_state(SESSION_WORKING);
		values[3] = session->phone;
		values[4] = jid;
	}
	return store_report(store, session->org, STORE_SESSION, 7, values);
}

void
sessions_step(SandboxSessions *sessions, Store *store, int64_t now_ms)
{
	SandboxSession *sent[STORE_BATCH_MAX];
	int count = 0;

	for (int i = 0; i < sessions->count && count < STORE_BATCH_MAX; i++)
	{
		SandboxSession *session = &sessions->session[i];

		if (session->state == SESSION_WORKING || session->due_ms > now_ms)
			continue;
		if (!report_next(sessions, session, store))
			break;
		sent[count++] = session;
	}
	for (int i = 0; i < count; i++)
		if (store_outcome(store) == STORE_DONE)
			enter_state(sessions, sent[i],
						sent[i]->state == SESSION_STARTING ? SESSION_SCANNING : SESSION_WORKING,
						now_ms);
		else
			sent[i]->due_ms = now_ms + sessions->step_ms + STORE_BACKOFF_MIN_MS;
}

int64_t
sessions_due(const SandboxSessions *sessions, int64_t until_ms)
{
	for (int i = 0; i < sessions->count; i++)
		if (sessions->session[i].state != SESSION_WORKING && sessions->session[i].due_ms < until_ms)
			until_ms = sessions->session[i].due_ms;
	return until_ms;
}

bool
sessions_waiting(const SandboxSessions *sessions)
{
	for (int i = 0; i < sessions->count; i++)
		if (sessions->session[i].state != SESSION_WORKING)
			return true;
	return false;
}

void
sessions_release(SandboxSessions *sessions, Store *store)
{
	const char *values[] = {sessions->owner};

	PQclear(store_query(store, STORE_RELEASE, 1, values));
	sessions->count = 0;
}
