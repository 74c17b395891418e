/*
 * files.c
 *		The files that the invented telephones send; see files.h.
 */
#include "sandbox/files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFERENCE "sandbox:"
#define STORED_REFERENCE REFERENCE "store:"

static const SandboxFile files[] = {
	{"send a picture", "picture.png", "image", "image/png", sandbox_picture, &sandbox_picture_size},
	{"send a voice note", "voice.ogg", "audio", "audio/ogg; codecs=opus", sandbox_voice,
	 &sandbox_voice_size},
	{"send a document", "document.pdf", "document", "application/pdf", sandbox_document,
	 &sandbox_document_size},
};

#define FILES (sizeof(files) / sizeof(files[0]))

const SandboxFile *
sandbox_file_asked(const char *text)
{
	for (size_t i = 0; i < FILES; i++)
		if (strcasestr(text, files[i].asked) != NULL)
			return &files[i];
	return NULL;
}

bool
sandbox_asks_back(const char *caption)
{
	return strcasestr(caption, "send it back") != NULL;
}

void
sandbox_write_reference(const SandboxFile *file, char out[SANDBOX_REFERENCE_MAX])
{
	snprintf(out, SANDBOX_REFERENCE_MAX, REFERENCE "%s", file->name);
}

void
sandbox_write_stored_reference(const char digits[MEDIA_DIGITS_MAX], uint64_t size,
							   char out[SANDBOX_REFERENCE_MAX])
{
	snprintf(out, SANDBOX_REFERENCE_MAX, STORED_REFERENCE "%s:%" PRIu64, digits, size);
}

const SandboxFile *
sandbox_find_file(const char *reference)
{
	char known[SANDBOX_REFERENCE_MAX];

	for (size_t i = 0; i < FILES; i++)
	{
		sandbox_write_reference(&files[i], known);
		if (strcmp(reference, known) == 0)
			return &files[i];
	}
	return NULL;
}

static int
digit_value(char digit)
{
	const char *digits = "0123456789abcdef";
	const char *place = digit == '\0' ? NULL : strchr(digits, digit);

	return place == NULL ? -1 : (int) (place - digits);
}

/* Reads ":" and a number that is not 0, up to the end. */
static bool
read_size(const char *text, uint64_t *size)
{
	char *end;

	if (text[0] != ':' || text[1] < '1' || text[1] > '9')
		return false;
	errno = 0;
	*size = strtoull(text + 1, &end, 10);
	return errno == 0 && *end == '\0';
}

bool
sandbox_read_stored(const char *reference, uint8_t digest[MEDIA_DIGEST_SIZE], uint64_t *size)
{
	const char *digits = reference + strlen(STORED_REFERENCE);

	if (strncmp(reference, STORED_REFERENCE, strlen(STORED_REFERENCE)) != 0 ||
		strcspn(digits, ":") != 2 * MEDIA_DIGEST_SIZE ||
		!read_size(digits + 2 * MEDIA_DIGEST_SIZE, size))
		return false;
	for (int i = 0; i < MEDIA_DIGEST_SIZE; i++)
	{
		int high = digit_value(digits[2 * i]);
		int low = digit_value(digits[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (uint8_t) (16 * high + low);
	}
	return true;
}
