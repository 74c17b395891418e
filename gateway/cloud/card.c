/*
 * card.c
 *		Writes a contact card that was received as a vCard; see card.h.
 */
#include "cloud/card.h"

#include <stdio.h>
#include <string.h>

#include "cloud/fields.h"

#define WA_ID_MAX 24

/* Appends a text, in which these characters have a meaning. */
static void
append_value(Buffer *out, const char *text)
{
	for (; *text != '\0'; text++)
	{
		if (*text == '\r')
			continue;
		if (*text == '\n')
		{
			buffer_append_text(out, "\\n");
			continue;
		}
		if (strchr("\\;,", *text) != NULL)
			buffer_append_char(out, '\\');
		buffer_append_char(out, *text);
	}
}

/* Appends a parameter, which must not end early, such as a telephone's type. */
static void
append_parameter(Buffer *out, const char *name, const char *text)
{
	buffer_printf(out, ";%s=", name);
	for (; *text != '\0'; text++)
		if (strchr("\";:,\r\n", *text) == NULL)
			buffer_append_char(out, *text);
}

static void
append_line(Buffer *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	buffer_printf(out, "%s:", name);
	append_value(out, text);
	buffer_append_text(out, "\r\n");
}

static void
append_name(Buffer *out, const JsonValue *name)
{
	static const char *const parts[] = {"last_name", "first_name", "middle_name", "prefix",
										"suffix"};

	buffer_append_text(out, "N:");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
	{
		const char *part = field_text(name, parts[i]);

		if (i > 0)
			buffer_append_char(out, ';');
		append_value(out, part == NULL ? "" : part);
	}
	buffer_append_text(out, "\r\n");
}

/* Appends a line for each element of a list, with its type, and a telephone's WhatsApp id. */
static void
append_list(Buffer *out, const char *line, const JsonValue *list, const char *member)
{
	for (size_t i = 0; i < json_read_count(list); i++)
	{
		const JsonValue *element = json_read_element(list, i);
		const char *text = field_text(element, member);
		const char *type = field_text(element, "type");
		char wa_id[WA_ID_MAX];

		if (text == NULL)
			continue;
		buffer_append_text(out, line);
		if (type != NULL)
			append_parameter(out, "TYPE", type);
		if (field_copy(element, "wa_id", wa_id, sizeof(wa_id)))
			append_parameter(out, "waid", wa_id);
		buffer_append_char(out, ':');
		append_value(out, text);
		buffer_append_text(out, "\r\n");
	}
}

const char *
card_name(const JsonValue *card)
{
	const JsonValue *name = json_read_member(card, "name");
	const char *shown = field_text(name, "formatted_name");

	if (shown == NULL)
		shown = field_text(name, "first_name");
	if (shown == NULL)
		shown = field_text(json_read_element(json_read_member(card, "phones"), 0), "phone");
	return shown == NULL ? "" : shown;
}

bool
card_write(const JsonValue *card, Buffer *out)
{
	const JsonValue *org = json_read_member(card, "org");
	const char *given = field_text(card, "vcard");

	if (given != NULL)
		return buffer_append_text(out, given);
	buffer_append_text(out, "BEGIN:VCARD\r\nVERSION:3.0\r\n");
	append_line(out, "FN", card_name(card));
	append_name(out, json_read_member(card, "name"));
	append_list(out, "TEL", json_read_member(card, "phones"), "phone");
	append_list(out, "EMAIL", json_read_member(card, "emails"), "email");
	append_list(out, "URL", json_read_member(card, "urls"), "url");
	append_line(out, "ORG", field_text(org, "company"));
	append_line(out, "TITLE", field_text(org, "title"));
	append_line(out, "BDAY", field_text(card, "birthday"));
	return buffer_append_text(out, "END:VCARD");
}
