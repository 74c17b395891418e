/*-------------------------------------------------------------------------
 *
 * chat_events.c
 *		The triggers of wa.chat and wa.contact that write their events:
 *		wa.chat_events() and wa.contact_events().
 *
 *		chat.update		a new chat, or one that was changed or read
 *		contact.update	a new contact, or another name, user name or number
 *
 * An event shows the row as the endpoint does, without what is null.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/uuid.h"

#include "src/compatibility.h"
#include "src/event_json.h"
#include "src/event_log.h"

typedef enum FieldKind
{
	FIELD_TEXT,
	FIELD_INTEGER,
	FIELD_BOOL,
	FIELD_TIME,
	FIELD_SESSION /* the id of a session */
} FieldKind;

/* A member of an event, and its column.  Lists end with a name that is NULL. */
typedef struct Field
{
	const char *name;
	const char *column;
	FieldKind kind;
} Field;

static const Field chat_fields[] = {
	{"jid", "jid", FIELD_TEXT},
	{"id", "jid", FIELD_TEXT},
	{"sessionId", "session_id", FIELD_SESSION},
	{"type", "type", FIELD_TEXT},
	{"name", "name", FIELD_TEXT},
	{"lastMessageAt", "last_message_at", FIELD_TIME},
	{"unreadCount", "unread_count", FIELD_INTEGER},
	{"archived", "archived", FIELD_BOOL},
	{"pinned", "pinned", FIELD_BOOL},
	{"mutedUntil", "muted_until", FIELD_TIME},
	{.name = NULL},
};

static const Field contact_fields[] = {
	{"jid", "jid", FIELD_TEXT},
	{"phoneNumber", "phone_number", FIELD_TEXT},
	{"name", "name", FIELD_TEXT},
	{"businessName", "business_name", FIELD_TEXT},
	{"firstSeenAt", "first_seen_at", FIELD_TIME},
	{"lastSeenAt", "last_seen_at", FIELD_TIME},
	{"username", "username", FIELD_TEXT},
	{"userId", "user_id", FIELD_TEXT},
	{.name = NULL},
};

PG_FUNCTION_INFO_V1(wa_chat_events);
PG_FUNCTION_INFO_V1(wa_contact_events);

static Datum
read_column(HeapTuple row, TupleDesc columns, const char *name, bool *is_null)
{
	int place = SPI_fnumber(columns, name);

	if (place <= 0)
		elog(ERROR, "table has no column \"%s\"", name);
	return SPI_getbinval(row, columns, place, is_null);
}

static void
put_field(StringInfo json, const Field *field, Datum value, bool is_null)
{
	switch (field->kind)
	{
		case FIELD_TEXT:
			wa_event_json_text(json, field->name, value, is_null);
			break;
		case FIELD_TIME:
			wa_event_json_time(json, field->name, value, is_null);
			break;
		case FIELD_SESSION:
			wa_event_json_id(json, field->name, "sess", value, is_null);
			break;
		case FIELD_BOOL:
			if (!is_null)
				wa_event_json_bool(json, field->name, DatumGetBool(value));
			break;
		case FIELD_INTEGER:
			if (is_null)
				break;
			wa_event_json_name(json, field->name);
			appendStringInfo(json, "%d", DatumGetInt32(value));
			break;
	}
}

static void
write_event(HeapTuple row, TupleDesc columns, const char *type, const Field *fields)
{
	StringInfoData json;
	bool is_null;
	WaEvent event = {.type = type};

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (const Field *field = fields; field->name != NULL; field++)
	{
		Datum value = read_column(row, columns, field->column, &is_null);

		put_field(&json, field, value, is_null);
	}
	appendStringInfoChar(&json, '}');
	event.org_id = DatumGetUUIDP(read_column(row, columns, "org_id", &is_null));
	event.session_id = DatumGetUUIDP(read_column(row, columns, "session_id", &is_null));
	event.payload = json.data;
	wa_event_write(&event);
	pfree(json.data);
}

/* A dump that is being restored adds rows that have had their events already. */
static Datum
write_events(FunctionCallInfo fcinfo, const char *type, const Field *fields)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	bool is_new;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		elog(ERROR, "function must be called as a trigger");
	is_new = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	if (!is_new || row_security)
		write_event(is_new ? trigger->tg_trigtuple : trigger->tg_newtuple,
					RelationGetDescr(trigger->tg_relation), type, fields);
	return PointerGetDatum(NULL);
}

/* wa.chat_events(): trigger. */
Datum
wa_chat_events(PG_FUNCTION_ARGS)
{
	return write_events(fcinfo, "chat.update", chat_fields);
}

/* wa.contact_events(): trigger. */
Datum
wa_contact_events(PG_FUNCTION_ARGS)
{
	return write_events(fcinfo, "contact.update", contact_fields);
}
