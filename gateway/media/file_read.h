/*
 * file_read.h
 *		Reads of a file; see store.h.
 */
#ifndef MEDIA_FILE_READ_H
#define MEDIA_FILE_READ_H

#include "media/store.h"

struct event_base;

/*
 * Begins to read from an open file, which it closes, whatever happens.  With another outcome
 * than MEDIA_FOUND there is no file, and the read only tells that.  NULL: memory is out.
 */
extern MediaRead *
media_file_read(struct event_base *base, MediaFound found, int fd, const MediaWanted *wanted,
				const MediaReadEvents *events, void *context);

#endif
