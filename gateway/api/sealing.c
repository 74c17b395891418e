/*
 * sealing.c
 *		Seals the credentials of a session's connector; see sealing.h.
 *
 * The plain texts are in the body that was read and in one Buffer, which both wipe themselves.
 */
#include "api/sealing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/params.h"
#include "src/common/typeid.h"
#include "db/result.h"
#include "lib/json_write.h"
#include "lib/sealed_box.h"

/* Bytes of the object that is sealed.  The database takes 8192 sealed ones. */
#define PLAIN_MAX (8192 - SEALED_BOX_EXTRA)

struct Sealing
{
	bool has_key;
	uint8_t org[DB_UUID_SIZE];
	uint8_t key_id[DB_UUID_SIZE];
	uint8_t public_key[SEALED_BOX_KEY_SIZE];
};

/* What the characters of a text have to be: they become parts of URLs and headers. */
typedef enum FieldKind
{
	FIELD_ID,     /* digits; no secret */
	FIELD_TOKEN,  /* visible ASCII characters */
	FIELD_VERSION /* such as v25.0 */
} FieldKind;

typedef struct Field
{
	const char *name;
	FieldKind kind;
	size_t max; /* characters */
	bool optional;
} Field;

/* The ids come first, in the order of the statements' parameters. */
static const Field fields[] = {
	{.name = "phoneNumberId", .kind = FIELD_ID, .max = 20},
	{.name = "wabaId", .kind = FIELD_ID, .max = 20},
	{.name = "appId", .kind = FIELD_ID, .max = 20},
	{.name = "accessToken", .kind = FIELD_TOKEN, .max = 2048},
	{.name = "appSecret", .kind = FIELD_TOKEN, .max = 128},
	{.name = "verifyToken", .kind = FIELD_TOKEN, .max = 256},
	{.name = "graphVersion", .kind = FIELD_VERSION, .max = 8, .optional = true},
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))
#define ID_COUNT 3

_Static_assert(SEALING_FIELDS == FIELD_COUNT, "members of credentials");
_Static_assert(SEALING_WIDTH == ID_COUNT + 2, "parameters of credentials");

/* ---- what the caller sent ---- */

/* The row's parameter that takes credentials, or NULL. */
static const Param *
credentials_param(const Endpoint *endpoint)
{
	for (const Param *param = endpoint->params; param->source != PARAM_END; param++)
		if (param->source == PARAM_BODY_CREDENTIALS ||
			(param->source == PARAM_BODY && param->type == PARAM_CREDENTIALS))
			return param;
	return NULL;
}

/* The object that has the credentials: the body, or a member of it.  NULL: there is none. */
static JsonValue *
find_credentials(const Call *call, const Param *param)
{
	return param->source == PARAM_BODY ? json_read_member(call->body, param->name) : call->body;
}

/* Notes a problem with a field, under its own name or behind that of the member it is in. */
static void
field_problem(Call *call, const Param *param, const char *field, const char *text)
{
	char name[PROBLEM_NAME_MAX + 1];

	if (param->source == PARAM_BODY)
		snprintf(name, sizeof(name), "%s.%s", param->name, field);
	else
		snprintf(name, sizeof(name), "%s", field);
	call_problem(call, name, "%s", text);
}

static const char *const kind_names[] = {
	[FIELD_ID] = "digits",
	[FIELD_TOKEN] = "visible ASCII characters",
	[FIELD_VERSION] = "characters, such as v25.0",
};

/* The number of digits at the start of a text. */
static size_t
count_digits(const char *text, size_t len)
{
	size_t count = 0;

	while (count < len && text[count] >= '0' && text[count] <= '9')
		count++;
	return count;
}

static bool
is_version(const char *text, size_t len)
{
	size_t major = len > 0 && text[0] == 'v' ? count_digits(text + 1, len - 1) : 0;
	size_t point = 1 + major;

	return major > 0 && point + 1 < len && text[point] == '.' &&
		   count_digits(text + point + 1, len - point - 1) == len - point - 1;
}

static bool
is_visible(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

static bool
is_right(const Field *field, const char *text, size_t len)
{
	if (len < 1 || len > field->max)
		return false;
	switch (field->kind)
	{
		case FIELD_ID:
			return count_digits(text, len) == len;
		case FIELD_TOKEN:
			return is_visible(text, len);
		case FIELD_VERSION:
			return is_version(text, len);
	}
	return false;
}

static void
check_field(Call *call, const Param *param, const JsonValue *credentials, const Field *field)
{
	const JsonValue *value = json_read_member(credentials, field->name);
	char problem[PROBLEM_TEXT_MAX];
	const char *text;
	size_t len;

	if (value == NULL && field->optional)
		return;
	if (value == NULL)
		field_problem(call, param, field->name, "is required");
	else if (!json_read_string(value, &text, &len))
		field_problem(call, param, field->name, "must be a string");
	else if (!is_right(field, text, len))
	{
		snprintf(problem, sizeof(problem), "must have 1 to %zu %s", field->max,
				 kind_names[field->kind]);
		field_problem(call, param, field->name, problem);
	}
}

static bool
is_field(const char *name)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (strcmp(fields[i].name, name) == 0)
			return true;
	return false;
}

static void
check_credentials(Call *call, const Param *param, JsonValue *credentials)
{
	void *position = NULL;
	const char *name;
	JsonValue *value;

	if (param->source == PARAM_BODY && json_read_kind(credentials) != JSON_KIND_OBJECT)
	{
		call_problem(call, param->name, "must be an object");
		return;
	}
	for (size_t i = 0; i < FIELD_COUNT; i++)
		check_field(call, param, credentials, &fields[i]);
	while (json_read_next_member(credentials, &position, &name, &value))
		if (!is_field(name) && param->source == PARAM_BODY)
			field_problem(call, param, name, "is not known here");
		else if (!is_field(name))
			call_problem_unknown(call, name);
}

/* What cannot be the name of a connector is refused with the other parameters, and not asked for. */
static bool
is_connector(const JsonValue *connector)
{
	return connector == NULL || json_read_kind(connector) == JSON_KIND_STRING;
}

bool
call_needs_key(Call *call)
{
	const Param *param = credentials_param(call->route->endpoint);
	JsonValue *credentials;

	if (param == NULL || call->sealing != NULL)
		return false;
	credentials = find_credentials(call, param);
	if (credentials == NULL && param->source == PARAM_BODY)
		return false;
	check_credentials(call, param, credentials);
	return !call->refused && is_connector(json_read_member(call->body, "connector"));
}

/* ---- the key ---- */

static bool
add_connector(Call *call)
{
	const JsonValue *connector = json_read_member(call->body, "connector");
	const char *text;
	size_t len;

	return connector != NULL && json_read_string(connector, &text, &len)
			   ? db_param_text(call->db, text, len)
			   : db_param_null(call->db);
}

bool
call_ask_key(Call *call)
{
	const Param *first = &call->route->endpoint->params[0];

	call->asks = true;
	call->sealing = calloc(1, sizeof(*call->sealing));
	if (call->sealing == NULL)
		return false;
	return first->source == PARAM_PATH ? call_add_path(call, first) && db_param_null(call->db)
									   : db_param_null(call->db) && add_connector(call);
}

bool
call_take_key(Call *call, const DbResult *result)
{
	Sealing *sealing = call->sealing;
	DbCell key;

	if (sealing == NULL)
		return true;
	key = db_cell(result, 0, db_column(result, "public_key", 2));
	sealing->has_key = db_uuid(result, 0, db_column(result, "org_id", 0), sealing->org) &&
					   db_uuid(result, 0, db_column(result, "key_id", 1), sealing->key_id) &&
					   key.bytes != NULL && key.len == SEALED_BOX_KEY_SIZE;
	if (sealing->has_key)
		memcpy(sealing->public_key, key.bytes, SEALED_BOX_KEY_SIZE);
	return sealing->has_key;
}

/* ---- sealed ---- */

static bool
write_plain(const Sealing *sealing, const JsonValue *credentials, Buffer *plain)
{
	char org[WAK_TYPEID_MAX + 1];
	JsonWriter writer;
	const char *text;
	size_t len;

	wak_typeid_encode("org", sealing->org, org);
	json_write_init(&writer, plain);
	json_write_object_begin(&writer);
	json_write_name(&writer, "organizationId");
	json_write_text(&writer, org);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (json_read_string(json_read_member(credentials, fields[i].name), &text, &len))
		{
			json_write_name(&writer, fields[i].name);
			json_write_string(&writer, text, len);
		}
	json_write_object_end(&writer);
	return json_write_done(&writer);
}

static bool
add_sealed(Call *call, const JsonValue *credentials)
{
	uint8_t box[PLAIN_MAX + SEALED_BOX_EXTRA];
	Buffer plain;
	bool ok;

	buffer_init(&plain, PLAIN_MAX);
	ok = write_plain(call->sealing, credentials, &plain) &&
		 sealed_box_seal(call->sealing->public_key, plain.data, plain.len, box) &&
		 db_param_bytes(call->db, box, plain.len + SEALED_BOX_EXTRA);
	buffer_free(&plain);
	return ok;
}

bool
call_add_credentials(Call *call, const JsonValue *value)
{
	const char *text;
	size_t len;
	bool ok = true;

	if (value == NULL || call->sealing == NULL || !call->sealing->has_key)
	{
		for (int i = 0; ok && i < SEALING_WIDTH; i++)
			ok = db_param_null(call->db);
		return ok;
	}
	for (size_t i = 0; ok && i < ID_COUNT; i++)
		ok = json_read_string(json_read_member(value, fields[i].name), &text, &len) &&
			 db_param_text(call->db, text, len);
	return ok && db_param_uuid(call->db, call->sealing->key_id) && add_sealed(call, value);
}

void
call_free_sealing(Call *call)
{
	free(call->sealing);
	call->sealing = NULL;
}
