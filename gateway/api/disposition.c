/*
 * disposition.c
 *		The name of a file in a Content-Disposition; see disposition.h.
 *
 *	type *( ";" NAME "=" VALUE )		VALUE: a token, or in quotation marks
 *	filename* = UTF-8''…				percent-encoded
 *
 * In a form, programs write a quotation mark as "%22" or with a backslash in front of it.
 */
#include "api/disposition.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "src/common/hex.h"
#include "lib/utf8.h"

#define NAME_MAX_LEN (DISPOSITION_NAME_MAX - 1)

/* Bytes of a value, with the NUL: of a name that is percent-encoded, behind its charset. */
#define VALUE_MAX (3 * DISPOSITION_NAME_MAX + 32)

/* A header that is being read, and what was read of it. */
typedef struct Reader
{
	const char *at; /* the header ends with a NUL */
	char *name;     /* from filename or filename* */
	char *field;    /* from name, which only a form has; NULL: not wanted */
	bool extended;  /* the name is final, because it came from filename* */
} Reader;

static bool
is_token(char c)
{
	return isalnum((unsigned char) c) || (c != '\0' && strchr("!#$&+-^_`{|}~.%'*", c) != NULL);
}

static void
skip_space(Reader *reader)
{
	reader->at += strspn(reader->at, " \t");
}

/* Reads a token; its length, 0 if there is none. */
static size_t
read_token(Reader *reader, const char **token)
{
	*token = reader->at;
	while (is_token(*reader->at))
		reader->at++;
	return (size_t) (reader->at - *token);
}

/* Reads a text in quotation marks; a backslash stands before a character that is meant itself. */
static bool
read_quoted(Reader *reader, char value[VALUE_MAX])
{
	size_t len = 0;

	for (reader->at++; *reader->at != '"'; reader->at++)
	{
		if (*reader->at == '\\')
			reader->at++;
		if (*reader->at == '\0' || len == VALUE_MAX - 1)
			return false;
		value[len++] = *reader->at;
	}
	reader->at++;
	value[len] = '\0';
	return true;
}

static bool
read_value(Reader *reader, char value[VALUE_MAX])
{
	const char *token;
	size_t len;

	if (*reader->at == '"')
		return read_quoted(reader, value);
	len = read_token(reader, &token);
	if (len == 0 || len >= VALUE_MAX)
		return false;
	memcpy(value, token, len);
	value[len] = '\0';
	return true;
}

/* Decodes the value of filename* in place. */
static bool
decode(char value[VALUE_MAX])
{
	static const char charset[] = "UTF-8'";
	const char *from = value;
	char *to = value;

	if (strncasecmp(from, charset, sizeof(charset) - 1) != 0)
		return false;
	from = strchr(from + sizeof(charset) - 1, '\'');
	if (from == NULL)
		return false;
	for (from++; *from != '\0'; to++)
	{
		bool coded = *from == '%';
		int high = coded ? wak_hex_value(from[1]) : 0;
		int low = coded && high >= 0 ? wak_hex_value(from[2]) : 0;

		if (high < 0 || low < 0 || (coded && high == 0 && low == 0))
			return false;
		if (coded)
			*to = (char) (high * 16 + low);
		else
			*to = *from;
		from += coded ? 3 : 1;
	}
	*to = '\0';
	return true;
}

static bool
is_word(const char *word, size_t len, const char *wanted)
{
	return len == strlen(wanted) && strncasecmp(word, wanted, len) == 0;
}

/* Copies a value to where DISPOSITION_NAME_MAX bytes have room. */
static bool
keep(char *to, const char *value)
{
	if (strlen(value) > NAME_MAX_LEN)
		return false;
	memcpy(to, value, strlen(value) + 1);
	return true;
}

static bool
read_parameter(Reader *reader)
{
	char value[VALUE_MAX];
	const char *word;
	size_t len = read_token(reader, &word);

	skip_space(reader);
	if (len == 0 || *reader->at++ != '=')
		return false;
	skip_space(reader);
	if (!read_value(reader, value))
		return false;
	if (is_word(word, len, "filename*"))
	{
		reader->extended = true;
		return decode(value) && keep(reader->name, value);
	}
	if (is_word(word, len, "filename"))
		return strlen(value) <= NAME_MAX_LEN && (reader->extended || keep(reader->name, value));
	return reader->field == NULL || !is_word(word, len, "name") || keep(reader->field, value);
}

/* Reads the header, whose first word is *type. */
static bool
read_header(Reader *reader, const char **type, size_t *type_len)
{
	*type_len = read_token(reader, type);
	if (*type_len == 0)
		return false;
	for (skip_space(reader); *reader->at == ';'; skip_space(reader))
	{
		reader->at++;
		skip_space(reader);
		if (*reader->at != '\0' && !read_parameter(reader))
			return false;
	}
	return *reader->at == '\0' && utf8_valid(reader->name, strlen(reader->name));
}

bool
disposition_read(const HttpRequest *request, char name[DISPOSITION_NAME_MAX])
{
	size_t count;
	const HttpText *header = http_request_header(request, "content-disposition", &count);
	Reader reader = {.at = header == NULL ? "" : header->data, .name = name};
	const char *type;
	size_t len;

	name[0] = '\0';
	return header == NULL || (count == 1 && read_header(&reader, &type, &len));
}

/* Replaces "%22" by what it stands for. */
static void
decode_quotation_marks(char *name)
{
	char *to = name;

	for (const char *from = name; *from != '\0'; from++)
		if (strncmp(from, "%22", 3) == 0)
		{
			*to++ = '"';
			from += 2;
		}
		else
			*to++ = *from;
	*to = '\0';
}

bool
disposition_read_field(const char *header, char field[DISPOSITION_NAME_MAX],
					   char name[DISPOSITION_NAME_MAX])
{
	Reader reader = {.at = header, .name = name, .field = field};
	const char *type;
	size_t len;

	name[0] = '\0';
	field[0] = '\0';
	if (!read_header(&reader, &type, &len) || !is_word(type, len, "form-data") ||
		field[0] == '\0' || !utf8_valid(field, strlen(field)))
		return false;
	if (!reader.extended)
		decode_quotation_marks(name);
	return true;
}

/* Whether the character stands for itself in filename*. */
static bool
is_plain_character(char c)
{
	return isalnum((unsigned char) c) || (c != '\0' && strchr("!#$&+-.^_`|~", c) != NULL);
}

/* Appends filename="…", with what old programs may misread replaced. */
static char *
write_old_form(char *at, const char *name, size_t len)
{
	at = stpcpy(at, "; filename=\"");
	for (size_t i = 0; i < len; i++)
	{
		bool plain = name[i] >= ' ' && name[i] <= '~' && strchr("\"\\%/", name[i]) == NULL;

		*at = name[i];
		if (!plain)
			*at = '_';
		at++;
	}
	return stpcpy(at, "\"");
}

static char *
write_extended_form(char *at, const char *name, size_t len)
{
	at = stpcpy(at, "; filename*=UTF-8''");
	for (size_t i = 0; i < len; i++)
		if (is_plain_character(name[i]))
			*at++ = name[i];
		else
			at += sprintf(at, "%%%02X", (unsigned char) name[i]);
	*at = '\0';
	return at;
}

void
disposition_write(bool is_inline, const char *name, size_t len, char header[DISPOSITION_HEADER_MAX])
{
	char *at = stpcpy(header, is_inline ? "inline" : "attachment");

	if (name == NULL || len == 0 || len > NAME_MAX_LEN)
		return;
	write_extended_form(write_old_form(at, name, len), name, len);
}
