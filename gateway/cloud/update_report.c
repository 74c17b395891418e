/*
 * update_report.c
 *		Makes the report of an update; see update_report.h.
 */
#include "cloud/update_report.h"

#include <string.h>

#include "cloud/content.h"
#include "cloud/fields.h"
#include "cloud/person.h"
#include "connector/outbox.h"
#include "lib/utf8.h"

#define UUID_LEN 36
#define ERROR_MAX 480 /* bytes; the database keeps 500 characters */

/* ---- members ---- */

static void
write_kind(JsonWriter *json, const char *report, const char *session)
{
	report_text(json, "report", report);
	report_text(json, "session", session);
}

static bool
has_message_id(const JsonValue *object, const char *name)
{
	char id[FIELD_MESSAGE_ID_MAX + 1];

	return field_copy(object, name, id, sizeof(id));
}

static void
write_message_id(JsonWriter *json, const JsonValue *object, const char *name)
{
	char id[FIELD_MESSAGE_ID_MAX + 1];

	field_copy(object, name, id, sizeof(id));
	report_text(json, "wa_message_id", id);
}

/* ---- statuses ---- */

/* Whether the text is an id of ours; other senders may give any text there. */
static bool
is_uuid(const char *text)
{
	if (text == NULL || strlen(text) != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++)
	{
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? text[i] != '-' : strchr("0123456789abcdef", text[i]) == NULL)
			return false;
	}
	return true;
}

/*
 * A message of ours has its id in the status.  By that the database finds it also if WhatsApp's
 * answer, with its own id of the message, has not been reported or was lost.
 */
static void
write_message(const Update *update, const char *report, const char *session, int64_t now_ms,
			  JsonWriter *json)
{
	const char *message = field_text(update->element, "biz_opaque_callback_data");

	write_kind(json, report, session);
	report_text(json, "message", is_uuid(message) ? message : NULL);
	write_message_id(json, update->element, "id");
	report_time(json, "at", field_time(update->element, "timestamp", now_ms));
}

static void
write_sent(const Update *update, const char *session, int64_t now_ms, JsonWriter *json)
{
	write_message(update, "sent", session, now_ms, json);
}

static void
write_status(const Update *update, const char *session, int64_t now_ms, JsonWriter *json)
{
	write_message(update, "status", session, now_ms, json);
	report_text(json, "status", field_text(update->element, "status"));
}

/* What Meta says is wrong: the details if there are any, or else the title. */
static void
write_error(JsonWriter *json, const JsonValue *error)
{
	const char *text = field_text(json_read_member(error, "error_data"), "details");
	int64_t code;
	char shown[ERROR_MAX + 1];

	if (text == NULL)
		text = field_text(error, "message");
	if (text == NULL)
		text = field_text(error, "title");
	utf8_copy_start(shown, ERROR_MAX, text == NULL ? "WhatsApp gave no reason" : text);
	report_text(json, "error", shown);
	if (!field_int64(error, "code", &code))
		return;
	json_write_name(json, "error_code");
	json_write_int64(json, code);
}

static void
write_failed(const Update *update, const char *session, int64_t now_ms, JsonWriter *json)
{
	write_status(update, session, now_ms, json);
	write_error(json, json_read_element(json_read_member(update->element, "errors"), 0));
}

/* Without a function there is no report. */
static const struct
{
	const char *status;
	UpdateReport report;
} statuses[] = {
	{"sent", {UPDATE_TURN_SENT, write_sent}},
	{"delivered", {UPDATE_TURN_DELIVERED, write_status}},
	{"read", {UPDATE_TURN_READ, write_status}},
	{"played", {UPDATE_TURN_PLAYED, write_status}},
	{"failed", {UPDATE_TURN_FAILED, write_failed}},
	{"deleted", {UPDATE_TURN_SENT, NULL}},
	{"warning", {UPDATE_TURN_SENT, NULL}},
};

/* That a message was sent is known already if it is not by its own id that it is named. */
static UpdateOutcome
report_status(const Update *update, UpdateReport *report)
{
	const char *status = field_text(update->element, "status");

	if (status == NULL || !has_message_id(update->element, "id"))
		return UPDATE_NOT_UNDERSTOOD;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
	{
		if (strcmp(statuses[i].status, status) != 0)
			continue;
		*report = statuses[i].report;
		if (report->write == write_sent &&
			!is_uuid(field_text(update->element, "biz_opaque_callback_data")))
			return UPDATE_DROPPED;
		return report->write == NULL ? UPDATE_DROPPED : UPDATE_REPORTED;
	}
	return UPDATE_NOT_UNDERSTOOD;
}

/* ---- messages ---- */

/*
 * Who is on the other side of the chat, and who has done it.  Of what the owner of the number did
 * on a phone, the sender is the number.
 */
static bool
read_other(const Update *update, Person *other)
{
	const JsonValue *message = update->element;
	const JsonValue *system = json_read_member(message, "system");

	if (update->kind == UPDATE_ECHO)
		return person_read(message, "to", "to_user_id", update->contacts, other);
	return person_read(message, "from", "from_user_id", update->contacts, other) ||
		   person_read(system, "wa_id", "user_id", update->contacts, other);
}

/* The members that say who did it. */
static void
write_sender(const Update *update, const Person *other, JsonWriter *json)
{
	char jid[PERSON_JID_MAX];
	Person own;

	if (update->kind == UPDATE_ECHO)
	{
		json_write_name(json, "from_me");
		json_write_bool(json, true);
		if (!person_read(update->element, "from", "from_user_id", NULL, &own))
			own = *other;
		person_jid(&own, jid);
		report_text(json, "sender_jid", jid);
		return;
	}
	person_jid(other, jid);
	report_text(json, "sender_jid", jid);
	report_text(json, "sender_name", other->name);
}

/* What else is known of the person on the other side. */
static void
write_person(const Person *other, JsonWriter *json)
{
	report_text(json, "user_id", other->user_id[0] == '\0' ? NULL : other->user_id);
	report_text(json, "username", other->username);
}

static void
write_received(const Update *update, const char *session, int64_t now_ms, JsonWriter *json)
{
	const JsonValue *message = update->element;
	const JsonValue *context = json_read_member(message, "context");
	char jid[PERSON_JID_MAX];
	Content content;
	Person other;

	read_other(update, &other);
	person_jid(&other, jid);
	content_read(message, &content);
	write_kind(json, "receive", session);
	write_message_id(json, message, "id");
	report_text(json, "chat_jid", jid);
	write_sender(update, &other, json);
	write_person(&other, json);
	report_text(json, "type", content.type);
	report_text(json, "body", content.body);
	field_pass_text(json, "quoted", context, "id");
	if (field_true(context, "forwarded") || field_true(context, "frequently_forwarded"))
	{
		json_write_name(json, "forwarded");
		json_write_bool(json, true);
	}
	content_write(&content, message, json);
	report_time(json, "at", field_time(message, "timestamp", now_ms));
}

/* The object of a change, by the type of the message; the message that it is about. */
static const struct
{
	const char *type;
	const char *change; /* as reports call it */
	const char *id;
} changes[] = {
	{"reaction", "react", "message_id"},
	{"edit", "edit", "original_message_id"},
	{"revoke", "revoke", "original_message_id"},
};

/* The index in changes[], or -1 if the message is no change. */
static int
find_change(const JsonValue *message)
{
	const char *type = field_text(message, "type");

	for (size_t i = 0; type != NULL && i < sizeof(changes) / sizeof(changes[0]); i++)
		if (strcmp(changes[i].type, type) == 0)
			return (int) i;
	return -1;
}

/* The text of an edit, or the emoji; "" if there is none, which takes a reaction back. */
static const char *
change_value(const JsonValue *message)
{
	const JsonValue *object = json_read_member(message, field_text(message, "type"));
	const JsonValue *edited = json_read_member(object, "message");
	const char *value = field_text(object, "emoji");
	Content content;

	if (edited != NULL)
	{
		content_read(edited, &content);
		value = content.body;
	}
	return value == NULL ? "" : value;
}

static void
write_changed(const Update *update, const char *session, int64_t now_ms, JsonWriter *json)
{
	const JsonValue *message = update->element;
	int i = find_change(message);
	Person other;

	(void) now_ms;
	read_other(update, &other);
	write_kind(json, "change", session);
	write_message_id(json, json_read_member(message, changes[i].type), changes[i].id);
	write_sender(update, &other, json);
	write_person(&other, json);
	report_text(json, "type", changes[i].change);
	report_text(json, "value", change_value(message));
}

/* Groups have addresses of another kind, and are not supported. */
static UpdateOutcome
report_message(const Update *update, UpdateReport *report)
{
	const JsonValue *message = update->element;
	int change = find_change(message);
	Person other;

	if (!has_message_id(message, "id") || !read_other(update, &other) ||
		json_read_member(message, "group_id") != NULL)
		return UPDATE_NOT_UNDERSTOOD;
	if (change < 0)
		*report = (UpdateReport){UPDATE_TURN_RECEIVED, write_received};
	else if (has_message_id(json_read_member(message, changes[change].type), changes[change].id))
		*report = (UpdateReport){UPDATE_TURN_CHANGED, write_changed};
	else
		return UPDATE_NOT_UNDERSTOOD;
	return UPDATE_REPORTED;
}

UpdateOutcome
update_report(const Update *update, UpdateReport *report)
{
	switch (update->kind)
	{
		case UPDATE_MESSAGE:
		case UPDATE_ECHO:
			return report_message(update, report);
		case UPDATE_STATUS:
			return report_status(update, report);
		case UPDATE_ERROR:
		case UPDATE_ACCOUNT:
		case UPDATE_UNUSED:
			return UPDATE_DROPPED;
		case UPDATE_UNKNOWN:
			break;
	}
	return UPDATE_NOT_UNDERSTOOD;
}
