/*
 * file_read.h
 *		Reads of a file in the folder; see store.h.
 */
#ifndef MEDIA_FILE_READ_H
#define MEDIA_FILE_READ_H

#include "media/directory.h"
#include "media/store.h"
#include "media/threads.h"

/* Begins to open a file and to read it, in the threads.  NULL: memory is out. */
extern MediaRead *
media_file_read(const Directory *directory, DiskThreads *threads, const MediaWanted *wanted,
				const MediaReadEvents *events, void *context);

#endif
