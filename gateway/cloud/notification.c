/*
 * notification.c
 *		Reads a notification: what Meta posts when something has happened; see notification.h.
 */
#include "cloud/notification.h"

#include <ctype.h>
#include <string.h>

#include "cloud/fields.h"
#include "lib/utf8.h"
#include "src/common/hex.h"

#define ESCAPE_LEN 6 /* of \uXXXX */

/* ---- what the JSON reader refuses ---- */

/* The number of an escape \uXXXX at this place, or -1. */
static int
read_escape(const char *at, size_t left)
{
	int number = 0;

	if (left < ESCAPE_LEN || at[0] != '\\' || at[1] != 'u')
		return -1;
	for (int i = 2; i < ESCAPE_LEN; i++)
	{
		int digit = wak_hex_value(at[i]);

		if (digit < 0)
			return -1;
		number = number * 16 + digit;
	}
	return number;
}

static bool
is_high(int number)
{
	return number >= 0xD800 && number <= 0xDBFF;
}

static bool
is_low(int number)
{
	return number >= 0xDC00 && number <= 0xDFFF;
}

/* Repairs what begins with a backslash, and returns how long that is. */
static size_t
repair_escape(char *at, size_t left)
{
	static const char replacement[ESCAPE_LEN] = {'\\', 'u', 'f', 'f', 'f', 'd'};
	int number = read_escape(at, left);

	if (number < 0)
		return left > 1 && (unsigned char) at[1] < 0x80 ? 2 : 1;
	if (is_high(number) && is_low(read_escape(at + ESCAPE_LEN, left - ESCAPE_LEN)))
		return (size_t) 2 * ESCAPE_LEN;
	if (number == 0 || is_high(number) || is_low(number))
		memcpy(at, replacement, ESCAPE_LEN);
	return ESCAPE_LEN;
}

void
notification_repair(char *body, size_t len)
{
	size_t i = 0;

	while (i < len)
	{
		unsigned char c = (unsigned char) body[i];

		if (c == '\\')
			i += repair_escape(body + i, len - i);
		else if (c < 0x80)
			i++;
		else
		{
			size_t character = utf8_character(body + i, len - i);

			if (character == 0)
				body[i] = '?';
			i += character == 0 ? 1 : character;
		}
	}
}

/* ---- numbers ---- */

/* The index behind white space. */
static size_t
skip_space(const char *body, size_t len, size_t i)
{
	while (i < len && isspace((unsigned char) body[i]))
		i++;
	return i;
}

/* The digits of a value, which may be in quotes, at this place or behind white space. */
static size_t
read_digits(const char *body, size_t len, size_t *i)
{
	size_t digits = 0;

	*i = skip_space(body, len, *i);
	if (*i < len && body[*i] == '"')
		(*i)++;
	while (*i + digits < len && isdigit((unsigned char) body[*i + digits]))
		digits++;
	return digits;
}

/*
 * Within a text a quotation mark is escaped, so the name with both of its own is no part of one.
 * What is found only says whose secrets are tried.
 */
void
notification_numbers(const char *body, size_t len,
					 void (*take)(void *context, const char *number, size_t len), void *context)
{
	static const char name[] = "\"phone_number_id\"";
	const char *found = body;

	while ((found = memmem(found, len - (size_t) (found - body), name, sizeof(name) - 1)) != NULL)
	{
		size_t i = skip_space(body, len, (size_t) (found - body) + sizeof(name) - 1);
		size_t digits = 0;

		if (i < len && body[i] == ':')
		{
			i++;
			digits = read_digits(body, len, &i);
		}
		if (digits > 0 && digits <= NOTIFICATION_ID_MAX)
			take(context, body + i, digits);
		found = body + i;
	}
}

/* ---- updates ---- */

/* What a change of each field is about. */
static const struct
{
	const char *field;
	const char *list; /* NULL: the value is one update */
	UpdateKind kind;
} fields[] = {
	{"messages", "messages", UPDATE_MESSAGE},
	{"messages", "statuses", UPDATE_STATUS},
	{"messages", "errors", UPDATE_ERROR},
	{"smb_message_echoes", "message_echoes", UPDATE_ECHO},
	{"account_update", NULL, UPDATE_ACCOUNT},
	{"account_alerts", NULL, UPDATE_ACCOUNT},
	{"account_review_update", NULL, UPDATE_ACCOUNT},
	{"business_capability_update", NULL, UPDATE_ACCOUNT},
	{"phone_number_quality_update", NULL, UPDATE_ACCOUNT},
	{"phone_number_name_update", NULL, UPDATE_ACCOUNT},
	{"security", NULL, UPDATE_ACCOUNT},
	{"message_template_status_update", NULL, UPDATE_UNUSED},
	{"message_template_quality_update", NULL, UPDATE_UNUSED},
	{"message_template_components_update", NULL, UPDATE_UNUSED},
	{"template_category_update", NULL, UPDATE_UNUSED},
	{"user_preferences", NULL, UPDATE_UNUSED},
	{"user_id_update", NULL, UPDATE_UNUSED},
	{"business_username_update", NULL, UPDATE_UNUSED},
	{"history", NULL, UPDATE_UNUSED},
	{"smb_app_state_sync", NULL, UPDATE_UNUSED},
	{"payment_configuration_update", NULL, UPDATE_UNUSED},
	{"partner_solutions", NULL, UPDATE_UNUSED},
	{"calls", NULL, UPDATE_UNUSED},
	{"group_lifecycle_update", NULL, UPDATE_UNUSED},
	{"group_participants_update", NULL, UPDATE_UNUSED},
	{"group_settings_update", NULL, UPDATE_UNUSED},
	{"group_status_update", NULL, UPDATE_UNUSED},
};

static void
take_one(Update *update, UpdateKind kind, const JsonValue *element, NotificationTake take,
		 void *context)
{
	update->kind = kind;
	update->element = element;
	take(context, update);
}

/* Takes the elements of a list, and returns how many there are. */
static size_t
take_list(Update *update, UpdateKind kind, const JsonValue *list, NotificationTake take,
		  void *context)
{
	size_t count = json_read_count(list);

	if (json_read_kind(list) != JSON_KIND_ARRAY)
		return 0;
	for (size_t i = 0; i < count; i++)
	{
		const JsonValue *element = json_read_element(list, i);
		bool is_object = json_read_kind(element) == JSON_KIND_OBJECT;

		take_one(update, is_object ? kind : UPDATE_UNKNOWN, element, take, context);
	}
	return count;
}

/* A change that has nothing that is known is an update as a whole. */
static void
take_change(Update *update, Contacts *contacts, const JsonValue *change, NotificationTake take,
			void *context)
{
	const JsonValue *value = json_read_member(change, "value");
	const char *field = field_text(change, "field");
	size_t taken = 0;

	update->field = field == NULL ? "" : field;
	contacts_read(json_read_member(value, "contacts"), contacts);
	update->contacts = contacts;
	field_copy(json_read_member(value, "metadata"), "phone_number_id", update->number,
			   sizeof(update->number));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
	{
		if (strcmp(fields[i].field, update->field) != 0)
			continue;
		if (fields[i].list != NULL)
			taken += take_list(update, fields[i].kind, json_read_member(value, fields[i].list),
							   take, context);
		else if (json_read_kind(value) == JSON_KIND_OBJECT)
		{
			take_one(update, fields[i].kind, value, take, context);
			taken++;
		}
	}
	if (taken == 0)
		take_one(update, UPDATE_UNKNOWN, change, take, context);
}

bool
notification_walk(const JsonValue *root, NotificationTake take, void *context)
{
	const JsonValue *entries = json_read_member(root, "entry");
	Contacts contacts; /* of one change after another */

	if (json_read_kind(entries) != JSON_KIND_ARRAY)
		return false;
	for (size_t i = 0; i < json_read_count(entries); i++)
	{
		const JsonValue *entry = json_read_element(entries, i);
		const JsonValue *changes = json_read_member(entry, "changes");
		Update update = {.field = ""};

		field_copy(entry, "id", update.account, sizeof(update.account));
		if (json_read_kind(changes) != JSON_KIND_ARRAY)
			take_one(&update, UPDATE_UNKNOWN, entry, take, context);
		for (size_t c = 0;
			 json_read_kind(changes) == JSON_KIND_ARRAY && c < json_read_count(changes); c++)
			take_change(&update, &contacts, json_read_element(changes, c), take, context);
	}
	return true;
}
