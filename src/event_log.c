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
 * A function that makes many events can hold them back (wa.hold_events()).  They
 * get their ids, times and texts at once, and wa.write_events() writes all of
 * them by one statement, because most of what an event costs is the start of the
 * statement.  Until then they are in this backend's memory.  An event that a
 * savepoint is rolled back with is dropped.  A transaction that holds events
 * back cannot commit.
 *
 * The organization is a parameter and not that of the transaction, because
 * events are also written where none is bound.  The statement runs with the
 * rights of the caller, wa_owner, whom row security restricts to the bound
 * organization.
 *
 * An organization without webhooks has another statement, which writes no
 * deliveries.
 *
 * The statements are planned once per backend.  Their names and operators are
 * qualified, so they mean the same under every search path.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "src/common/typeid.h"
#include "src/compatibility.h"
#include "src/epoch_ms.h"
#include "src/event_log.h"
#include "src/event_position.h"
#include "src/reach.h"
#include "src/row_lookup.h"
#include "src/uuid7.h"

/* The largest event.  A socket has room for twice as much. */
#define PAYLOAD_MAX (4 * 1024 * 1024)

/* What is held back is written as soon as it has so many bytes. */
#define HELD_BYTES_MAX (8 * 1024 * 1024)

/* The parameters of the statement.  Those from EVENT_ID on are arrays. */
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

#define EVENT_ARRAYS (EVENT_PARAMETERS - EVENT_ID)

static Oid event_types[EVENT_PARAMETERS] = {
	UUIDOID, INT4OID, INT8OID, UUIDOID, TEXTOID, UUIDOID, TIMESTAMPTZOID, TEXTOID,
};

static Oid events_types[EVENT_PARAMETERS] = {
	UUIDOID,      INT4OID, INT8OID, UUIDARRAYOID, TEXTARRAYOID, UUIDARRAYOID, TIMESTAMPTZARRAYOID,
	TEXTARRAYOID,
};

#define WEBHOOKS_OF(type, session)                                                          \
	"wa.webhook w "                                                                         \
	"WHERE w.org_id OPERATOR(pg_catalog.=) $1 AND (w.active OR w.disabled_at IS NOT NULL) " \
	"AND (w.session_id IS NULL OR w.session_id OPERATOR(pg_catalog.=) " session ") "        \
	"AND w.events OPERATOR(pg_catalog.&&) ARRAY[" type ", '*'::pg_catalog.text]"

#define INTO_EVENT \
	"INSERT INTO wa.event (org_id, epoch, ordinal, id, type, session_id, created_at, envelope) "

/* One event, without deliveries and with them. */
static const char lone_event_statement[] = INTO_EVENT "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

static const char event_statement[] =
	"WITH written AS (" INTO_EVENT "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)) "
	"INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type, session_id) "
	"SELECT $1, w.id, $4, $2, $3, $5, $6 FROM " WEBHOOKS_OF("$5", "$6");

/* Many, in their order. */
#define MADE                                                    \
	"ROWS FROM (pg_catalog.unnest($4), pg_catalog.unnest($5), " \
	"pg_catalog.unnest($6), pg_catalog.unnest($7), pg_catalog.unnest($8)) e"

static const char lone_events_statement[] = INTO_EVENT "SELECT $1, $2, $3, e.* FROM " MADE;

static const char events_statement[] =
	"WITH made (id, type, session_id, created_at, envelope) AS MATERIALIZED ("
	"SELECT * FROM " MADE "), written AS (" INTO_EVENT "SELECT $1, $2, $3, e.* FROM made e) "
	"INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type, session_id) "
	"SELECT $1, w.id, e.id, $2, $3, e.type, e.session_id FROM made e CROSS JOIN " WEBHOOKS_OF(
		"e.type", "e.session_id");

/* An event that is held back, as the values of the statement's arrays. */
typedef struct HeldEvent
{
	SubTransactionId made_in;
	Datum values[EVENT_ARRAYS];
	bool has_session;
} HeldEvent;

/* The events that are held back, all of one organization. */
static struct
{
	SubTransactionId since; /* InvalidSubTransactionId: none are held back */
	MemoryContext memory;   /* of the events; a child of the transaction's */
	pg_uuid_t org_id;
	WaEventPosition position;
	HeldEvent *events;
	int count;
	int size;
	Size bytes;
} held;

PG_FUNCTION_INFO_V1(wa_emit);
PG_FUNCTION_INFO_V1(wa_hold_events);
PG_FUNCTION_INFO_V1(wa_write_events);
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

	SPI_connect();
	if (SPI_execute_with_args("SELECT wa.note_epoch($1, $2)", 2, types, values, NULL, false, 0) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not record the epoch of an event");
	SPI_finish();
}

/* A statement, planned once per backend. */
static SPIPlanPtr
keep_plan(SPIPlanPtr *kept, const char *statement, Oid *types)
{
	SPIPlanPtr plan;

	if (*kept != NULL)
		return *kept;
	plan = SPI_prepare_cursor(statement, EVENT_PARAMETERS, types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare the statement that writes events");
	*kept = plan;
	return plan;
}

/*
 * Whether the organization has any webhook, as committed now or made by this transaction.  To
 * look takes a tenth of what the statement costs that writes deliveries.
 */
static bool
has_webhooks(const pg_uuid_t *org_id)
{
	static WaLookupTable webhooks = {
		.name = "webhook",
		.index = "webhook_pkey",
		.key_count = 1,
		.columns = {"org_id"},
	};
	Datum key = UUIDPGetDatum(org_id);
	WaLookupRow row;

	return wa_row_find(&webhooks, &key, &row);
}

/* Writes events and their deliveries. */
static void
execute(SPIPlanPtr plan, Datum values[EVENT_PARAMETERS], const char *nulls)
{
	volatile int result = 0;

	wa_reach_begin_all();
	PG_TRY();
	{
		result = SPI_execute_plan(plan, values, nulls, false, 0);
	}
	PG_FINALLY();
	{
		wa_reach_end_all();
	}
	PG_END_TRY();
	if (result != SPI_OK_INSERT)
		elog(ERROR, "could not write an event");
}

/* Fills in the parameters that all events of a statement share. */
static void
set_place(Datum values[EVENT_PARAMETERS], const pg_uuid_t *org_id, const WaEventPosition *position)
{
	values[EVENT_ORG] = UUIDPGetDatum(org_id);
	values[EVENT_EPOCH] = Int32GetDatum(position->epoch);
	values[EVENT_ORDINAL] = Int64GetDatum(position->ordinal);
}

/* "more" are the values of the event's own parameters. */
static void
write_one(const pg_uuid_t *org_id, const WaEventPosition *position, const Datum more[EVENT_ARRAYS],
		  bool has_session)
{
	static SPIPlanPtr kept = NULL;
	static SPIPlanPtr kept_lone = NULL;
	Datum values[EVENT_PARAMETERS];
	char nulls[EVENT_PARAMETERS + 1] = "        ";
	SPIPlanPtr plan;

	set_place(values, org_id, position);
	memcpy(&values[EVENT_ID], more, EVENT_ARRAYS * sizeof(Datum));
	nulls[EVENT_SESSION] = has_session ? ' ' : 'n';
	SPI_connect();
	if (has_webhooks(org_id))
		plan = keep_plan(&kept, event_statement, event_types);
	else
		plan = keep_plan(&kept_lone, lone_event_statement, event_types);
	execute(plan, values, nulls);
	SPI_finish();
}

/* The values of an event's own parameters, in the current memory context. */
static void
make_values(Datum values[EVENT_ARRAYS], const WaEvent *event, const pg_uuid_t *id, TimestampTz at)
{
	static const pg_uuid_t no_session = {{0}};
	const pg_uuid_t *session_id = event->session_id == NULL ? &no_session : event->session_id;
	pg_uuid_t *ids = palloc(2 * sizeof(pg_uuid_t));

	ids[0] = *id;
	ids[1] = *session_id;
	values[0] = UUIDPGetDatum(&ids[0]);
	values[EVENT_TYPE - EVENT_ID] = CStringGetTextDatum(event->type);
	values[EVENT_SESSION - EVENT_ID] = UUIDPGetDatum(&ids[1]);
	values[EVENT_CREATED - EVENT_ID] = TimestampTzGetDatum(at);
	values[EVENT_ENVELOPE - EVENT_ID] = PointerGetDatum(make_envelope(event, id, at));
}

/* ---- Events that are held back ---- */

static void
forget_held(void)
{
	held.events = NULL;
	held.count = held.size = 0;
	held.bytes = 0;
}

/* One of the statement's arrays. */
static ArrayType *
held_array(int place, Oid type, int16 length, bool by_value, char alignment)
{
	Datum *values = palloc(held.count * sizeof(Datum));
	bool *nulls = palloc0(held.count * sizeof(bool));
	int dimensions[] = {held.count};
	int lower_bounds[] = {1};

	for (int i = 0; i < held.count; i++)
	{
		values[i] = held.events[i].values[place - EVENT_ID];
		nulls[i] = place == EVENT_SESSION && !held.events[i].has_session;
	}
	return construct_md_array(values, nulls, 1, dimensions, lower_bounds, type, length, by_value,
							  alignment);
}

static void
write_many(void)
{
	static SPIPlanPtr kept = NULL;
	static SPIPlanPtr kept_lone = NULL;
	Datum values[EVENT_PARAMETERS];
	SPIPlanPtr plan;

	SPI_connect();
	set_place(values, &held.org_id, &held.position);
	values[EVENT_ID] =
		PointerGetDatum(held_array(EVENT_ID, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	values[EVENT_TYPE] = PointerGetDatum(held_array(EVENT_TYPE, TEXTOID, -1, false, TYPALIGN_INT));
	values[EVENT_SESSION] =
		PointerGetDatum(held_array(EVENT_SESSION, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	values[EVENT_CREATED] = PointerGetDatum(held_array(
		EVENT_CREATED, TIMESTAMPTZOID, sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[EVENT_ENVELOPE] =
		PointerGetDatum(held_array(EVENT_ENVELOPE, TEXTOID, -1, false, TYPALIGN_INT));
	if (has_webhooks(&held.org_id))
		plan = keep_plan(&kept, events_statement, events_types);
	else
		plan = keep_plan(&kept_lone, lone_events_statement, events_types);
	execute(plan, values, NULL);
	SPI_finish();
}

/* Writes what is held back.  More may be held back after it. */
static void
write_held(void)
{
	if (held.count == 1)
		write_one(&held.org_id, &held.position, held.events[0].values, held.events[0].has_session);
	else if (held.count > 1)
		write_many();
	forget_held();
	if (held.memory != NULL)
		MemoryContextReset(held.memory);
}

/* Takes the next place among the events that are held back. */
static HeldEvent *
next_held(void)
{
	if (held.events == NULL)
	{
		held.size = 64;
		held.events = MemoryContextAlloc(held.memory, held.size * sizeof(HeldEvent));
	}
	else if (held.count == held.size)
	{
		held.size *= 2;
		held.events = repalloc(held.events, held.size * sizeof(HeldEvent));
	}
	return &held.events[held.count];
}

/* Whether an event can be held back beside the others. */
static bool
can_hold(const pg_uuid_t *org_id, const WaEventPosition *position)
{
	if (held.since == InvalidSubTransactionId)
		return false;
	return held.count == 0 ||
		   (memcmp(&held.org_id, org_id, sizeof(pg_uuid_t)) == 0 &&
			held.position.epoch == position->epoch && held.position.ordinal == position->ordinal);
}

static void
hold(const WaEvent *event, const WaEventPosition *position, const pg_uuid_t *id, TimestampTz at)
{
	MemoryContext caller;
	HeldEvent *next;

	/* In a savepoint the events from before it would be rolled back with it. */
	if (held.bytes > HELD_BYTES_MAX && held.since == GetCurrentSubTransactionId())
		write_held();
	held.org_id = *event->org_id;
	held.position = *position;
	next = next_held();
	next->made_in = GetCurrentSubTransactionId();
	next->has_session = event->session_id != NULL;
	caller = MemoryContextSwitchTo(held.memory);
	make_values(next->values, event, id, at);
	MemoryContextSwitchTo(caller);
	held.bytes += VARSIZE(DatumGetPointer(next->values[EVENT_ENVELOPE - EVENT_ID]));
	held.count++;
}

/* Drops what was made in a savepoint that is rolled back, and in those within it. */
static void
subtransaction_ended(SubXactEvent event, SubTransactionId ended, SubTransactionId parent,
					 void *argument)
{
	if (held.since == InvalidSubTransactionId || event != SUBXACT_EVENT_ABORT_SUB)
		return;
	while (held.count > 0 && held.events[held.count - 1].made_in >= ended)
		held.count--;
	if (held.since >= ended)
		held.since = InvalidSubTransactionId;
}

static void
transaction_ended(XactEvent event, void *argument)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (held.since != InvalidSubTransactionId)
				elog(ERROR, "events are still held back");
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			forget_held();
			held.since = InvalidSubTransactionId;
			held.memory = NULL;
			break;
	}
}

/* wa.hold_events(): holds the events that follow back, until wa.write_events(). */
Datum
wa_hold_events(PG_FUNCTION_ARGS)
{
	static bool is_registered = false;

	if (!is_registered)
	{
		RegisterXactCallback(transaction_ended, NULL);
		RegisterSubXactCallback(subtransaction_ended, NULL);
		is_registered = true;
	}
	if (held.since != InvalidSubTransactionId)
		elog(ERROR, "events are held back already");
	if (held.memory == NULL)
		held.memory = AllocSetContextCreate(TopTransactionContext, "events that are held back",
											ALLOCSET_DEFAULT_SIZES);
	forget_held();
	MemoryContextReset(held.memory);
	held.since = GetCurrentSubTransactionId();
	PG_RETURN_BOOL(true);
}

/* wa.write_events(): writes the events that are held back; those that follow are not. */
Datum
wa_write_events(PG_FUNCTION_ARGS)
{
	int written = held.count;

	write_held();
	held.since = InvalidSubTransactionId;
	PG_RETURN_INT32(written);
}

/* ---- An event ---- */

pg_uuid_t
wa_event_write(const WaEvent *event)
{
	WaEventPosition position = wa_event_position_next(event->org_id);
	TimestampTz at = GetCurrentTimestamp();
	pg_uuid_t id;
	Datum values[EVENT_ARRAYS];

	if (strlen(event->payload) > PAYLOAD_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("event of type %s is larger than 4 MiB", event->type)));
	wa_uuid7_make(&id);
	if (!position.noted)
		note_epoch(&position);
	if (can_hold(event->org_id, &position))
	{
		hold(event, &position, &id, at);
		return id;
	}
	make_values(values, event, &id, at);
	write_one(event->org_id, &position, values, event->session_id != NULL);
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
