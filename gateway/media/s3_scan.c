/*
 * s3_scan.c
 *		Lists the objects of an S3-compatible store; see s3_scan.h.
 *
 * Each page is a request for the names behind the last one (start-after), and not one with the
 * store's token: so another program can go on, days later.  The store sorts the names.
 */
#include "media/s3_scan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/log.h"
#include "media/s3_listing.h"
#include "media/s3_request.h"
#include "media/scan.h"

/* The bytes of a list; each name may be one of 1024 bytes that are all escaped. */
#define LIST_MAX (2 * 1024 * 1024)

#define QUERY_MAX (3 * MEDIA_PLACE_MAX + 64)

typedef struct S3Scan
{
	MediaScan scan; /* the first member */
	S3 *s3;
	S3Request request; /* while a page is read; its s3 is NULL otherwise */
	S3Listing *listing;
	size_t bytes;
} S3Scan;

static void
end_page(S3Scan *listed)
{
	s3_listing_free(listed->listing);
	listed->listing = NULL;
	s3_request_free(&listed->request);
}

static void
end(MediaScan *scan)
{
	S3Scan *listed = (S3Scan *) scan;

	end_page(listed);
	free(listed);
}

static void
tell(S3Scan *listed, bool failed)
{
	end_page(listed);
	listed->scan.page.failed = failed;
	listed->scan.scanned(listed->scan.context, &listed->scan.page);
}

/* Reads what has come of the list.  False: it is none. */
static bool
read_piece(S3Scan *listed)
{
	Buffer piece = s3_request_take(&listed->request);
	bool good;

	listed->bytes += piece.len;
	good = listed->bytes <= LIST_MAX &&
		   (piece.len == 0 || s3_listing_add(listed->listing, piece.data, piece.len));
	buffer_free(&piece);
	return good;
}

static bool
is_whole(S3Scan *listed)
{
	return s3_request_is_good(&listed->request) && listed->request.problem == NULL &&
		   s3_listing_end(listed->listing);
}

static void
on_moved(void *context)
{
	S3Scan *listed = context;
	bool good = !s3_request_is_good(&listed->request) || read_piece(listed);

	if (good && !listed->request.ended)
		return;
	good = good && is_whole(listed);
	if (!good)
		s3_request_log(&listed->request, "media_not_listed");
	tell(listed, !good);
}

/* In the order and the form in which a signature has the query. */
static void
write_query(const char *behind, char query[QUERY_MAX])
{
	int len = snprintf(query, QUERY_MAX, "list-type=2&max-keys=%d", MEDIA_PAGE_NAMES);

	if (behind[0] != '\0')
		len += snprintf(query + len, (size_t) (QUERY_MAX - len), "&start-after=");
	for (const char *at = behind; *at != '\0'; at++)
		len +=
			snprintf(query + len, (size_t) (QUERY_MAX - len),
					 isalnum((unsigned char) *at) || strchr("-._~", *at) != NULL ? "%c" : "%%%02X",
					 (unsigned char) *at);
}

static bool
next(MediaScan *scan)
{
	S3Scan *listed = (S3Scan *) scan;
	MediaPage *page = &scan->page;
	char query[QUERY_MAX];

	page->count = page->young = page->others = 0;
	listed->bytes = 0;
	write_query(page->behind, query);
	listed->listing = s3_listing_begin(page, time(NULL) - MEDIA_YOUNG_SECONDS);
	if (listed->listing != NULL &&
		s3_request_make_query(&listed->request, listed->s3, query, on_moved, listed) &&
		s3_request_send(&listed->request))
		return true;
	end_page(listed);
	return false;
}

MediaScan *
s3_scan(S3 *s3, const char *behind, MediaScanned scanned, void *context)
{
	static const MediaScanKind kind = {.next = next, .end = end};
	S3Scan *listed = calloc(1, sizeof(*listed));

	if (listed == NULL)
		return NULL;
	listed->scan.kind = &kind;
	listed->scan.scanned = scanned;
	listed->scan.context = context;
	listed->s3 = s3;
	snprintf(listed->scan.page.behind, MEDIA_PLACE_MAX, "%s", behind);
	return &listed->scan;
}
