/*
 * notices.c
 *		The frames that a socket gets besides events.
 */
#include "realtime/notices.h"

#include <stdio.h>
#include <string.h>

#include "src/common/typeid.h"
#include "http/websocket.h"
#include "lib/json_write.h"

/* Bytes of the first frame: three ids and the types of a filter. */
#define TEXT_MAX (1024 + TYPES_MAX * (TYPE_MAX + 3))

static void
write_id(JsonWriter *writer, const char *name, const char *prefix, const uint8_t uuid[DB_UUID_SIZE])
{
	char id[WAK_TYPEID_MAX + 1];

	wak_typeid_encode(prefix, uuid, id);
	json_write_name(writer, name);
	json_write_text(writer, id);
}

/* Writes the types, which are separated by commas, as an array. */
static void
write_types(JsonWriter *writer, const char *types)
{
	json_write_name(writer, "events");
	json_write_array_begin(writer);
	while (*types != '\0')
	{
		size_t len = strcspn(types, ",");

		json_write_string(writer, types, len);
		types += len + (types[len] == ',' ? 1 : 0);
	}
	json_write_array_end(writer);
}

/* Writes whole seconds; three decimal places follow if a test has set a shorter time. */
static void
write_seconds(JsonWriter *writer, int ms)
{
	char text[32];
	int len = ms % 1000 == 0 ? snprintf(text, sizeof(text), "%d", ms / 1000)
							 : snprintf(text, sizeof(text), "%d.%03d", ms / 1000, ms % 1000);

	json_write_name(writer, "heartbeatSeconds");
	json_write_raw(writer, text, (size_t) len);
}

bool
notice_connected(Buffer *out, int heartbeat_ms, const Identity *identity, const Filter *filter,
				 const uint8_t *since)
{
	JsonWriter writer;
	Buffer text;
	bool ok;

	buffer_init(&text, TEXT_MAX);
	json_write_init(&writer, &text);
	json_write_object_begin(&writer);
	json_write_name(&writer, "event");
	json_write_text(&writer, "connected");
	write_seconds(&writer, heartbeat_ms);
	write_id(&writer, "organization", "org", identity->org);
	if (filter->has_session)
		write_id(&writer, "session", "sess", filter->session);
	if (filter->types != NULL)
		write_types(&writer, filter->types);
	if (since != NULL)
		write_id(&writer, "since", "evt", since);
	json_write_object_end(&writer);
	ok = json_write_done(&writer) && websocket_frame_text(out, text.data, text.len);
	buffer_free(&text);
	return ok;
}

bool
notice_resync_required(Buffer *out)
{
	static const char text[] = "{\"event\":\"resync_required\"}";

	return websocket_frame_text(out, text, sizeof(text) - 1);
}

bool
notice_error(Buffer *out, const char *error)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "{\"event\":\"error\",\"error\":\"%s\"}", error);

	return websocket_frame_text(out, text, (size_t) len);
}
