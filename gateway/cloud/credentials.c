/*
 * credentials.c
 *		Opens the credentials of sessions; see credentials.h.
 *
 * What is sealed names the organization that it was sealed for: credentials that somebody has
 * copied to a session of another one are refused.
 */
#include "cloud/credentials.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json_read.h"
#include "src/common/file_text.h"
#include "src/common/memory.h"
#include "src/common/typeid.h"

#define KEY_TEXT_LENGTH 44 /* base64 of 32 bytes */
#define KEY_FILE_MAX (KEY_TEXT_LENGTH + 2)

/* The database takes sealed credentials of at most so many bytes. */
#define SEALED_MAX 8192

#define UNREADABLE "the credentials of the session cannot be read; give them again"

/* ---- keys ---- */

static bool
is_private(int fd)
{
	struct stat file;

	return fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
		   (file.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* Reads the line of a key file, without its end. */
static bool
read_line(int fd, char line[KEY_FILE_MAX + 1])
{
	ssize_t len = read(fd, line, KEY_FILE_MAX);

	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	return len == KEY_TEXT_LENGTH;
}

static bool
take_key(CloudKeys *keys, const char *line)
{
	SealedBoxKey *key = &keys->keys[keys->count];
	uint8_t bytes[KEY_TEXT_LENGTH];
	WakFileText file;
	bool ok = !wak_is_data_url(line, KEY_TEXT_LENGTH) &&
			  wak_file_text_read(line, KEY_TEXT_LENGTH, bytes, &file) &&
			  file.len == SEALED_BOX_KEY_SIZE;

	if (ok)
		memcpy(key->secret_key, bytes, SEALED_BOX_KEY_SIZE);
	wak_wipe(bytes, sizeof(bytes));
	ok = ok && sealed_box_derive_key(key);
	keys->count += ok;
	return ok;
}

bool
cloud_keys_read(CloudKeys *keys, const char *path, char *error, size_t size)
{
	char line[KEY_FILE_MAX + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *problem = NULL;

	if (keys->count == CLOUD_KEYS_MAX)
		problem = "is one too many";
	else if (fd < 0)
		problem = "cannot be read";
	else if (!is_private(fd))
		problem = "must be a file that nobody but its owner may read (mode 0600)";
	else if (!read_line(fd, line) || !take_key(keys, line))
		problem = "has no key in base64";
	if (fd >= 0)
		close(fd);
	wak_wipe(line, sizeof(line));
	if (problem != NULL)
		snprintf(error, size, "the key file %.100s %s", path, problem);
	return problem == NULL;
}

void
cloud_keys_wipe(CloudKeys *keys)
{
	wak_wipe(keys, sizeof(*keys));
}

/* ---- credentials ---- */

/* A text becomes a part of URLs or headers, whoever has sealed it. */
typedef enum TextKind
{
	TEXT_DIGITS,
	TEXT_VERSION, /* such as v25.0 */
	TEXT_VISIBLE
} TextKind;

static bool
is_right(const char *text, TextKind kind)
{
	static const char *const allowed[] = {
		[TEXT_DIGITS] = "0123456789", [TEXT_VERSION] = "v.0123456789"};

	if (kind != TEXT_VISIBLE)
		return text[strspn(text, allowed[kind])] == '\0';
	while (*text > ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

static bool
copy_member(const JsonValue *object, const char *name, TextKind kind, char *copy, size_t size)
{
	const JsonValue *value = json_read_member(object, name);
	const char *text;
	size_t len;

	if (!json_read_string(value, &text, &len) || len == 0 || len >= size || !is_right(text, kind))
		return false;
	memcpy(copy, text, len + 1);
	return true;
}

static bool
read_members(const JsonValue *object, CloudCredentials *c)
{
	const struct
	{
		const char *name;
		TextKind kind;
		char *copy;
		size_t size;
	} members[] = {
		{"phoneNumberId", TEXT_DIGITS, c->phone_number_id, sizeof(c->phone_number_id)},
		{"wabaId", TEXT_DIGITS, c->waba_id, sizeof(c->waba_id)},
		{"appId", TEXT_DIGITS, c->app_id, sizeof(c->app_id)},
		{"accessToken", TEXT_VISIBLE, c->access_token, sizeof(c->access_token)},
		{"appSecret", TEXT_VISIBLE, c->app_secret, sizeof(c->app_secret)},
		{"verifyToken", TEXT_VISIBLE, c->verify_token, sizeof(c->verify_token)},
		{"graphVersion", TEXT_VERSION, c->graph_version, sizeof(c->graph_version)},
	};
	bool has_version = json_read_member(object, "graphVersion") != NULL;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if ((has_version || members[i].kind != TEXT_VERSION) &&
			!copy_member(object, members[i].name, members[i].kind, members[i].copy,
						 members[i].size))
			return false;
	return true;
}

static bool
is_for(const JsonValue *object, const uint8_t org[DB_UUID_SIZE])
{
	char expected[WAK_TYPEID_MAX + 1];
	const char *text;
	size_t len;

	wak_typeid_encode("org", org, expected);
	return json_read_string(json_read_member(object, "organizationId"), &text, &len) &&
		   strcmp(text, expected) == 0;
}

/* Opens the box with whichever key fits. */
static bool
open_box(const CloudKeys *keys, const uint8_t *sealed, size_t len, uint8_t *plain)
{
	for (int i = 0; i < keys->count; i++)
		if (sealed_box_open(&keys->keys[i], sealed, len, plain))
			return true;
	return false;
}

const char *
cloud_credentials_open(const CloudKeys *keys, const uint8_t org[DB_UUID_SIZE],
					   const uint8_t *sealed, size_t len, CloudCredentials *credentials)
{
	uint8_t plain[SEALED_MAX];
	const char *problem = UNREADABLE;
	JsonValue *object = NULL;
	JsonReadError error;

	cloud_credentials_wipe(credentials);
	if (len < SEALED_BOX_EXTRA || len > SEALED_MAX)
		return problem;
	if (!open_box(keys, sealed, len, plain))
		problem = "the connector has no key that opens the credentials; give them again";
	else
		object = json_read((const char *) plain, len - SEALED_BOX_EXTRA, &error);
	if (object != NULL && !is_for(object, org))
		problem = "the credentials are those of another organization; give the session its own";
	else if (object != NULL && read_members(object, credentials))
		problem = NULL;
	json_read_free(object);
	wak_wipe(plain, sizeof(plain));
	if (problem != NULL)
		cloud_credentials_wipe(credentials);
	return problem;
}

void
cloud_credentials_wipe(CloudCredentials *credentials)
{
	wak_wipe(credentials, sizeof(*credentials));
}
