/*
 * actions.c
 *		Carries out what is done to messages, one step after it was claimed.
 *
 * The invented WhatsApp does whatever it is asked: there is nothing to send, and the
 * report is all.  Only a forward makes something, a message whose id here was given when
 * it was asked for; its id there is derived from that, so that a forward that was taken
 * over makes no double, and it is then delivered and read like any message.
 */
#include "sandbox/actions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

#define CONNECTOR_NAME "sandbox"
#define FAILURE_TEXT "the number is not on WhatsApp"

/* Columns of actions.sql */
enum
{
	COLUMN_ORG,
	COLUMN_ACTION,
	COLUMN_SESSION,
	COLUMN_TYPE,
	COLUMN_TO,
	COLUMN_COPY,
	COLUMN_MAYBE_SENT
};

void
actions_init(SandboxActions *actions, const char *owner, int step_ms, int lease_ms)
{
	memset(actions, 0, sizeof(*actions));
	actions->owner = owner;
	actions->step_ms = step_ms;
	actions->lease_ms = lease_ms;
}

void
actions_free(SandboxActions *actions)
{
	for (int i = 0; i < actions->count; i++)
		free(actions->action[i].to);
	actions->count = 0;
}

static const char *
name_of_state(ActionState state)
{
	switch (state)
	{
		case ACTION_CLAIMED:
			return "claimed";
		case ACTION_DONE:
			return "done";
		case ACTION_DELIVERED:
			return "delivered";
		case ACTION_FINISHED:
			return "finished";
	}
	return "";
}

/* The one place where an action's state changes. */
static void
enter_state(const SandboxActions *actions, SandboxAction *action, ActionState state, int64_t now_ms)
{
	action->state = state;
	action->attempts = 0;
	action->due_ms = now_ms + actions->step_ms;
	log_line(LOG_LEVEL_DEBUG, "action", log_text("org", action->org),
			 log_text("action", action->id), log_text("status", name_of_state(state)));
}

static bool
is_on_its_way(const SandboxActions *actions, const char *id)
{
	for (int i = 0; i < actions->count; i++)
		if (strcmp(actions->action[i].id, id) == 0)
			return true;
	return false;
}

static void
take_row(SandboxActions *actions, const PGresult *rows, int row, int64_t now_ms)
{
	SandboxAction *action = &actions->action[actions->count];
	const char *id = PQgetvalue(rows, row, COLUMN_ACTION);

	if (actions->count == SANDBOX_ACTIONS_MAX || is_on_its_way(actions, id))
		return;
	memset(action, 0, sizeof(*action));
	snprintf(action->org, sizeof(action->org), "%s", PQgetvalue(rows, row, COLUMN_ORG));
	snprintf(action->id, sizeof(action->id), "%s", id);
	snprintf(action->session, sizeof(action->session), "%s", PQgetvalue(rows, row, COLUMN_SESSION));
	if (strcmp(PQgetvalue(rows, row, COLUMN_TYPE), "forward") == 0)
	{
		snprintf(action->copy, sizeof(action->copy), "%s", PQgetvalue(rows, row, COLUMN_COPY));
		action->to = strdup(PQgetvalue(rows, row, COLUMN_TO));
		/* Out of memory: its lease runs out and it is claimed again. */
		if (action->to == NULL)
			return;
	}
	if (strcmp(PQgetvalue(rows, row, COLUMN_MAYBE_SENT), "t") == 0)
		log_line(LOG_LEVEL_INFO, "action_taken_over", log_text("org", action->org),
				 log_text("action", id));
	enter_state(actions, action, ACTION_CLAIMED, now_ms);
	actions->count++;
}

int
actions_claim(SandboxActions *actions, Store *store, int64_t now_ms)
{
	int room = SANDBOX_ACTIONS_MAX - actions->count;
	char max[16];
	char interval[32];
	const char *values[] = {CONNECTOR_NAME, actions->owner, max, interval};
	PGresult *rows;
	int count;

	if (room == 0)
		return 0;
	snprintf(max, sizeof(max), "%d", room < SANDBOX_CLAIM_MAX ? room : SANDBOX_CLAIM_MAX);
	snprintf(interval, sizeof(interval), "%d milliseconds", actions->lease_ms);
	rows = store_query(store, STORE_ACTIONS, 4, values);
	if (rows == NULL)
		return -1;
	count = PQntuples(rows);
	for (int row = 0; row < count; row++)
		take_row(actions, rows, row, now_ms);
	PQclear(rows);
	return count;
}

/* A forward to the number that is on no telephone. */
static bool
has_to_fail(const SandboxAction *action)
{
	return action->to != NULL && sandbox_is_dead(action->to);
}

static bool
report_done(const SandboxAction *action, Store *store, const char *now)
{
	char wa_id[WA_MESSAGE_ID_MAX + 1];
	const char *done[] = {action->id, NULL, now};
	const char *failed[] = {action->id, FAILURE_TEXT, "false"};

	if (has_to_fail(action))
		return store_report(store, action->org, STORE_ACTION_FAILED, 3, failed);
	if (action->copy[0] != '\0')
	{
		sandbox_sent_id(action->copy, wa_id);
		done[1] = wa_id;
	}
	return store_report(store, action->org, STORE_ACTION_DONE, 3, done);
}

static bool
report_status(const SandboxAction *action, Store *store, const char *status, const char *now)
{
	char wa_id[WA_MESSAGE_ID_MAX + 1];
	const char *values[] = {action->session, wa_id, status, now};

	sandbox_sent_id(action->copy, wa_id);
	return store_report(store, action->org, STORE_STATUS, 4, values);
}

/* Sends the report that is due; its outcome is the caller's to take. */
static bool
report_next(const SandboxAction *action, Store *store)
{
	char now[SANDBOX_TIME_MAX];

	sandbox_time(clock_wall_ms(), now);
	switch (action->state)
	{
		case ACTION_CLAIMED:
			return report_done(action, store, now);
		case ACTION_DONE:
			return report_status(action, store, "delivered", now);
		case ACTION_DELIVERED:
			return report_status(action, store, "read", now);
		case ACTION_FINISHED:
			break;
	}
	return false;
}

/* What follows a report that the database has taken. */
static ActionState
next_state(const SandboxAction *action)
{
	if (action->state == ACTION_CLAIMED && action->copy[0] != '\0' && !has_to_fail(action))
		return ACTION_DONE;
	return action->state == ACTION_DONE ? ACTION_DELIVERED : ACTION_FINISHED;
}

/*
 * As with messages every report can be made twice, and "no news" is as good as done, but
 * for an action that was taken over before its first report came.
 */
static void
settle(SandboxActions *actions, SandboxAction *action, StoreOutcome outcome, int64_t now_ms)
{
	bool first = action->state == ACTION_CLAIMED && action->attempts == 0;
	bool may_pass = outcome == STORE_AGAIN || outcome == STORE_LOST;

	if (outcome == STORE_DONE || (outcome == STORE_STALE && !first))
	{
		enter_state(actions, action, next_state(action), now_ms);
		return;
	}
	if (may_pass && ++action->attempts < SANDBOX_ATTEMPTS_MAX)
	{
		action->due_ms = now_ms + STORE_BACKOFF_MIN_MS;
		return;
	}
	log_line(LOG_LEVEL_WARNING, "action_given_up", log_text("org", action->org),
			 log_text("action", action->id), log_text("status", name_of_state(action->state)));
	enter_state(actions, action, ACTION_FINISHED, now_ms);
}

static void
remove_finished(SandboxActions *actions)
{
	int kept = 0;

	for (int i = 0; i < actions->count; i++)
		if (actions->action[i].state == ACTION_FINISHED)
			free(actions->action[i].to);
		else
			actions->action[kept++] = actions->action[i];
	actions->count = kept;
}

void
actions_step(SandboxActions *actions, Store *store, int64_t now_ms)
{
	SandboxAction *sent[STORE_BATCH_MAX];
	int count = 0;

	for (int i = 0; i < actions->count && count < STORE_BATCH_MAX; i++)
	{
		SandboxAction *action = &actions->action[i];

		if (action->due_ms > now_ms)
			continue;
		if (!report_next(action, store))
			break;
		sent[count++] = action;
	}
	for (int i = 0; i < count; i++)
		settle(actions, sent[i], store_outcome(store), now_ms);
	remove_finished(actions);
}

int64_t
actions_due(const SandboxActions *actions, int64_t until_ms)
{
	for (int i = 0; i < actions->count; i++)
		if (actions->action[i].due_ms < until_ms)
			until_ms = actions->action[i].due_ms;
	return until_ms;
}

void
actions_hurry(SandboxActions *actions)
{
	actions->step_ms = 0;
	for (int i = 0; i < actions->count; i++)
		actions->action[i].due_ms = 0;
}
