/*-------------------------------------------------------------------------
 *
 * event_json.c
 *		The JSON of rows in events: members without white space, and without
 *		those that are null, as json_strip_nulls(json_build_object(...)) writes them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "src/common/typeid.h"
#include "src/compatibility.h"
#include "src/epoch_ms.h"
#include "src/event_json.h"

void
wa_event_json_name(StringInfo json, const char *name)
{
	appendStringInfo(json, "%s\"%s\":", json->len == 1 ? "" : ",", name);
}

void
wa_event_json_bool(StringInfo json, const char *name, bool value)
{
	wa_event_json_name(json, name);
	appendStringInfoString(json, value ? "true" : "false");
}

void
wa_event_json_text(StringInfo json, const char *name, Datum value, bool is_null)
{
	if (is_null)
		return;
	wa_event_json_name(json, name);
	escape_json(json, TextDatumGetCString(value));
}

/* A time as the API writes it. */
void
wa_event_json_time(StringInfo json, const char *name, Datum value, bool is_null)
{
	if (is_null)
		return;
	wa_event_json_name(json, name);
	appendStringInfo(json, INT64_FORMAT, wa_epoch_milliseconds(DatumGetTimestampTz(value)));
}

/* A UUID as the API writes it. */
void
wa_event_json_id(StringInfo json, const char *name, const char *prefix, Datum value, bool is_null)
{
	char id[WAK_TYPEID_MAX + 1];

	if (is_null)
		return;
	wak_typeid_encode(prefix, DatumGetUUIDP(value)->data, id);
	wa_event_json_name(json, name);
	appendStringInfo(json, "\"%s\"", id);
}
