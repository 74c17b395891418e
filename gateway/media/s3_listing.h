/*
 * s3_listing.h
 *		Reads the list of objects that an S3-compatible store answers (ListObjectsV2).
 *
 *	<ListBucketResult>
 *	  <IsTruncated>true</IsTruncated>
 *	  <Contents><Key>org_…/ab/abcdef…</Key><LastModified>2026-11-30T12:00:00.000Z</LastModified>…</Contents>
 *	  …
 *	</ListBucketResult>
 *
 * It is read as it comes, by expat.  Elements that are not wanted are passed over, and a text is
 * never longer than that of a name.
 */
#ifndef MEDIA_S3_LISTING_H
#define MEDIA_S3_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "media/store.h"

typedef struct S3Listing S3Listing;

/*
 * Begins a list, whose names are added to a page, which is borrowed.  Objects that were modified
 * after "young" are young.  NULL: memory is out.
 */
extern S3Listing *s3_listing_begin(MediaPage *page, time_t young);

/* Reads the next bytes.  False: they are not of such a list, or it has too many names. */
extern bool s3_listing_add(S3Listing *listing, const char *bytes, size_t len);

/* Ends a list after its last bytes, and sets page->is_end.  False: it was not complete. */
extern bool s3_listing_end(S3Listing *listing);

/* The argument may be NULL. */
extern void s3_listing_free(S3Listing *listing);

#endif
