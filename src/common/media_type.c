/*-------------------------------------------------------------------------
 *
 * media_type.c
 *		Media types, read into a normal form.
 *
 *		media-type	token "/" token parameters
 *		parameters	*( OWS ";" OWS [ token "=" ( token | quoted-string ) ] )
 *
 * Each reader moves "at" behind what it has read.  It writes at most twice the
 * bytes that it reads, so the room for the output is never checked.
 *
 *-------------------------------------------------------------------------
 */
#include "src/common/media_type.h"

#include <string.h>

typedef struct Reader
{
	const char *at;
	const char *end;
	char *out;
} Reader;

/* A token may contain the star, but this refuses it: it makes ranges of types. */
static bool
is_token_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		   (c != '\0' && strchr("!#$%&'+-.^_`|~", c) != NULL);
}

static char
lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char) (c - 'A' + 'a');
	return c;
}

static void
skip_space(Reader *reader)
{
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t'))
		reader->at++;
}

static bool
skip_character(Reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

/* Reads a token, which has at least one character. */
static bool
copy_token(Reader *reader, bool lowered)
{
	const char *begin = reader->at;

	while (reader->at < reader->end && is_token_character(*reader->at))
	{
		char c = *reader->at++;

		if (lowered)
			c = lower(c);
		*reader->out++ = c;
	}
	return reader->at > begin;
}

/* Writes the value without quotes and backslashes if it is a token without them. */
static bool
copy_quoted(Reader *reader)
{
	char *begin = reader->out;
	bool token = true;
	char value[WAK_MEDIA_TYPE_MAX];
	size_t len = 0;

	while (reader->at < reader->end && *reader->at != '"')
	{
		if (*reader->at == '\\' && ++reader->at == reader->end)
			return false;
		if (*reader->at != '\t' && (*reader->at < ' ' || *reader->at > '~'))
			return false;
		token &= is_token_character(*reader->at);
		value[len++] = *reader->at++;
	}
	token &= len > 0;
	if (!token)
		*begin++ = '"';
	for (size_t i = 0; i < len; i++)
	{
		if (value[i] == '"' || value[i] == '\\')
			*begin++ = '\\';
		*begin++ = value[i];
	}
	if (!token)
		*begin++ = '"';
	reader->out = begin;
	return skip_character(reader, '"');
}

/* Whether "written" already has a parameter of this name in front of "name". */
static bool
is_named_before(const char *written, const char *name, size_t len)
{
	bool quoted = false;

	for (const char *at = written; at < name - 1; at++)
		if (quoted && *at == '\\')
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && *at == ';' && at + 2 < name && memcmp(at + 2, name, len) == 0 &&
				 at[2 + len] == '=')
			return true;
	return false;
}

/* Reads ";" and the parameter behind it, if there is one. */
static bool
copy_parameter(Reader *reader, const char *written)
{
	char *name = reader->out + 2;

	if (!skip_character(reader, ';'))
		return false;
	skip_space(reader);
	if (reader->at == reader->end || *reader->at == ';')
		return true;
	*reader->out++ = ';';
	*reader->out++ = ' ';
	if (!copy_token(reader, true) || !skip_character(reader, '='))
		return false;
	if (is_named_before(written, name, (size_t) (reader->out - name)))
		return false;
	*reader->out++ = '=';
	return skip_character(reader, '"') ? copy_quoted(reader) : copy_token(reader, false);
}

bool
wak_media_type_read(const char *text, size_t len, char written[WAK_MEDIA_TYPE_WRITTEN_MAX + 1])
{
	Reader reader = {.at = text, .end = text + len, .out = written};

	if (len > WAK_MEDIA_TYPE_MAX)
		return false;
	if (!copy_token(&reader, true) || !skip_character(&reader, '/'))
		return false;
	*reader.out++ = '/';
	if (!copy_token(&reader, true))
		return false;
	skip_space(&reader);
	while (reader.at < reader.end)
	{
		if (!copy_parameter(&reader, written))
			return false;
		skip_space(&reader);
	}
	*reader.out = '\0';
	return true;
}
