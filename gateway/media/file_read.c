/*
 * file_read.c
 *		Reads of a file; see file_read.h.
 *
 * The loop reads, because what is downloaded is nearly always in memory.  The pieces are read()
 * and not mapped: a file that becomes shorter while it is mapped would end the process.
 */
#include "media/file_read.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "media/read.h"

typedef struct FileRead
{
	MediaRead read; /* the first member */
	MediaFound found;
	struct event *opened;
	int fd;        /* -1: there is none */
	uint64_t at;   /* where the next piece begins */
	uint64_t left; /* bytes that are still to be read */
} FileRead;

/* Reads exactly len bytes; 0 or an errno. */
static int
read_all(int fd, char *bytes, size_t len, uint64_t at)
{
	size_t done = 0;

	while (done < len)
	{
		ssize_t got = pread(fd, bytes + done, len - done, (off_t) (at + done));

		if (got == 0)
			return EIO;
		if (got < 0 && errno != EINTR)
			return errno;
		done += got > 0 ? (size_t) got : 0;
	}
	return 0;
}

/* The events may end the read, so it is not used after them. */
static void
next(MediaRead *read)
{
	FileRead *file = (FileRead *) read;
	size_t len = file->left < MEDIA_PIECE_MAX ? (size_t) file->left : MEDIA_PIECE_MAX;
	char *bytes = malloc(len);
	int error = bytes == NULL ? ENOMEM : read_all(file->fd, bytes, len, file->at);

	file->at += len;
	file->left -= len;
	if (error == 0)
		read->events->bytes(read->context, bytes, len);
	else
	{
		log_line(LOG_LEVEL_ERROR, "media_not_read", log_text("reason", strerror(error)));
		read->events->failed(read->context);
	}
	free(bytes);
}

static void
end(MediaRead *read)
{
	FileRead *file = (FileRead *) read;

	if (file->opened != NULL)
		event_free(file->opened);
	if (file->fd >= 0)
		close(file->fd);
	free(file);
}

static void
on_opened(evutil_socket_t fd, short what, void *context)
{
	const FileRead *file = context;

	(void) fd;
	(void) what;
	file->read.events->opened(file->read.context, file->found);
}

MediaRead *
media_file_read(struct event_base *base, MediaFound found, int fd, const MediaWanted *wanted,
				const MediaReadEvents *events, void *context)
{
	static const MediaReadKind kind = {.next = next, .end = end};
	FileRead *file = calloc(1, sizeof(*file));

	if (file == NULL)
	{
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	*file = (FileRead){.read = {.kind = &kind, .events = events, .context = context},
					   .found = found,
					   .fd = fd,
					   .at = wanted->first,
					   .left = wanted->length};
	file->opened = event_new(base, -1, 0, on_opened, file);
	if (file->opened == NULL)
	{
		end(&file->read);
		return NULL;
	}
	event_active(file->opened, EV_TIMEOUT, 0);
	return &file->read;
}
