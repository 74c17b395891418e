/*
 * s3_credentials.c
 *		The credentials of an S3-compatible store; see s3_credentials.h.
 *
 * A file has sections of lines, as in
 *
 *	[default]
 *	aws_access_key_id = …
 *	aws_secret_access_key = …
 *	aws_session_token = …
 *
 * Other sections, other names, empty lines and lines that begin with "#" or ";" are passed over.
 */
#include "media/s3_credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/common/memory.h"
#include "lib/buffer.h"

typedef struct Field
{
	const char *variable;
	const char *name; /* in a file */
	char *value;
	size_t size;
} Field;

#define FIELDS 3

static void
list_fields(S3Credentials *credentials, Field fields[FIELDS])
{
	fields[0] = (Field){"AWS_ACCESS_KEY_ID", "aws_access_key_id", credentials->key_id,
						sizeof(credentials->key_id)};
	fields[1] = (Field){"AWS_SECRET_ACCESS_KEY", "aws_secret_access_key", credentials->secret,
						sizeof(credentials->secret)};
	fields[2] = (Field){"AWS_SESSION_TOKEN", "aws_session_token", credentials->token,
						sizeof(credentials->token)};
}

/* Takes a value of visible characters; false when it is none, or too long. */
static bool
take(const Field *field, const char *value, size_t len)
{
	if (len == 0 || len >= field->size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (value[i] <= ' ' || value[i] > '~')
			return false;
	memcpy(field->value, value, len);
	field->value[len] = '\0';
	return true;
}

/* ---- the environment ---- */

static bool
read_environment(const Field fields[FIELDS], char *error, size_t size)
{
	for (int i = 0; i < FIELDS; i++)
	{
		char *value = getenv(fields[i].variable);

		if (value == NULL || value[0] == '\0')
			continue;
		if (!take(&fields[i], value, strlen(value)))
		{
			snprintf(error, size, "%s is not valid", fields[i].variable);
			return false;
		}
		wak_wipe(value, strlen(value));
		unsetenv(fields[i].variable);
	}
	return true;
}

/* ---- a file ---- */

static bool
read_file(const char *path, Buffer *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0 || (got < 0 && fd >= 0 && errno == EINTR))
	{
		if (!buffer_reserve(text, 4096))
			break;
		got = read(fd, text->data + text->len, 4096);
		text->len += got > 0 ? (size_t) got : 0;
	}
	if (fd >= 0)
		close(fd);
	return got == 0 && buffer_append(text, "", 0);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes white space from both ends. */
static void
trim(const char **text, size_t *len)
{
	while (*len > 0 && is_space((*text)[0]))
	{
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && is_space((*text)[*len - 1]))
		(*len)--;
}

static bool
is_text(const char *text, size_t len, const char *expected)
{
	return strlen(expected) == len && memcmp(text, expected, len) == 0;
}

/* Reads "name = value"; false when the value of a name that is known is not valid. */
static bool
read_setting(const Field fields[FIELDS], const char *line, size_t len)
{
	const char *equals = memchr(line, '=', len);
	size_t name_len = equals == NULL ? 0 : (size_t) (equals - line);
	const char *value = equals == NULL ? NULL : equals + 1;
	size_t value_len = equals == NULL ? 0 : len - name_len - 1;

	if (equals == NULL)
		return true;
	trim(&line, &name_len);
	trim(&value, &value_len);
	for (int i = 0; i < FIELDS; i++)
		if (is_text(line, name_len, fields[i].name))
			return take(&fields[i], value, value_len);
	return true;
}

static bool
read_lines(const Field fields[FIELDS], const char *text)
{
	bool ours = true;

	for (const char *end; *text != '\0'; text = *end == '\0' ? end : end + 1)
	{
		const char *line = text;
		size_t len;

		end = strchrnul(text, '\n');
		len = (size_t) (end - text);
		trim(&line, &len);
		if (len == 0 || line[0] == '#' || line[0] == ';')
			continue;
		if (line[0] == '[')
			ours = is_text(line, len, "[default]");
		else if (ours && !read_setting(fields, line, len))
			return false;
	}
	return true;
}

static bool
read_from_file(const Field fields[FIELDS], const char *path, char *error, size_t size)
{
	Buffer text;
	bool valid = false;

	buffer_init(&text, S3_CREDENTIALS_FILE_MAX);
	if (!read_file(path, &text))
		snprintf(error, size, "the file of --media-s3-credentials cannot be read");
	else if (!read_lines(fields, text.data))
		snprintf(error, size, "the file of --media-s3-credentials has a value that is not valid");
	else
		valid = true;
	buffer_free(&text);
	return valid;
}

bool
s3_credentials_read(S3Credentials *credentials, const char *file, char *error, size_t size)
{
	Field fields[FIELDS];

	s3_credentials_wipe(credentials);
	list_fields(credentials, fields);
	if (file == NULL ? !read_environment(fields, error, size)
					 : !read_from_file(fields, file, error, size))
		return false;
	if (credentials->key_id[0] != '\0' && credentials->secret[0] != '\0')
		return true;
	snprintf(error, size, "%s lacks %s or %s",
			 file == NULL ? "the environment" : "the file of --media-s3-credentials",
			 file == NULL ? fields[0].variable : fields[0].name,
			 file == NULL ? fields[1].variable : fields[1].name);
	return false;
}

void
s3_credentials_wipe(S3Credentials *credentials)
{
	wak_wipe(credentials, sizeof(*credentials));
}
