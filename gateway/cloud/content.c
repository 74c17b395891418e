/*
 * content.c
 *		What a received message carries, as our messages name it; see content.h.
 */
#include "cloud/content.h"

#include <openssl/evp.h>
#include <string.h>

#include "cloud/fields.h"
#include "cloud/card.h"

/* The database takes 256 KiB; it counts them as it writes them, with spaces. */
#define CONTENT_BYTES_MAX (192 * 1024)

/* A reference leads to a file of this many characters at most. */
#define MEDIA_ID_MAX 2048

#define DIGEST_SIZE 32
#define DIGEST_BASE64_LEN 44

/* How a type of Meta's becomes one of ours. */
typedef struct ContentKind
{
	const char *name; /* Meta's, and of the object that the message has */
	const char *type; /* ours */
	/* The text.  NULL: there is none. */
	const char *(*body)(const JsonValue *object);
	bool has_file;
	/* Writes members of `content`.  NULL: it has none. */
	void (*write)(const JsonValue *object, const JsonValue *message, JsonWriter *json);
} ContentKind;

/* ---- texts ---- */

static const char *
text_body(const JsonValue *object)
{
	return field_text(object, "body");
}

static const char *
caption(const JsonValue *object)
{
	return field_text(object, "caption");
}

static const char *
button_text(const JsonValue *object)
{
	return field_text(object, "text");
}

/* The answers of interactive messages: Meta's type, and ours of the choice. */
static const struct
{
	const char *name;
	const char *choice;
	const char *body; /* which member is the text */
} answers[] = {
	{"button_reply", "button", "title"},
	{"list_reply", "row", "title"},
	{"nfm_reply", "form", "body"},
};

/* The index in answers[], or -1. */
static int
find_answer(const JsonValue *object)
{
	const char *type = field_text(object, "type");

	for (size_t i = 0; type != NULL && i < sizeof(answers) / sizeof(answers[0]); i++)
		if (strcmp(answers[i].name, type) == 0 &&
			json_read_kind(json_read_member(object, type)) == JSON_KIND_OBJECT)
			return (int) i;
	return -1;
}

static const char *
answer_text(const JsonValue *object)
{
	int i = find_answer(object);

	return i < 0 ? NULL : field_text(json_read_member(object, answers[i].name), answers[i].body);
}

/* ---- content ---- */

static void
write_true(JsonWriter *json, const char *as, const JsonValue *object, const char *name)
{
	if (!field_true(object, name))
		return;
	json_write_name(json, as);
	json_write_bool(json, true);
}

static void
write_voice(const JsonValue *object, const JsonValue *message, JsonWriter *json)
{
	(void) message;
	write_true(json, "voice", object, "voice");
}

static void
write_animated(const JsonValue *object, const JsonValue *message, JsonWriter *json)
{
	(void) message;
	write_true(json, "animated", object, "animated");
}

static void
write_location(const JsonValue *object, const JsonValue *message, JsonWriter *json)
{
	(void) message;
	field_pass(json, "latitude", object, "latitude");
	field_pass(json, "longitude", object, "longitude");
	field_pass_text(json, "name", object, "name");
	field_pass_text(json, "address", object, "address");
	field_pass_text(json, "url", object, "url");
}

static void
write_contacts(const JsonValue *object, const JsonValue *message, JsonWriter *json)
{
	const JsonValue *card = json_read_element(object, 0);
	Buffer text;

	buffer_init(&text, CARD_BYTES_MAX);
	json_write_name(json, "contact");
	json_write_object_begin(json);
	json_write_name(json, "displayName");
	json_write_text(json, card_name(card));
	if (card_write(card, &text))
	{
		json_write_name(json, "vcard");
		json_write_string(json, text.data, text.len);
	}
	json_write_object_end(json);
	buffer_free(&text);
	field_pass(json, "contacts", message, "contacts");
}

/* The quick reply of a template. */
static void
write_button(const JsonValue *object, const JsonValue *message, JsonWriter *json)
{
	(void) message;
	json_write_name(json, "choice");
	json_write_object_begin(json);
	json_write_name(json, "type");
	json_write_text(json, "button");
	field_pass_text(json, "id", object, "payload");
	field_pass_text(json, "title", object, "text");
	json_write_object_end(json);
}

static void
write_answer(const JsonValue *object, const JsonValue *message, JsonWriter *json)
{
	int i = find_answer(object);
	const JsonValue *answer = json_read_member(object, answers[i].name);

	(void) message;
	json_write_name(json, "choice");
	json_write_object_begin(json);
	json_write_name(json, "type");
	json_write_text(json, answers[i].choice);
	field_pass_text(json, "id", answer, "id");
	field_pass_text(json, "title", answer, "title");
	field_pass_text(json, "description", answer, "description");
	field_pass_text(json, "name", answer, "name");
	field_pass_text(json, "response", answer, "response_json");
	json_write_object_end(json);
}

static void
write_order(const JsonValue *object, const JsonValue *message, JsonWriter *json)
{
	(void) object;
	field_pass(json, "order", message, "order");
}

static void
write_system(const JsonValue *object, const JsonValue *message, JsonWriter *json)
{
	(void) object;
	field_pass(json, "system", message, "system");
}

static void
write_unsupported(const JsonValue *object, const JsonValue *message, JsonWriter *json)
{
	field_pass_text(json, "unsupported", object, "type");
	field_pass(json, "errors", message, "errors");
}

/* What we do not know is kept as it came. */
static void
write_unknown(const JsonValue *object, const JsonValue *message, JsonWriter *json)
{
	Buffer text;

	(void) object;
	field_pass_text(json, "unsupported", message, "type");
	buffer_init(&text, CONTENT_BYTES_MAX);
	if (json_read_print(message, &text))
	{
		json_write_name(json, "message");
		json_write_raw(json, text.data, text.len);
	}
	buffer_free(&text);
}

static const ContentKind kinds[] = {
	{"text", "text", text_body, false, NULL},
	{"image", "image", caption, true, NULL},
	{"video", "video", caption, true, NULL},
	{"audio", "audio", NULL, true, write_voice},
	{"document", "document", caption, true, NULL},
	{"sticker", "sticker", NULL, true, write_animated},
	{"location", "location", NULL, false, write_location},
	{"contacts", "contact", NULL, false, write_contacts},
	{"button", "text", button_text, false, write_button},
	{"interactive", "text", answer_text, false, write_answer},
	{"order", "order", button_text, false, write_order},
	{"system", "system", text_body, false, write_system},
	{"unsupported", "unsupported", NULL, false, write_unsupported},
	{"unknown", "unsupported", NULL, false, write_unsupported},
};

static const ContentKind unknown = {NULL, "unsupported", NULL, false, write_unknown};

/* ---- reading ---- */

static bool
has_file(const JsonValue *object)
{
	char id[MEDIA_ID_MAX + 1];

	return field_copy(object, "id", id, sizeof(id));
}

/* Whether the object that the message has can be of that kind. */
static bool
fits(const ContentKind *kind, const JsonValue *object)
{
	JsonKind json = json_read_kind(object);

	if (kind->write == write_unsupported)
		return true;
	if (kind->write == write_contacts)
		return json == JSON_KIND_ARRAY && json_read_count(object) > 0;
	if (json != JSON_KIND_OBJECT || (kind->has_file && !has_file(object)))
		return false;
	if (kind->write == write_answer)
		return find_answer(object) >= 0;
	return kind->body != text_body || kind->write == write_system || text_body(object) != NULL;
}

static const ContentKind *
find_kind(const JsonValue *message)
{
	const char *type = field_text(message, "type");

	for (size_t i = 0; type != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, type) == 0)
			return fits(&kinds[i], json_read_member(message, type)) ? &kinds[i] : &unknown;
	return &unknown;
}

void
content_read(const JsonValue *message, Content *content)
{
	const ContentKind *kind = find_kind(message);
	const JsonValue *object = kind->name == NULL ? NULL : json_read_member(message, kind->name);

	*content = (Content){.type = kind->type, .kind = kind};
	if (kind->body != NULL)
		content->body = kind->body(object);
	if (kind->has_file)
		content->media = object;
}

/* ---- writing ---- */

/* The digest is written in base64, and ours in hexadecimal digits. */
static void
write_digest(const JsonValue *media, JsonWriter *json)
{
	const char *text = field_text(media, "sha256");
	unsigned char bytes[DIGEST_BASE64_LEN];
	char digits[2 * DIGEST_SIZE + 1];

	if (text == NULL || strlen(text) != DIGEST_BASE64_LEN || text[DIGEST_BASE64_LEN - 1] != '=' ||
		text[DIGEST_BASE64_LEN - 2] == '=' ||
		EVP_DecodeBlock(bytes, (const unsigned char *) text, DIGEST_BASE64_LEN) !=
			DIGEST_BASE64_LEN / 4 * 3)
		return;
	for (int i = 0; i < DIGEST_SIZE; i++)
	{
		digits[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		digits[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	json_write_name(json, "sha256");
	json_write_string(json, digits, (size_t) 2 * DIGEST_SIZE);
}

static void
write_media(const JsonValue *media, JsonWriter *json)
{
	char id[MEDIA_ID_MAX + 1];

	field_copy(media, "id", id, sizeof(id));
	json_write_name(json, "media");
	json_write_object_begin(json);
	json_write_name(json, "reference");
	json_write_text(json, id);
	field_pass_text(json, "mimetype", media, "mime_type");
	field_pass_text(json, "filename", media, "filename");
	write_digest(media, json);
	json_write_object_end(json);
}

static void
write_members(const Content *content, const JsonValue *message, JsonWriter *json)
{
	const JsonValue *context = json_read_member(message, "context");
	const ContentKind *kind = content->kind;

	if (kind->write != NULL)
		kind->write(kind->name == NULL ? NULL : json_read_member(message, kind->name), message,
					json);
	field_pass(json, "referral", message, "referral");
	field_pass(json, "referredProduct", context, "referred_product");
	write_true(json, "frequentlyForwarded", context, "frequently_forwarded");
}

void
content_write(const Content *content, const JsonValue *message, JsonWriter *json)
{
	JsonWriter members;
	Buffer text;

	if (content->media != NULL)
		write_media(content->media, json);
	buffer_init(&text, CONTENT_BYTES_MAX);
	json_write_init(&members, &text);
	json_write_object_begin(&members);
	write_members(content, message, &members);
	json_write_object_end(&members);
	if (!json_write_done(&members))
	{
		json_write_name(json, "content");
		json_write_raw(json, "{\"tooLarge\":true}", strlen("{\"tooLarge\":true}"));
	}
	else if (text.len > strlen("{}"))
	{
		json_write_name(json, "content");
		json_write_raw(json, text.data, text.len);
	}
	buffer_free(&text);
}
