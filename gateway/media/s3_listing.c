/*
 * s3_listing.c
 *		Reads a list of objects; see s3_listing.h.
 */
#include "media/s3_listing.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "media/name.h"

/* The depth of the elements that are wanted: the list's own, and those of an object. */
#define DEPTH_LIST 2
#define DEPTH_OBJECT 3

#define TIME_FORMAT "%Y-%m-%dT%H:%M:%S"

struct S3Listing
{
	XML_Parser parser;
	MediaPage *page;
	time_t young;
	int depth;                  /* of the open elements */
	bool in_object;             /* the one at DEPTH_LIST is an object */
	char text[MEDIA_PLACE_MAX]; /* of the innermost element */
	size_t len;
	char key[MEDIA_PLACE_MAX]; /* of the object */
	time_t modified;           /* when it was; -1: that is not known */
	bool told_more;            /* whether there are more objects is known, and which it is */
	bool more;
	bool wrong; /* it is no list as it should be */
};

static void
on_start(void *context, const char *name, const char **attributes)
{
	S3Listing *listing = context;

	(void) attributes;
	listing->depth++;
	listing->len = 0;
	if (listing->depth == 1 && strcmp(name, "ListBucketResult") != 0)
		listing->wrong = true;
	if (listing->depth == DEPTH_LIST)
	{
		listing->in_object = strcmp(name, "Contents") == 0;
		listing->key[0] = '\0';
		listing->modified = -1;
	}
}

static void
on_text(void *context, const char *text, int len)
{
	S3Listing *listing = context;

	if (listing->len + (size_t) len >= sizeof(listing->text))
	{
		listing->wrong = true;
		return;
	}
	memcpy(listing->text + listing->len, text, (size_t) len);
	listing->len += (size_t) len;
}

/* -1: it is no time in UTC. */
static time_t
read_time(const char *text)
{
	struct tm parts = {0};
	const char *rest = strptime(text, TIME_FORMAT, &parts);

	return rest == NULL || text[strlen(text) - 1] != 'Z' ? -1 : timegm(&parts);
}

/* An object has ended.  One whose age is not known counts as young, and stays. */
static void
take_object(S3Listing *listing)
{
	MediaPage *page = listing->page;
	MediaName *next = &page->names[page->count];

	if (listing->key[0] == '\0' || page->count + page->young + page->others == MEDIA_PAGE_NAMES)
	{
		listing->wrong = true;
		return;
	}
	memcpy(page->behind, listing->key, MEDIA_PLACE_MAX);
	if (!media_read_name(listing->key, strlen(listing->key), next->org, next->digest))
		page->others++;
	else if (listing->modified < 0 || listing->modified > listing->young)
		page->young++;
	else
		page->count++;
}

static void
on_end(void *context, const char *name)
{
	S3Listing *listing = context;

	listing->text[listing->len] = '\0';
	if (listing->depth == DEPTH_OBJECT && listing->in_object)
	{
		if (strcmp(name, "Key") == 0)
			memcpy(listing->key, listing->text, listing->len + 1);
		else if (strcmp(name, "LastModified") == 0)
			listing->modified = read_time(listing->text);
	}
	else if (listing->depth == DEPTH_LIST && listing->in_object)
		take_object(listing);
	else if (listing->depth == DEPTH_LIST && strcmp(name, "IsTruncated") == 0)
	{
		listing->told_more = true;
		listing->more = strcmp(listing->text, "true") == 0;
	}
	listing->len = 0;
	listing->depth--;
}

S3Listing *
s3_listing_begin(MediaPage *page, time_t young)
{
	S3Listing *listing = calloc(1, sizeof(*listing));

	if (listing == NULL)
		return NULL;
	listing->page = page;
	listing->young = young;
	listing->parser = XML_ParserCreate(NULL);
	if (listing->parser == NULL)
	{
		free(listing);
		return NULL;
	}
	XML_SetUserData(listing->parser, listing);
	XML_SetElementHandler(listing->parser, on_start, on_end);
	XML_SetCharacterDataHandler(listing->parser, on_text);
	return listing;
}

static bool
parse(S3Listing *listing, const char *bytes, size_t len, bool last)
{
	return XML_Parse(listing->parser, bytes, (int) len, last) == XML_STATUS_OK && !listing->wrong;
}

bool
s3_listing_add(S3Listing *listing, const char *bytes, size_t len)
{
	return parse(listing, bytes, len, false);
}

/* A list that says that there is more, and has nothing, would never end. */
bool
s3_listing_end(S3Listing *listing)
{
	const MediaPage *page = listing->page;
	bool empty = page->count + page->young + page->others == 0;

	if (!parse(listing, "", 0, true) || !listing->told_more || (listing->more && empty))
		return false;
	listing->page->is_end = !listing->more;
	return true;
}

void
s3_listing_free(S3Listing *listing)
{
	if (listing == NULL)
		return;
	XML_ParserFree(listing->parser);
	free(listing);
}
