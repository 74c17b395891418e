/*
 * compose.c
 *		Writes what is to be sent as the body of a request to the Graph API; see compose.h.
 *
 * What Meta would refuse is refused here, where that is known.  Lengths are counted in characters.
 */
#include "cloud/compose.h"

#include <string.h>

#include "cloud/vcard.h"
#include "lib/json_write.h"
#include "lib/utf8.h"

#define TEXT_MAX 4096
#define NUMBER_MAX 15 /* digits of E.164 */
#define USER_ID_MAX 135

#define OUT_OF_MEMORY "the message is too large"

/* Writes the object that has the name of the type.  NULL, or why it cannot be sent. */
typedef const char *(*WriteContent)(const Outgoing *outgoing, JsonWriter *json);

typedef struct TypeRow
{
	const char *type; /* ours */
	const char *name; /* Meta's, and that of the object */
	WriteContent write;
} TypeRow;

static void
write_member(JsonWriter *json, const char *name, const char *text)
{
	json_write_name(json, name);
	json_write_text(json, text);
}

static bool
is_longer(const char *text, size_t max)
{
	return utf8_len(text, strlen(text)) > max;
}

/* ---- to whom ---- */

/* The plus sign keeps Meta from taking the number for one of the sender's own country. */
static bool
write_number(const char *jid, size_t len, JsonWriter *json)
{
	char number[NUMBER_MAX + 2] = "+";

	if (len < 1 || len > NUMBER_MAX || strspn(jid, "0123456789") != len)
		return false;
	memcpy(number + 1, jid, len);
	write_member(json, "to", number);
	return true;
}

/* Somebody whose number is not known, by a business-scoped user id such as US.1234. */
static bool
write_user(const char *jid, size_t len, JsonWriter *json)
{
	if (len < 1 || len > USER_ID_MAX)
		return false;
	json_write_name(json, "recipient");
	json_write_string(json, jid, len);
	return true;
}

static bool
write_recipient(const char *jid, JsonWriter *json)
{
	const char *at = strchr(jid, '@');
	size_t len = at == NULL ? 0 : (size_t) (at - jid);

	if (at == NULL)
		return false;
	if (strcmp(at, "@s.whatsapp.net") == 0)
		return write_number(jid, len, json);
	return strcmp(at, "@bsuid") == 0 && write_user(jid, len, json);
}

/* ---- what ---- */

static const char *
write_text(const Outgoing *outgoing, JsonWriter *json)
{
	const char *body = outgoing->body == NULL ? "" : outgoing->body;

	if (is_longer(body, TEXT_MAX))
		return "the text is longer than the 4096 characters that the Cloud API takes";
	write_member(json, "body", body);
	if (strstr(body, "https://") != NULL || strstr(body, "http://") != NULL)
	{
		json_write_name(json, "preview_url");
		json_write_bool(json, true);
	}
	return NULL;
}

/* Copies a number as it is written, or a text. */
static void
copy_value(const JsonValue *content, const char *name, JsonWriter *json)
{
	const JsonValue *value = json_read_member(content, name);
	Buffer text;

	if (value == NULL)
		return;
	buffer_init(&text, COMPOSE_MAX);
	json_write_name(json, name);
	if (json_read_print(value, &text))
		json_write_raw(json, text.data, text.len);
	else
		json_write_null(json);
	buffer_free(&text);
}

static const char *
write_location(const Outgoing *outgoing, JsonWriter *json)
{
	static const char *const names[] = {"latitude", "longitude", "name", "address"};

	if (json_read_member(outgoing->content, "latitude") == NULL ||
		json_read_member(outgoing->content, "longitude") == NULL)
		return "the location has no coordinates";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		copy_value(outgoing->content, names[i], json);
	return NULL;
}

static const char *
write_reaction(const Outgoing *outgoing, JsonWriter *json)
{
	if (outgoing->target == NULL)
		return "the message that is reacted to has no id at WhatsApp";
	write_member(json, "message_id", outgoing->target);
	write_member(json, "emoji", outgoing->emoji == NULL ? "" : outgoing->emoji);
	return NULL;
}

/* The only one whose content is a list. */
static const char *
write_contacts(const Outgoing *outgoing, JsonWriter *json)
{
	const JsonValue *contact = json_read_member(outgoing->content, "contact");
	const char *card = "";
	const char *name = "";
	size_t len;

	json_read_string(json_read_member(contact, "vcard"), &card, &len);
	if (!json_read_string(json_read_member(contact, "displayName"), &name, &len) || len == 0)
		return "the contact has no name";
	vcard_write(card, name, json);
	return NULL;
}

static const TypeRow types[] = {
	{"text", "text", write_text},
	{"location", "location", write_location},
	{"contact", "contacts", write_contacts},
	{"reaction", "reaction", write_reaction},
};

static const TypeRow *
find_type(const char *type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].type, type) == 0)
			return &types[i];
	return NULL;
}

static const char *
write_content(const Outgoing *outgoing, const TypeRow *row, JsonWriter *json)
{
	bool is_list = row->write == write_contacts;
	const char *problem;

	write_member(json, "type", row->name);
	json_write_name(json, row->name);
	(is_list ? json_write_array_begin : json_write_object_begin)(json);
	problem = row->write(outgoing, json);
	(is_list ? json_write_array_end : json_write_object_end)(json);
	return problem;
}

const char *
compose_message(const Outgoing *outgoing, Buffer *out)
{
	const TypeRow *row = find_type(outgoing->type);
	const char *problem;
	JsonWriter json;

	if (row == NULL)
		return "messages of this type are not sent by the Cloud API";
	if (outgoing->has_mentions)
		return "the Cloud API has no mentions";
	json_write_init(&json, out);
	json_write_object_begin(&json);
	write_member(&json, "messaging_product", "whatsapp");
	write_member(&json, "recipient_type", "individual");
	if (!write_recipient(outgoing->to, &json))
		return "the recipient is none that the Cloud API can send to";
	problem = write_content(outgoing, row, &json);
	if (outgoing->quoted != NULL)
	{
		json_write_name(&json, "context");
		json_write_object_begin(&json);
		write_member(&json, "message_id", outgoing->quoted);
		json_write_object_end(&json);
	}
	write_member(&json, "biz_opaque_callback_data", outgoing->id);
	json_write_object_end(&json);
	if (problem == NULL && !json_write_done(&json))
		problem = OUT_OF_MEMORY;
	return problem;
}

bool
compose_read(const char *message, Buffer *out)
{
	JsonWriter json;

	json_write_init(&json, out);
	json_write_object_begin(&json);
	write_member(&json, "messaging_product", "whatsapp");
	write_member(&json, "status", "read");
	write_member(&json, "message_id", message);
	json_write_object_end(&json);
	return json_write_done(&json);
}
