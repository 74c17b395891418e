/*
 * s3_put.h
 *		Stores a file as an object of an S3-compatible store.
 */
#ifndef MEDIA_S3_PUT_H
#define MEDIA_S3_PUT_H

#include "media/s3.h"
#include "media/store.h"

typedef struct S3Put S3Put;

typedef struct S3PutEvents
{
	/* Bytes are on their way; at most once a second. */
	void (*moving)(void *context);

	/* Called once, from the loop; the put has ended.  stored: the store has confirmed it. */
	void (*done)(void *context, bool stored);
} S3PutEvents;

/*
 * Begins to store a file, which is not closed and must not change.  The same bytes are one object,
 * which is sent only if the store does not have it.  NULL: out of memory.
 */
extern S3Put *
s3_put(S3 *s3, const uint8_t org[MEDIA_ORG_SIZE], const uint8_t digest[MEDIA_DIGEST_SIZE], int fd,
	   uint64_t size, const S3PutEvents *events, void *context);

/* Gives up, before "done". */
extern void s3_put_cancel(S3Put *put);

#endif
