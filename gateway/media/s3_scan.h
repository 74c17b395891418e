/*
 * s3_scan.h
 *		Lists the objects of an S3-compatible store.
 */
#ifndef MEDIA_S3_SCAN_H
#define MEDIA_S3_SCAN_H

#include "media/s3.h"
#include "media/store.h"

/* As media_scan_begin(). */
extern MediaScan *s3_scan(S3 *s3, const char *behind, MediaScanned scanned, void *context);

#endif
