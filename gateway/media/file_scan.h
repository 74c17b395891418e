/*
 * file_scan.h
 *		Lists the files in a folder, in the threads.
 */
#ifndef MEDIA_FILE_SCAN_H
#define MEDIA_FILE_SCAN_H

#include "media/directory.h"
#include "media/store.h"
#include "media/threads.h"

/* As media_scan_begin(). */
extern MediaScan *media_file_scan(const Directory *directory, DiskThreads *threads,
								  const char *behind, MediaScanned scanned, void *context);

#endif
