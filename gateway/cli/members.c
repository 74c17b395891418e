/*
 * members.c
 *		What the rows of answers over HTTP have: the columns that the same commands have with a
 *		database, as far as the REST API tells them.
 */
#include <string.h>

#include "cli/command.h"

static bool
has(const JsonValue *row, const char *name)
{
	return json_read_member(row, name) != NULL;
}

static void
make_restrictions(const JsonValue *row, Buffer *out)
{
	static const char *const names[] = {"sessions", "addresses", "rateLimit", "test"};
	bool is_test = false;
	char before = '[';

	json_read_bool(json_read_member(row, "test"), &is_test);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strcmp(names[i], "test") == 0 ? !is_test : !has(row, names[i]))
			continue;
		buffer_printf(out, "%c\"%s\"", before, names[i]);
		before = ',';
	}
	if (before == ',')
		buffer_append_char(out, ']');
}

/* How many requests were denied, for whatever reason. */
static void
make_denied(const JsonValue *row, Buffer *out)
{
	JsonValue *reasons = json_read_member(row, "denied");
	void *position = NULL;
	const char *name;
	JsonValue *value;
	int64_t sum = 0;

	while (json_read_kind(reasons) == JSON_KIND_OBJECT &&
		   json_read_next_member(reasons, &position, &name, &value))
	{
		int64_t count = 0;

		if (!json_read_int64(value, &count) || __builtin_add_overflow(sum, count, &sum))
			return;
	}
	buffer_append_int64(out, sum);
}

/* clang-format off */
#define KEY_MEMBERS \
	{.name = "id"}, \
	{.name = "name"}, \
	{.name = "prefix"}, \
	{.name = "permissions", .type = ANSWER_JSON}, \
	{.name = "status"}, \
	{.name = "createdAt", .type = ANSWER_TIME}, \
	{.name = "createdBy"}, \
	{.name = "expiresAt", .type = ANSWER_TIME}, \
	{.name = "lastUsedAt", .type = ANSWER_TIME}, \
	{.name = "disabledAt", .type = ANSWER_TIME}, \
	{.name = "revokedAt", .type = ANSWER_TIME}, \
	{.name = "revokedReason"}, \
	{.name = "sessions", .type = ANSWER_JSON}, \
	{.name = "addresses", .type = ANSWER_JSON}, \
	{.name = "rateLimit", .type = ANSWER_JSON}, \
	{.name = "test", .type = ANSWER_BOOL}

#define AUDIT_MEMBERS \
	{.name = "actor"}, \
	{.name = "actorName"}, \
	{.name = "action"}, \
	{.name = "subject"}, \
	{.name = "detail", .type = ANSWER_JSON}

const Member key_members[] = {KEY_MEMBERS, {.name = NULL}};

const Member new_key_members[] = {KEY_MEMBERS, {.name = "key"}, {.name = NULL}};

const Member rotated_key_members[] = {
	KEY_MEMBERS, {.name = "key"}, {.name = "previousExpiresAt", .type = ANSWER_TIME}, {.name = NULL}};

const Member key_list_members[] = {
	KEY_MEMBERS,
	{.name = "restrictedBy", .type = ANSWER_JSON, .make = make_restrictions},
	{.name = NULL}};

#define REASON(reason) {.name = (reason), .type = ANSWER_NUMBER, .within = "denied", .absent = "0"}

const Member key_hour_members[] = {
	{.name = "from", .type = ANSWER_TIME},
	{.name = "allowed", .type = ANSWER_NUMBER},
	{.name = "denied", .type = ANSWER_NUMBER, .make = make_denied},
	REASON("expired"), REASON("revoked"), REASON("disabled"), REASON("address"),
	REASON("permission"), REASON("session"), REASON("rate"),
	{.name = NULL}};

const Member key_policy_members[] = {
	{.name = "defaultDays", .type = ANSWER_NUMBER},
	{.name = "maxDays", .type = ANSWER_NUMBER},
	{.name = NULL}};

const Member revoked_members[] = {{.name = "revoked", .type = ANSWER_NUMBER}, {.name = NULL}};

const Member audit_members[] = {
	{.name = "at", .type = ANSWER_TIME},
	AUDIT_MEMBERS,
	{.name = "sequence", .type = ANSWER_NUMBER},
	{.name = NULL}};

const Member audit_record_members[] = {
	{.name = "organizationId"},
	{.name = "sequence", .type = ANSWER_NUMBER},
	{.name = "id"},
	{.name = "at", .type = ANSWER_NUMBER},
	AUDIT_MEMBERS,
	{.name = "hash"},
	{.name = NULL}};

const Member audit_head_members[] = {
	{.name = "organizationId"},
	{.name = "sequence", .type = ANSWER_NUMBER},
	{.name = "hash"},
	{.name = "at", .type = ANSWER_TIME},
	{.name = NULL}};
/* clang-format on */
