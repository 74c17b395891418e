/*
 * sniff.c
 *		The media type of a file by its first bytes; see sniff.h.
 */
#include "media/sniff.h"

#include <magic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FLAGS                                                                              \
	(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_CDF | \
	 MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_APPTYPE | MAGIC_NO_CHECK_TOKENS)

/* How much of the bytes a regular expression looks at. */
#define REGEX_BYTES 128

/* libmagic's handle is what a Sniffer is. */
Sniffer *
sniffer_open(char *error, size_t size)
{
	const size_t regex_bytes = REGEX_BYTES;
	magic_t magic = magic_open(FLAGS);

	if (magic == NULL)
	{
		snprintf(error, size, "out of memory");
		return NULL;
	}
	if (magic_setparam(magic, MAGIC_PARAM_REGEX_MAX, &regex_bytes) != 0 ||
		magic_load(magic, NULL) != 0)
	{
		snprintf(error, size, "could not load the data of libmagic: %s", magic_error(magic));
		magic_close(magic);
		return NULL;
	}
	return (Sniffer *) magic;
}

void
sniffer_close(Sniffer *sniffer)
{
	if (sniffer != NULL)
		magic_close((magic_t) sniffer);
}

void
sniff(Sniffer *sniffer, const void *bytes, size_t len, char type[SNIFF_TYPE_MAX])
{
	const char *found = magic_buffer((magic_t) sniffer, bytes, len);

	if (found == NULL || strchr(found, '/') == NULL || strlen(found) >= SNIFF_TYPE_MAX)
		found = SNIFF_UNKNOWN;
	memcpy(type, found, strlen(found) + 1);
}

/* Whether the type begins with "image/" or another such prefix. */
static bool
begins(const char *type, const char *prefix)
{
	return strncasecmp(type, prefix, strlen(prefix)) == 0;
}

/* The length of a type without its parameters. */
static size_t
bare(const char *type)
{
	return strcspn(type, "; \t");
}

static bool
is_same(const char *said, const char *found)
{
	size_t len = bare(said);

	return len == strlen(found) && strncasecmp(said, found, len) == 0;
}

/*
 * Containers of sound and video are told apart by their contents only, and some formats of sound
 * begin with nothing that is characteristic.
 */
static bool
may_be_played(const char *found)
{
	return begins(found, "audio/") || begins(found, "video/") ||
		   is_same("application/ogg", found) || is_same(SNIFF_UNKNOWN, found);
}

const char *
sniff_choose(const char *said, const char *found)
{
	if (said == NULL || is_same(said, SNIFF_UNKNOWN))
		return found;
	if (begins(said, "image/"))
		return is_same(is_same(said, "image/jpg") ? "image/jpeg" : said, found) ? found : NULL;
	if (begins(said, "audio/") || begins(said, "video/"))
		return may_be_played(found) ? said : NULL;
	return said;
}
