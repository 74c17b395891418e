/*
 * scan.h
 *		What the stores share about a scan; see store.h.
 *
 * A MediaScan is the first member of what a store knows about it.
 */
#ifndef MEDIA_SCAN_H
#define MEDIA_SCAN_H

#include "media/store.h"

typedef struct MediaScanKind
{
	bool (*next)(MediaScan *scan);
	void (*end)(MediaScan *scan);
} MediaScanKind;

struct MediaScan
{
	const MediaScanKind *kind;
	MediaScanned scanned;
	void *context;
	MediaPage page; /* the one that is made */
};

#endif
