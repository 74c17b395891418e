/*
 * vcard.c
 *		Writes a contact card as the Graph API takes contacts; see vcard.h.
 *
 * A line is NAME;PARAMETER=VALUE…:VALUE, maybe with a group in front of the name.  A line that
 * begins with white space continues the one before it.  A value is text with \, \; \n and \\, and
 * those of N and ORG have parts between semicolons.
 */
#include "cloud/vcard.h"

#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES 2048 /* what is longer is cut */
#define PART_MAX 256
#define TYPE_MAX 24

/* One line, unfolded. */
typedef struct Line
{
	char text[LINE_MAX_BYTES + 1];
	const char *name;       /* in text, as the next two; without a group */
	const char *parameters; /* "" or ";TYPE=CELL…" */
	const char *value;
} Line;

/* ---- lines ---- */

/* Copies the next line, with those that continue it; returns what follows. */
static const char *
unfold(const char *at, char text[LINE_MAX_BYTES + 1])
{
	size_t len = 0;

	for (;;)
	{
		size_t part = strcspn(at, "\r\n");
		size_t room = LINE_MAX_BYTES - len;

		memcpy(text + len, at, part < room ? part : room);
		len += part < room ? part : room;
		at += part;
		at += *at == '\r';
		at += *at == '\n';
		if (*at != ' ' && *at != '\t')
			break;
		at++;
	}
	text[len] = '\0';
	return at;
}

/* Splits the text; false when it is no line of a card. */
static bool
split(Line *line)
{
	char *colon = strchr(line->text, ':');
	char *semicolon;
	char *group;

	if (colon == NULL)
		return false;
	*colon = '\0';
	semicolon = strchr(line->text, ';');
	line->parameters = "";
	line->value = colon + 1;
	if (semicolon != NULL)
	{
		*semicolon = '\0';
		line->parameters = semicolon + 1;
	}
	group = strchr(line->text, '.');
	line->name = group == NULL ? line->text : group + 1;
	return true;
}

/* Steps to the next line that has this name; false: there is none. */
static bool
next_of(const char **at, const char *name, Line *line)
{
	while (**at != '\0')
	{
		*at = unfold(*at, line->text);
		if (split(line) && strcasecmp(line->name, name) == 0 && line->value[0] != '\0')
			return true;
	}
	return false;
}

/* Copies the value of a parameter, up to a comma; "" if there is none. */
static void
copy_parameter(const Line *line, const char *name, char *copy, size_t size)
{
	size_t name_len = strlen(name);
	const char *at = line->parameters;

	copy[0] = '\0';
	while (*at != '\0')
	{
		size_t len = strcspn(at, ";");

		if (strncasecmp(at, name, name_len) == 0 && at[name_len] == '=')
		{
			const char *value = at + name_len + 1;
			size_t value_len = strcspn(value, ";,\"");

			if (value_len < size)
			{
				memcpy(copy, value, value_len);
				copy[value_len] = '\0';
			}
			return;
		}
		at += len + (at[len] == ';');
	}
}

/* Copies the part with this index of a value, without its backslashes; "" if there is none. */
static void
copy_part(const char *value, int index, char copy[PART_MAX + 1])
{
	size_t len = 0;
	bool is_escaped;

	for (; *value != '\0' && index >= 0; value++)
	{
		if (*value == ';')
		{
			index--;
			continue;
		}
		is_escaped = *value == '\\' && value[1] != '\0';
		if (is_escaped)
			value++;
		if (index == 0 && len < PART_MAX)
			copy[len++] = (char) (is_escaped && *value == 'n' ? ' ' : *value);
	}
	copy[len] = '\0';
}

/* ---- what is written ---- */

static void
write_member(JsonWriter *json, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	json_write_name(json, name);
	json_write_text(json, text);
}

/* Meta wants one more part of the name than formatted_name. */
static void
write_name(const char *card, const char *shown, JsonWriter *json)
{
	static const char *const parts[] = {"last_name", "first_name", "middle_name", "prefix",
										"suffix"};
	char part[PART_MAX + 1] = "";
	bool has_first = false;
	Line line;
	bool has_name = next_of(&card, "N", &line);

	json_write_name(json, "name");
	json_write_object_begin(json);
	write_member(json, "formatted_name", shown);
	for (int i = 0; has_name && i < (int) (sizeof(parts) / sizeof(parts[0])); i++)
	{
		copy_part(line.value, i, part);
		write_member(json, parts[i], part);
		has_first |= i == 1 && part[0] != '\0';
	}
	if (!has_first)
		write_member(json, "first_name", shown);
	json_write_object_end(json);
}

/* Writes a list of the lines of one name, each with its type. */
static void
write_list(const char *card, const char *property, const char *list, const char *member,
		   JsonWriter *json)
{
	char text[PART_MAX + 1] = "";
	char type[TYPE_MAX + 1];
	char number[TYPE_MAX + 1];
	Line line;
	int count = 0;

	while (count < VCARD_VALUES_MAX && next_of(&card, property, &line))
	{
		if (count++ == 0)
		{
			json_write_name(json, list);
			json_write_array_begin(json);
		}
		copy_part(line.value, 0, text);
		copy_parameter(&line, "TYPE", type, sizeof(type));
		copy_parameter(&line, "waid", number, sizeof(number));
		json_write_object_begin(json);
		write_member(json, member, strncasecmp(text, "tel:", 4) == 0 ? text + 4 : text);
		write_member(json, "type", type);
		if (number[strspn(number, "0123456789")] == '\0')
			write_member(json, "wa_id", number);
		json_write_object_end(json);
	}
	if (count > 0)
		json_write_array_end(json);
}

static void
write_organization(const char *card, JsonWriter *json)
{
	char company[PART_MAX + 1] = "";
	char department[PART_MAX + 1] = "";
	char title[PART_MAX + 1] = "";
	const char *at = card;
	Line line;

	if (next_of(&at, "ORG", &line))
	{
		copy_part(line.value, 0, company);
		copy_part(line.value, 1, department);
	}
	at = card;
	if (next_of(&at, "TITLE", &line))
		copy_part(line.value, 0, title);
	if (company[0] == '\0' && department[0] == '\0' && title[0] == '\0')
		return;
	json_write_name(json, "org");
	json_write_object_begin(json);
	write_member(json, "company", company);
	write_member(json, "department", department);
	write_member(json, "title", title);
	json_write_object_end(json);
}

/* Meta takes a date as 2000-12-31; of other forms none is written. */
static void
write_birthday(const char *card, JsonWriter *json)
{
	static const char form[] = "dddd-dd-dd";
	Line line;

	if (!next_of(&card, "BDAY", &line) || strlen(line.value) != sizeof(form) - 1)
		return;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? line.value[i] < '0' || line.value[i] > '9' : line.value[i] != form[i])
			return;
	write_member(json, "birthday", line.value);
}

void
vcard_write(const char *card, const char *name, JsonWriter *json)
{
	json_write_object_begin(json);
	write_name(card, name, json);
	write_list(card, "TEL", "phones", "phone", json);
	write_list(card, "EMAIL", "emails", "email", json);
	write_list(card, "URL", "urls", "url", json);
	write_organization(card, json);
	write_birthday(card, json);
	json_write_object_end(json);
}
