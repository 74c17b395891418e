/*-------------------------------------------------------------------------
 *
 * event_log.c
 *		Writing events: wa.emit() and wa.envelope().
 *
 * All events are written here, each with a delivery for each webhook that wants
 * it, by one statement.  A webhook that the circuit breaker has paused gets the
 * event when it is active again.
 *
 * The statement sees the webhooks of all sessions, whatever the credential
 * reaches that has caused the event (reach.c).
 *
 * The organization is a parameter and not that of the transaction, because
 * events are also written where none is bound.  The statement runs with the
 * rights of the caller, wa_owner, whom row security restricts to the bound
 * organization.
 *
 * The statement is planned once per backend.  Its names and operators are
 * qualified, so it means the same under every search path.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "src/common/typeid.h"
#include "src/compatibility.h"
#include "src/epoch_ms.h"
#include "src/event_log.h"
#include "src/event_position.h"
#include "src/reach.h"
#include "src/uuid7.h"

/* The largest event.  A socket has room for twice as much. */
#define PAYLOAD_MAX (4 * 1024 * 1024)

enum
{
	EVENT_ORG,
	EVENT_EPOCH,
	EVENT_ORDINAL,
	EVENT_ID,
	EVENT_TYPE,
	EVENT_SESSION,
	EVENT_CREATED,
	EVENT_ENVELOPE,
	EVENT_PARAMETERS
};

static Oid event_types[EVENT_PARAMETERS] = {
	UUIDOID, INT4OID, INT8OID, UUIDOID, TEXTOID, UUIDOID, TIMESTAMPTZOID, TEXTOID,
};

static const char event_statement[] =
	"WITH written AS ("
	"INSERT INTO wa.event (org_id, epoch, ordinal, id, type, session_id, created_at, envelope) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7, $8)) "
	"INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type, session_id) "
	"SELECT $1, w.id, $4, $2, $3, $5, $6 FROM wa.webhook w "
	"WHERE w.org_id OPERATOR(pg_catalog.=) $1 AND (w.active OR w.disabled_at IS NOT NULL) "
	"AND (w.session_id IS NULL OR w.session_id OPERATOR(pg_catalog.=) $6) "
	"AND w.events OPERATOR(pg_catalog.&&) ARRAY[$5, '*'::pg_catalog.text]";

PG_FUNCTION_INFO_V1(wa_emit);
PG_FUNCTION_INFO_V1(wa_envelope);

static void
append_id(StringInfo json, const char *prefix, const pg_uuid_t *id)
{
	char written[WAK_TYPEID_MAX + 1];

	wak_typeid_encode(prefix, id->data, written);
	appendStringInfoString(json, written);
}

/* The event as JSON, in the bytes that everybody gets. */
static text *
make_envelope(const WaEvent *event, const pg_uuid_t *id, TimestampTz at)
{
	StringInfoData json;

	initStringInfo(&json);
	enlargeStringInfo(&json, (int) strlen(event->payload) + 256);
	appendStringInfoString(&json, "{\"schema\":\"v1\",\"id\":\"");
	append_id(&json, "evt", id);
	appendStringInfo(&json, "\",\"event\":\"%s\"", event->type);
	if (event->session_id != NULL)
	{
		appendStringInfoString(&json, ",\"session\":\"");
		append_id(&json, "sess", event->session_id);
		appendStringInfoChar(&json, '"');
	}
	appendStringInfoString(&json, ",\"organization\":\"");
	append_id(&json, "org", event->org_id);
	appendStringInfo(&json,
					 "\",\"timestamp\":" INT64_FORMAT ",\"payload\":", wa_epoch_milliseconds(at));
	appendStringInfoString(&json, event->payload);
	appendStringInfoChar(&json, '}');
	return cstring_to_text_with_len(json.data, json.len);
}

/* Records the epoch of a position.  It is done once in a run of the server. */
static void
note_epoch(const WaEventPosition *position)
{
	Oid types[] = {INT4OID, INT8OID};
	Datum values[] = {Int32GetDatum(position->epoch), Int64GetDatum(position->ordinal)};

	if (SPI_execute_with_args("SELECT wa.note_epoch($1, $2)", 2, types, values, NULL, false, 0) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not record the epoch of an event");
}

/* The statement, planned once per backend. */
static SPIPlanPtr
event_plan(void)
{
	static SPIPlanPtr kept = NULL;
	SPIPlanPtr plan;

	if (kept != NULL)
		return kept;
	plan =
		SPI_prepare_cursor(event_statement, EVENT_PARAMETERS, event_types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare the statement that writes events");
	kept = plan;
	return kept;
}

/* Writes the event and its deliveries. */
static void
execute(const Datum *values, const char *nulls)
{
	volatile int result = 0;

	wa_reach_begin_all();
	PG_TRY();
	{
		result = SPI_execute_plan(event_plan(), unconstify(Datum *, values), nulls, false, 0);
	}
	PG_FINALLY();
	{
		wa_reach_end_all();
	}
	PG_END_TRY();
	if (result != SPI_OK_INSERT)
		elog(ERROR, "could not write an event");
}

pg_uuid_t
wa_event_write(const WaEvent *event)
{
	WaEventPosition position = wa_event_position_next(event->org_id);
	TimestampTz at = GetCurrentTimestamp();
	pg_uuid_t id;
	Datum values[EVENT_PARAMETERS];
	char nulls[EVENT_PARAMETERS + 1] = "        ";

	if (strlen(event->payload) > PAYLOAD_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("event of type %s is larger than 4 MiB", event->type)));
	wa_uuid7_make(&id);
	SPI_connect();
	if (!position.noted)
		note_epoch(&position);
	values[EVENT_ORG] = UUIDPGetDatum(event->org_id);
	values[EVENT_EPOCH] = Int32GetDatum(position.epoch);
	values[EVENT_ORDINAL] = Int64GetDatum(position.ordinal);
	values[EVENT_ID] = UUIDPGetDatum(&id);
	values[EVENT_TYPE] = CStringGetTextDatum(event->type);
	values[EVENT_SESSION] = UUIDPGetDatum(event->session_id);
	nulls[EVENT_SESSION] = event->session_id == NULL ? 'n' : ' ';
	values[EVENT_CREATED] = TimestampTzGetDatum(at);
	values[EVENT_ENVELOPE] = PointerGetDatum(make_envelope(event, &id, at));
	execute(values, nulls);
	SPI_finish();
	return id;
}

/* wa.emit(org, type, session, payload): writes an event, and returns its id. */
Datum
wa_emit(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	WaEvent event;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("organization, type and payload of an event must not be null")));
	event.org_id = PG_GETARG_UUID_P(0);
	event.type = text_to_cstring(PG_GETARG_TEXT_PP(1));
	event.session_id = PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2);
	event.payload = text_to_cstring(PG_GETARG_TEXT_PP(3));
	*id = wa_event_write(&event);
	PG_RETURN_UUID_P(id);
}

/* wa.envelope(event, type, session, org, at, payload): the JSON of an event. */
Datum
wa_envelope(PG_FUNCTION_ARGS)
{
	WaEvent event;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3) || PG_ARGISNULL(4) || PG_ARGISNULL(5))
		PG_RETURN_NULL();
	event.type = text_to_cstring(PG_GETARG_TEXT_PP(1));
	event.session_id = PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2);
	event.org_id = PG_GETARG_UUID_P(3);
	event.payload = text_to_cstring(PG_GETARG_TEXT_PP(5));
	PG_RETURN_TEXT_P(make_envelope(&event, PG_GETARG_UUID_P(0), PG_GETARG_TIMESTAMPTZ(4)));
}
