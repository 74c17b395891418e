/*-------------------------------------------------------------------------
 *
 * event_json.h
 *		The JSON of rows in events.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_EVENT_JSON_H
#define SRC_EVENT_JSON_H

#include "postgres.h"

#include "lib/stringinfo.h"

/*
 * Each adds a member to an object that begins with the brace at the start of "json".  A value
 * that is null is left out.
 */
extern void wa_event_json_name(StringInfo json, const char *name);
extern void wa_event_json_bool(StringInfo json, const char *name, bool value);
extern void wa_event_json_text(StringInfo json, const char *name, Datum value, bool is_null);
extern void wa_event_json_time(StringInfo json, const char *name, Datum value, bool is_null);
extern void
wa_event_json_id(StringInfo json, const char *name, const char *prefix, Datum value, bool is_null);

#endif
