/*
 * file_removal.c
 *		Removes a file from a folder; see file_removal.h.
 *
 * The time is looked at right before, in the thread: the job may have waited for its turn, or the
 * process for a processor.
 */
#include "media/file_removal.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "media/removal.h"

typedef struct FileRemoval
{
	MediaRemoval removal; /* the first member */
	DiskJob job;
	const Directory *directory;
	uint8_t org[MEDIA_ORG_SIZE];
	uint8_t digest[MEDIA_DIGEST_SIZE];
	int64_t until_ms;
	int error;  /* an errno, which the thread sets; 0: none */
	bool ended; /* nobody is told */
} FileRemoval;

static FileRemoval *
removal_of(DiskJob *job)
{
	return (FileRemoval *) (void *) ((char *) job - offsetof(FileRemoval, job));
}

static void
work(DiskJob *job)
{
	FileRemoval *file = removal_of(job);

	file->error = clock_elapsed_ms() > file->until_ms
					  ? ETIMEDOUT
					  : directory_remove(file->directory, file->org, file->digest);
}

static void
on_work_done(DiskJob *job)
{
	FileRemoval *file = removal_of(job);

	if (file->error != 0)
		log_line(LOG_LEVEL_ERROR, "media_not_removed", log_text("reason", strerror(file->error)));
	if (!file->ended)
		file->removal.done(file->removal.context, file->error == 0);
	free(file);
}

static void
end(MediaRemoval *removal)
{
	((FileRemoval *) removal)->ended = true;
}

MediaRemoval *
media_file_remove(const Directory *directory, DiskThreads *threads,
				  const uint8_t org[MEDIA_ORG_SIZE], const uint8_t digest[MEDIA_DIGEST_SIZE],
				  int64_t until_ms, MediaRemoved done, void *context)
{
	FileRemoval *file = calloc(1, sizeof(*file));

	if (file == NULL)
		return NULL;
	*file = (FileRemoval){.removal = {.end = end, .done = done, .context = context},
						  .job = {.work = work, .done = on_work_done},
						  .directory = directory,
						  .until_ms = until_ms};
	memcpy(file->job.owner, org, DISK_OWNER_SIZE);
	memcpy(file->org, org, MEDIA_ORG_SIZE);
	memcpy(file->digest, digest, MEDIA_DIGEST_SIZE);
	disk_threads_submit(threads, &file->job);
	return &file->removal;
}
