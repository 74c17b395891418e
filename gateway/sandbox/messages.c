/*
 * messages.c
 *		Takes a message through sent, delivered and read, and answers a text.
 *
 * Every type of message is "sent"; what an attachment holds is not looked at.  A text
 * that asks for a reaction gets one, then every text its answer, and one that asks for
 * the phone is followed by a message that is typed on the session's own.
 *
 * A message leaves the list when it is finished, when the database says that it is
 * not ours any more, or when its report was refused.  When the process is killed, what
 * it had claimed is taken over from its lease in the database and gets the same ids
 * again; what it had sent stays "sent", for the invented telephones die with it.
 */
#include "sandbox/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

#define CONNECTOR_NAME "sandbox"
#define FAILURE_TEXT "the number is not on WhatsApp"
#define ANSWERER_NAME "Sandbox"
#define TYPED_TEXT "typed on the phone itself"

/* Columns of claim.sql */
enum
{
	COLUMN_ORG,
	COLUMN_MESSAGE,
	COLUMN_SESSION,
	COLUMN_CHAT,
	COLUMN_TYPE,
	COLUMN_BODY,
	COLUMN_MAYBE_SENT
};

void
messages_init(SandboxMessages *messages, const char *owner, int step_ms, int lease_ms)
{
	memset(messages, 0, sizeof(*messages));
	messages->owner = owner;
	messages->step_ms = step_ms;
	messages->lease_ms = lease_ms;
}

static void
free_message(SandboxMessage *message)
{
	free(message->chat_jid);
	free(message->body);
	message->chat_jid = NULL;
	message->body = NULL;
}

void
messages_free(SandboxMessages *messages)
{
	for (int i = 0; i < messages->count; i++)
		free_message(&messages->message[i]);
	messages->count = 0;
}

static const char *
name_of_state(MessageState state)
{
	switch (state)
	{
		case MESSAGE_CLAIMED:
			return "claimed";
		case MESSAGE_SENT:
			return "sent";
		case MESSAGE_DELIVERED:
			return "delivered";
		case MESSAGE_READ:
			return "read";
		case MESSAGE_REACTED:
			return "reacted";
		case MESSAGE_ANSWERED:
			return "answered";
		case MESSAGE_FINISHED:
			return "finished";
	}
	return "";
}

/* The one place where a message's state changes. */
static void
enter_state(const SandboxMessages *messages, SandboxMessage *message, MessageState state,
			int64_t now_ms)
{
	message->state = state;
	message->attempts = 0;
	message->due_ms = now_ms + messages->step_ms;
	log_line(LOG_LEVEL_DEBUG, "message", log_text("org", message->org),
			 log_text("message", message->id), log_text("status", name_of_state(state)));
}

static bool
is_on_its_way(const SandboxMessages *messages, const char *id)
{
	for (int i = 0; i < messages->count; i++)
		if (strcmp(messages->message[i].id, id) == 0)
			return true;
	return false;
}

/*
 * A claimed row.  One that may have been sent by a process that is gone is sent
 * again here without a double, because its id on the other side is derived.
 */
static void
take_row(SandboxMessages *messages, const PGresult *rows, int row, int64_t now_ms)
{
	SandboxMessage *message = &messages->message[messages->count];
	const char *id = PQgetvalue(rows, row, COLUMN_MESSAGE);
	bool is_text = strcmp(PQgetvalue(rows, row, COLUMN_TYPE), "text") == 0;

	if (messages->count == SANDBOX_MESSAGES_MAX || is_on_its_way(messages, id))
		return;
	memset(message, 0, sizeof(*message));
	snprintf(message->org, sizeof(message->org), "%s", PQgetvalue(rows, row, COLUMN_ORG));
	snprintf(message->id, sizeof(message->id), "%s", id);
	snprintf(message->session, sizeof(message->session), "%s",
			 PQgetvalue(rows, row, COLUMN_SESSION));
	message->chat_jid = strdup(PQgetvalue(rows, row, COLUMN_CHAT));
	if (is_text)
		message->body = strdup(PQgetvalue(rows, row, COLUMN_BODY));
	if (message->chat_jid == NULL || (is_text && message->body == NULL))
	{
		/* Out of memory: its lease runs out and it is claimed again. */
		free_message(message);
		return;
	}
	if (strcmp(PQgetvalue(rows, row, COLUMN_MAYBE_SENT), "t") == 0)
		log_line(LOG_LEVEL_INFO, "message_taken_over", log_text("org", message->org),
				 log_text("message", id));
	enter_state(messages, message, MESSAGE_CLAIMED, now_ms);
	messages->count++;
}

int
messages_claim(SandboxMessages *messages, Store *store, int64_t now_ms)
{
	int room = SANDBOX_MESSAGES_MAX - messages->count;
	char max[16];
	char interval[32];
	const char *values[] = {CONNECTOR_NAME, messages->owner, max, interval};
	PGresult *rows;
	int count;

	if (room == 0)
		return 0;
	snprintf(max, sizeof(max), "%d", room < SANDBOX_CLAIM_MAX ? room : SANDBOX_CLAIM_MAX);
	snprintf(interval, sizeof(interval), "%d milliseconds", messages->lease_ms);
	rows = store_query(store, STORE_CLAIM, 4, values);
	if (rows == NULL)
		return -1;
	count = PQntuples(rows);
	for (int row = 0; row < count; row++)
		take_row(messages, rows, row, now_ms);
	PQclear(rows);
	return count;
}

static bool
report_sent(const SandboxMessage *message, Store *store, const char *now)
{
	char wa_id[WA_MESSAGE_ID_MAX + 1];
	const char *sent[] = {message->id, wa_id, now};
	const char *failed[] = {message->id, FAILURE_TEXT, "false"};

	if (sandbox_is_dead(message->chat_jid))
		return store_report(store, message->org, STORE_FAILED, 3, failed);
	sandbox_sent_id(message->id, wa_id);
	return store_report(store, message->org, STORE_SENT, 3, sent);
}

static bool
report_status(const SandboxMessage *message, Store *store, const char *status, const char *now)
{
	char wa_id[WA_MESSAGE_ID_MAX + 1];
	const char *values[] = {message->session, wa_id, status, now};

	sandbox_sent_id(message->id, wa_id);
	return store_report(store, message->org, STORE_STATUS, 4, values);
}

static bool
report_echo(const SandboxMessage *message, Store *store, const char *now)
{
	char wa_id[WA_MESSAGE_ID_MAX + 1];
	const char *values[] = {message->session,
							wa_id,
							message->chat_jid,
							sandbox_answerer(message->chat_jid),
							ANSWERER_NAME,
							"text",
							message->body,
							NULL,
							now,
							"false"};

	sandbox_echo_id(message->id, wa_id);
	return store_report(store, message->org, STORE_RECEIVE, 10, values);
}

/* What the owner of the session's number types on the phone itself. */
static bool
report_typed(const SandboxMessage *message, Store *store, const char *now)
{
	char wa_id[WA_MESSAGE_ID_MAX + 1];
	const char *values[] = {message->session,
							wa_id,
							message->chat_jid,
							NULL,
							NULL,
							"text",
							TYPED_TEXT,
							NULL,
							now,
							"true"};

	sandbox_typed_id(message->id, wa_id);
	return store_report(store, message->org, STORE_RECEIVE, 10, values);
}

static bool
report_reaction(const SandboxMessage *message, Store *store)
{
	char wa_id[WA_MESSAGE_ID_MAX + 1];
	const char *values[] = {message->session, wa_id,  sandbox_answerer(message->chat_jid), "react",
							SANDBOX_REACTION, "false"};

	sandbox_sent_id(message->id, wa_id);
	return store_report(store, message->org, STORE_CHANGE, 6, values);
}

/* Sends the report that is due; its outcome is the caller's to take. */
static bool
report_next(const SandboxMessage *message, Store *store)
{
	char now[SANDBOX_TIME_MAX];

	sandbox_time(clock_wall_ms(), now);
	switch (message->state)
	{
		case MESSAGE_CLAIMED:
			return report_sent(message, store, now);
		case MESSAGE_SENT:
			return report_status(message, store, "delivered", now);
		case MESSAGE_DELIVERED:
			return report_status(message, store, "read", now);
		case MESSAGE_READ:
			return report_reaction(message, store);
		case MESSAGE_REACTED:
			return report_echo(message, store, now);
		case MESSAGE_ANSWERED:
			return report_typed(message, store, now);
		case MESSAGE_FINISHED:
			break;
	}
	return false;
}

/* What follows a report that the database has taken. */
static MessageState
next_state(const SandboxMessage *message)
{
	switch (message->state)
	{
		case MESSAGE_CLAIMED:
			return sandbox_is_dead(message->chat_jid) ? MESSAGE_FINISHED : MESSAGE_SENT;
		case MESSAGE_SENT:
			return MESSAGE_DELIVERED;
		case MESSAGE_DELIVERED:
			if (message->body == NULL)
				return MESSAGE_FINISHED;
			return sandbox_asks_reaction(message->body) ? MESSAGE_READ : MESSAGE_REACTED;
		case MESSAGE_READ:
			return MESSAGE_REACTED;
		case MESSAGE_REACTED:
			return sandbox_asks_phone(message->body) ? MESSAGE_ANSWERED : MESSAGE_FINISHED;
		case MESSAGE_ANSWERED:
		case MESSAGE_FINISHED:
			break;
	}
	return MESSAGE_FINISHED;
}

/*
 * Every report can be made twice: ids are derived, and a status never goes back.  So
 * "no news" is as good as done, but for a message that was taken over before its
 * first report came: the other process goes on with it.
 */
static void
settle(SandboxMessages *messages, SandboxMessage *message, StoreOutcome outcome, int64_t now_ms)
{
	switch (outcome)
	{
		case STORE_DONE:
			enter_state(messages, message, next_state(message), now_ms);
			return;
		case STORE_STALE:
			if (message->state == MESSAGE_CLAIMED && message->attempts == 0)
				break;
			enter_state(messages, message, next_state(message), now_ms);
			return;
		case STORE_REFUSED:
			break;
		case STORE_AGAIN:
		case STORE_LOST:
			if (++message->attempts < SANDBOX_ATTEMPTS_MAX)
			{
				message->due_ms = now_ms + STORE_BACKOFF_MIN_MS;
				return;
			}
			break;
	}
	log_line(LOG_LEVEL_WARNING, "message_given_up", log_text("org", message->org),
			 log_text("message", message->id), log_text("status", name_of_state(message->state)));
	enter_state(messages, message, MESSAGE_FINISHED, now_ms);
}

static void
remove_finished(SandboxMessages *messages)
{
	int kept = 0;

	for (int i = 0; i < messages->count; i++)
		if (messages->message[i].state == MESSAGE_FINISHED)
			free_message(&messages->message[i]);
		else
			messages->message[kept++] = messages->message[i];
	messages->count = kept;
}

void
messages_step(SandboxMessages *messages, Store *store, int64_t now_ms)
{
	SandboxMessage *sent[STORE_BATCH_MAX];
	int count = 0;

	for (int i = 0; i < messages->count && count < STORE_BATCH_MAX; i++)
	{
		SandboxMessage *message = &messages->message[i];

		if (message->due_ms > now_ms)
			continue;
		if (!report_next(message, store))
			break;
		sent[count++] = message;
	}
	for (int i = 0; i < count; i++)
		settle(messages, sent[i], store_outcome(store), now_ms);
	remove_finished(messages);
}

int64_t
messages_due(const SandboxMessages *messages, int64_t until_ms)
{
	for (int i = 0; i < messages->count; i++)
		if (messages->message[i].due_ms < until_ms)
			until_ms = messages->message[i].due_ms;
	return until_ms;
}

void
messages_hurry(SandboxMessages *messages)
{
	messages->step_ms = 0;
	for (int i = 0; i < messages->count; i++)
		messages->message[i].due_ms = 0;
}
