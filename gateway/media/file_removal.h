/*
 * file_removal.h
 *		Removes a file from a folder, in the threads.
 */
#ifndef MEDIA_FILE_REMOVAL_H
#define MEDIA_FILE_REMOVAL_H

#include "media/directory.h"
#include "media/store.h"
#include "media/threads.h"

/* As media_store_remove(). */
extern MediaRemoval *
media_file_remove(const Directory *directory, DiskThreads *threads,
				  const uint8_t org[MEDIA_ORG_SIZE], const uint8_t digest[MEDIA_DIGEST_SIZE],
				  int64_t until_ms, MediaRemoved done, void *context);

#endif
