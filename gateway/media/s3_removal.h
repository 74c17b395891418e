/*
 * s3_removal.h
 *		Removes an object of an S3-compatible store.
 */
#ifndef MEDIA_S3_REMOVAL_H
#define MEDIA_S3_REMOVAL_H

#include "media/s3.h"
#include "media/store.h"

/* As media_store_remove(). */
extern MediaRemoval *
s3_remove(S3 *s3, const uint8_t org[MEDIA_ORG_SIZE], const uint8_t digest[MEDIA_DIGEST_SIZE],
		  int64_t until_ms, MediaRemoved done, void *context);

#endif
