/*-------------------------------------------------------------------------
 *
 * message_events.c
 *		The trigger of wa.message that writes the events of a message.
 *
 *		message, message.from_me	a new row: received; to be sent, or forwarded
 *		message.revoked				deleted for everyone
 *		message.edited				another text
 *		message.reaction			somebody has reacted, or taken it back
 *		message.status				a message that was sent got further
 *		message.media				its received file was stored, or will not be
 *
 * An event shows the message as the endpoint does: null is left out everywhere,
 * except that a message whose attachment is not stored has "media": null.
 *
 * Only what is shown is read from where large values are stored, so the
 * attachment never is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "src/compatibility.h"
#include "src/event_json.h"
#include "src/event_log.h"

/* The columns of wa.message that are read here. */
typedef enum Column
{
	ORG_ID,
	ID,
	SESSION_ID,
	SESSION_PHONE_NUMBER,
	CHAT_JID,
	WA_MESSAGE_ID,
	DIRECTION,
	SENDER_JID,
	SENDER_NAME,
	TYPE,
	BODY,
	CONTENT,
	QUOTED_MESSAGE_ID,
	MENTIONS,
	MEDIA,
	STATUS,
	ERROR_TEXT,
	ERROR_CODE,
	EDITED,
	REVOKED,
	FORWARDED,
	REACTIONS,
	SENT_AT,
	CREATED_AT,
	COLUMNS
} Column;

static const char *const column_names[COLUMNS] = {
	[ORG_ID] = "org_id",
	[ID] = "id",
	[SESSION_ID] = "session_id",
	[SESSION_PHONE_NUMBER] = "session_phone_number",
	[CHAT_JID] = "chat_jid",
	[WA_MESSAGE_ID] = "wa_message_id",
	[DIRECTION] = "direction",
	[SENDER_JID] = "sender_jid",
	[SENDER_NAME] = "sender_name",
	[TYPE] = "type",
	[BODY] = "body",
	[CONTENT] = "content",
	[QUOTED_MESSAGE_ID] = "quoted_message_id",
	[MENTIONS] = "mentions",
	[MEDIA] = "media",
	[STATUS] = "status",
	[ERROR_TEXT] = "error",
	[ERROR_CODE] = "error_code",
	[EDITED] = "edited",
	[REVOKED] = "revoked",
	[FORWARDED] = "forwarded",
	[REACTIONS] = "reactions",
	[SENT_AT] = "sent_at",
	[CREATED_AT] = "created_at",
};

/* A message.  What is not null may still be compressed or stored elsewhere. */
typedef struct Message
{
	Datum values[COLUMNS];
	bool nulls[COLUMNS];
} Message;

PG_FUNCTION_INFO_V1(wa_message_events);

/* ---- Reading a row ---- */

/* The place of a column.  It is remembered, and looked up again if the table has changed. */
static int
place_of(Column column, TupleDesc columns)
{
	static int places[COLUMNS];
	int place = places[column];

	if (place < columns->natts &&
		namestrcmp(&TupleDescAttr(columns, place)->attname, column_names[column]) == 0)
		return place;
	place = SPI_fnumber(columns, column_names[column]) - 1;
	if (place < 0)
		elog(ERROR, "table has no column \"%s\"", column_names[column]);
	places[column] = place;
	return place;
}

static void
read_message(HeapTuple tuple, TupleDesc columns, Message *message)
{
	Datum *values = palloc(columns->natts * sizeof(Datum));
	bool *nulls = palloc(columns->natts * sizeof(bool));

	heap_deform_tuple(tuple, columns, values, nulls);
	for (Column column = 0; column < COLUMNS; column++)
	{
		int place = place_of(column, columns);

		message->values[column] = values[place];
		message->nulls[column] = nulls[place];
	}
}

static bool
is_text(const Message *message, Column column, const char *wanted)
{
	text *value;

	if (message->nulls[column])
		return false;
	value = DatumGetTextPP(message->values[column]);
	return VARSIZE_ANY_EXHDR(value) == strlen(wanted) &&
		   memcmp(VARDATA_ANY(value), wanted, strlen(wanted)) == 0;
}

static bool
is_true(const Message *message, Column column)
{
	return !message->nulls[column] && DatumGetBool(message->values[column]);
}

/* Whether a column has another value, by a function that says whether two are equal. */
static bool
differs(const Message *before, const Message *after, Column column, PGFunction equal)
{
	if (before->nulls[column] || after->nulls[column])
		return before->nulls[column] != after->nulls[column];
	return !DatumGetBool(DirectFunctionCall2Coll(equal, DEFAULT_COLLATION_OID,
												 before->values[column], after->values[column]));
}

/* ---- Writing its JSON ---- */

static void
put_id(StringInfo json, const char *name, const char *prefix, const Message *message, Column column)
{
	wa_event_json_id(json, name, prefix, message->values[column], message->nulls[column]);
}

static void
put_text(StringInfo json, const char *name, const Message *message, Column column)
{
	wa_event_json_text(json, name, message->values[column], message->nulls[column]);
}

static void
put_time(StringInfo json, const char *name, const Message *message, Column column)
{
	wa_event_json_time(json, name, message->values[column], message->nulls[column]);
}

/* Without white space, and without fields that are null.  PostgreSQL 18 has a second parameter. */
static void
put_jsonb(StringInfo json, const char *name, const Message *message, Column column)
{
	Jsonb *value;
	char *written;

	if (message->nulls[column])
		return;
	value = DatumGetJsonbP(message->values[column]);
	written = JsonbToCString(NULL, &value->root, VARSIZE(value));
	written = TextDatumGetCString(
		DirectFunctionCall2(json_strip_nulls, CStringGetTextDatum(written), BoolGetDatum(false)));
	if (strcmp(written, "null") == 0)
		return;
	wa_event_json_name(json, name);
	appendStringInfoString(json, written);
}

static void
put_list(StringInfo json, const char *name, const Message *message, Column column)
{
	if (message->nulls[column])
		return;
	wa_event_json_name(json, name);
	appendStringInfoString(
		json, TextDatumGetCString(DirectFunctionCall1(array_to_json, message->values[column])));
}

static bool
is_attachment(const Message *message)
{
	return is_text(message, TYPE, "image") || is_text(message, TYPE, "video") ||
		   is_text(message, TYPE, "audio") || is_text(message, TYPE, "document") ||
		   is_text(message, TYPE, "sticker");
}

/* It is not shown that a connector has the message: "sending" is shown as "queued". */
static void
put_status(StringInfo json, const Message *message)
{
	if (!is_text(message, STATUS, "sending"))
	{
		put_text(json, "status", message, STATUS);
		return;
	}
	wa_event_json_name(json, "status");
	appendStringInfoString(json, "\"queued\"");
}

/* What the message says. */
static void
put_content(StringInfo json, const Message *message)
{
	put_text(json, "type", message, TYPE);
	put_text(json, "body", message, BODY);
	put_jsonb(json, "content", message, CONTENT);
	put_id(json, "quotedMessageId", "msg", message, QUOTED_MESSAGE_ID);
	put_list(json, "mentions", message, MENTIONS);
	wa_event_json_bool(json, "hasMedia", !message->nulls[MEDIA] || is_attachment(message));
	put_jsonb(json, "media", message, MEDIA);
}

/* The JSON of a message without the brace at its end. */
static void
put_message(StringInfo json, const Message *message)
{
	appendStringInfoChar(json, '{');
	put_id(json, "id", "msg", message, ID);
	put_id(json, "sessionId", "sess", message, SESSION_ID);
	put_text(json, "sessionPhoneNumber", message, SESSION_PHONE_NUMBER);
	put_text(json, "chatJid", message, CHAT_JID);
	put_text(json, "waMessageId", message, WA_MESSAGE_ID);
	put_text(json, "direction", message, DIRECTION);
	wa_event_json_bool(json, "fromMe", is_text(message, DIRECTION, "out"));
	put_text(json, "senderJid", message, SENDER_JID);
	put_text(json, "senderName", message, SENDER_NAME);
	put_content(json, message);
	put_status(json, message);
	put_text(json, "error", message, ERROR_TEXT);
	put_text(json, "errorCode", message, ERROR_CODE);
	wa_event_json_bool(json, "edited", is_true(message, EDITED));
	wa_event_json_bool(json, "revoked", is_true(message, REVOKED));
	wa_event_json_bool(json, "forwarded", is_true(message, FORWARDED));
	put_jsonb(json, "reactions", message, REACTIONS);
	put_time(json, "timestamp", message, SENT_AT);
	put_time(json, "createdAt", message, CREATED_AT);
	if (is_attachment(message) && message->nulls[MEDIA])
		appendStringInfoString(json, ",\"media\":null");
}

/* ---- Its events ---- */

/* Writes an event of this type.  "json" is that of the message, without the brace. */
static void
emit(const Message *message, const char *type, const char *json, const char *more)
{
	char *payload = psprintf("%s%s}", json, more);
	WaEvent event = {
		.org_id = DatumGetUUIDP(message->values[ORG_ID]),
		.session_id = DatumGetUUIDP(message->values[SESSION_ID]),
		.type = type,
		.payload = payload,
	};

	wa_event_write(&event);
	pfree(payload);
}

/* The field that says who has reacted with what. */
static char *
changed_reaction(const Message *before, const Message *after)
{
	Oid types[] = {JSONBOID, JSONBOID};
	Datum values[] = {before->values[REACTIONS], after->values[REACTIONS]};
	char nulls[] = {before->nulls[REACTIONS] ? 'n' : ' ', after->nulls[REACTIONS] ? 'n' : ' ',
					'\0'};
	MemoryContext caller = CurrentMemoryContext;
	char *field;

	SPI_connect();
	if (SPI_execute_with_args("SELECT wa.changed_reaction($1, $2)", 2, types, values, nulls, false,
							  1) != SPI_OK_SELECT)
		elog(ERROR, "could not compare reactions");
	field = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	field = MemoryContextStrdup(caller, psprintf(",\"reaction\":%s", field));
	SPI_finish();
	return field;
}

static bool
is_waiting(const Message *message)
{
	return is_text(message, STATUS, "queued") || is_text(message, STATUS, "sending");
}

static void
emit_changes(const Message *before, const Message *after, const char *json)
{
	if (is_true(after, REVOKED) && !is_true(before, REVOKED))
		emit(after, "message.revoked", json, "");
	else if (differs(before, after, BODY, texteq))
		emit(after, "message.edited", json, "");
	if (!is_true(after, REVOKED) && differs(before, after, MEDIA, jsonb_eq))
		emit(after, "message.media", json, "");
	if (differs(before, after, REACTIONS, jsonb_eq))
		emit(after, "message.reaction", json, changed_reaction(before, after));
	if (is_text(after, DIRECTION, "out") && differs(before, after, STATUS, texteq) &&
		!(is_waiting(before) && is_waiting(after)))
		emit(after, "message.status", json, "");
}

/* wa.message_events(): trigger. */
Datum
wa_message_events(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc columns;
	StringInfoData json;
	Message old;
	Message new;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		elog(ERROR, "wa.message_events() must be called as a trigger");
	/* A dump that is being restored adds rows that have had their events already. */
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event) && !row_security)
		return PointerGetDatum(NULL);
	columns = RelationGetDescr(trigger->tg_relation);
	initStringInfo(&json);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		read_message(trigger->tg_trigtuple, columns, &new);
		put_message(&json, &new);
		emit(&new, is_text(&new, DIRECTION, "in") ? "message" : "message.from_me", json.data, "");
	}
	else
	{
		read_message(trigger->tg_trigtuple, columns, &old);
		read_message(trigger->tg_newtuple, columns, &new);
		put_message(&json, &new);
		emit_changes(&old, &new, json.data);
	}
	return PointerGetDatum(NULL);
}
