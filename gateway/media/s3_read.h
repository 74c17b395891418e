/*
 * s3_read.h
 *		Reads of an object of an S3-compatible store; see store.h.
 */
#ifndef MEDIA_S3_READ_H
#define MEDIA_S3_READ_H

#include "media/s3.h"
#include "media/store.h"

/* As media_store_read(); also NULL: there are too many reads, of this organization or of all. */
extern MediaRead *
s3_read(S3 *s3, const MediaWanted *wanted, const MediaReadEvents *events, void *context);

#endif
