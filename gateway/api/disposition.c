/*
 * disposition.c
 *		The name of a file in a Content-Disposition; see disposition.h.
 *
 *	type *( ";" NAME "=" VALUE )		VALUE: a token, or in quotation marks
 *	filename* = UTF-8''…				percent-encoded
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

/* A part of the header that is being read. */
typedef struct Reader
{
	const char *at; /* the header ends with a NUL */
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

/* Reads one parameter; *extended: the name is final, because it came from filename*. */
static bool
read_parameter(Reader *reader, char name[DISPOSITION_NAME_MAX], bool *extended)
{
	char value[VALUE_MAX];
	const char *word;
	size_t len = read_token(reader, &word);
	bool is_extended = len == 9 && strncasecmp(word, "filename*", len) == 0;
	bool is_plain = len == 8 && strncasecmp(word, "filename", len) == 0;

	skip_space(reader);
	if (len == 0 || *reader->at++ != '=')
		return false;
	skip_space(reader);
	if (!read_value(reader, value) || (is_extended && !decode(value)))
		return false;
	if ((is_extended || is_plain) && strlen(value) > NAME_MAX_LEN)
		return false;
	if (is_extended || (is_plain && !*extended))
		memcpy(name, value, strlen(value) + 1);
	*extended |= is_extended;
	return true;
}

bool
disposition_read(const HttpRequest *request, char name[DISPOSITION_NAME_MAX])
{
	size_t count;
	const HttpText *header = http_request_header(request, "content-disposition", &count);
	Reader reader = {.at = header == NULL ? "" : header->data};
	const char *type;
	bool extended = false;

	name[0] = '\0';
	if (header == NULL)
		return true;
	if (count != 1 || read_token(&reader, &type) == 0)
		return false;
	for (skip_space(&reader); *reader.at == ';'; skip_space(&reader))
	{
		reader.at++;
		skip_space(&reader);
		if (*reader.at != '\0' && !read_parameter(&reader, name, &extended))
			return false;
	}
	return *reader.at == '\0' && utf8_valid(name, strlen(name));
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
