/*
 * file_read.c
 *		Reads of a file; see file_read.h.
 *
 * A thread opens the file and reads each piece, in the turns of the organization: a file that is
 * not in memory takes the time of its disk, and one on another machine takes longer.  The pieces
 * are read() and not mapped: a file that becomes shorter while it is mapped would end the
 * process.
 *
 * What a thread uses is listed in the struct; the loop does not touch it while the read is busy.
 */
#include "media/file_read.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "media/read.h"

typedef struct FileRead
{
	MediaRead read; /* the first member */
	DiskThreads *threads;
	bool busy;  /* a thread has the job */
	bool ended; /* nobody is told anything more */

	DiskJob job;

	/* used by the thread while the read is busy */
	const Directory *directory;
	MediaWanted wanted;
	int fd; /* -1: not opened yet, or there is none */
	bool opened;
	uint64_t at;   /* where the next piece begins */
	uint64_t left; /* bytes that are still to be read */
	char *bytes;   /* the piece that was read; NULL: none */
	size_t len;
	uint64_t size; /* of the file as it is */
	int error;     /* an errno; 0: none */
} FileRead;

/* ---- in a thread ---- */

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

static void
read_piece(FileRead *file)
{
	file->len = file->left < MEDIA_PIECE_MAX ? (size_t) file->left : MEDIA_PIECE_MAX;
	file->bytes = malloc(file->len);
	file->error =
		file->bytes == NULL ? ENOMEM : read_all(file->fd, file->bytes, file->len, file->at);
	file->at += file->len;
	file->left -= file->len;
}

static void
work(DiskJob *job)
{
	FileRead *file = (FileRead *) (void *) ((char *) job - offsetof(FileRead, job));

	if (file->opened)
		read_piece(file);
	else
		file->error = directory_read(file->directory, file->wanted.org, file->wanted.digest,
									 &file->fd, &file->size);
}

/* ---- in the loop ---- */

static void
free_read(FileRead *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->bytes);
	free(file);
}

static void
submit(FileRead *file)
{
	file->busy = true;
	disk_threads_submit(file->threads, &file->job);
}

/* What was found; it has to have as many bytes as were stored. */
static MediaFound
found(const FileRead *file)
{
	if (file->error == ENOENT || file->error == ENOTDIR)
		return MEDIA_GONE;
	if (file->error == 0 && file->size == file->wanted.size)
		return MEDIA_FOUND;
	if (file->error != 0)
		log_line(LOG_LEVEL_ERROR, "media_not_read", log_text("reason", strerror(file->error)));
	else
		log_line(LOG_LEVEL_ERROR, "media_size_differs", log_int("bytes", (int64_t) file->size),
				 log_int("expected", (int64_t) file->wanted.size));
	return MEDIA_DAMAGED;
}

/* The events may end the read, so it is not used after them. */
static void
tell_piece(FileRead *file)
{
	const MediaReadEvents *events = file->read.events;
	void *context = file->read.context;
	char *bytes = file->bytes;

	file->bytes = NULL;
	if (file->error == 0)
		events->bytes(context, bytes, file->len);
	else
	{
		log_line(LOG_LEVEL_ERROR, "media_not_read", log_text("reason", strerror(file->error)));
		events->failed(context);
	}
	free(bytes);
}

static void
on_work_done(DiskJob *job)
{
	FileRead *file = (FileRead *) (void *) ((char *) job - offsetof(FileRead, job));

	file->busy = false;
	if (file->ended)
		free_read(file);
	else if (file->opened)
		tell_piece(file);
	else
	{
		file->opened = true;
		file->read.events->opened(file->read.context, found(file));
	}
}

static void
next(MediaRead *read)
{
	submit((FileRead *) read);
}

static void
end(MediaRead *read)
{
	FileRead *file = (FileRead *) read;

	file->ended = true;
	if (!file->busy)
		free_read(file);
}

MediaRead *
media_file_read(const Directory *directory, DiskThreads *threads, const MediaWanted *wanted,
				const MediaReadEvents *events, void *context)
{
	static const MediaReadKind kind = {.next = next, .end = end};
	FileRead *file = calloc(1, sizeof(*file));

	if (file == NULL)
		return NULL;
	*file = (FileRead){.read = {.kind = &kind, .events = events, .context = context},
					   .threads = threads,
					   .job = {.work = work, .done = on_work_done},
					   .directory = directory,
					   .wanted = *wanted,
					   .fd = -1,
					   .at = wanted->first,
					   .left = wanted->length};
	memcpy(file->job.owner, wanted->org, DISK_OWNER_SIZE);
	submit(file);
	return &file->read;
}
