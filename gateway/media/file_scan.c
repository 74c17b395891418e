/*
 * file_scan.c
 *		Lists the files in a folder; see file_scan.h.
 *
 * Three folders are open, one in the other, and are read name by name, in the order in which the
 * file system gives them.  So a page costs the same however many names a folder has.  The place of
 * a scan is "org_…/ab": the next scan passes over the names until it has found these folders, also
 * a page at a time, and reads the last one again from its beginning.
 *
 * What a thread uses is all but "ended"; the loop does not touch it while the scan is busy.
 */
#include "media/file_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "media/name.h"
#include "media/scan.h"

/* The folder, those of organizations, and those of the first digits of digests. */
#define LEVELS 3

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

typedef struct FileScan
{
	MediaScan scan; /* the first member */
	DiskJob job;
	DiskThreads *threads;
	const Directory *directory;
	DIR *folders[LEVELS];
	char names[LEVELS][NAME_MAX + 1]; /* of the open folders; that of the first is empty */
	char wanted[LEVELS - 1]
			   [NAME_MAX + 1]; /* in each folder, the one to go on in; empty: the next */
	int level;                 /* of the innermost open folder; -1: none is open */
	int error;                 /* an errno; 0: none */
	bool busy;
	bool ended; /* nobody is told anything more */
} FileScan;

static FileScan *
scan_of(DiskJob *job)
{
	return (FileScan *) (void *) ((char *) job - offsetof(FileScan, job));
}

/* ---- in a thread ---- */

/* Opens a folder in the innermost one; 0 or an errno. */
static int
enter(FileScan *file, const char *name)
{
	int parent = file->level < 0 ? file->directory->root : dirfd(file->folders[file->level]);
	int fd = openat(parent, name, FOLDER_FLAGS);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	int error = errno;

	if (folder == NULL)
	{
		if (fd >= 0)
			close(fd);
		return error;
	}
	file->level++;
	file->folders[file->level] = folder;
	snprintf(file->names[file->level], sizeof(file->names[0]), "%s", file->level == 0 ? "" : name);
	if (file->level < LEVELS - 1)
		file->names[file->level + 1][0] = '\0';
	return 0;
}

static void
leave(FileScan *file)
{
	closedir(file->folders[file->level]);
	if (file->level < LEVELS - 1)
		file->wanted[file->level][0] = '\0';
	file->level--;
}

/* Whether files of the store can be in a folder of this name, as the path of one would say. */
static bool
is_folder_name(const FileScan *file, const char *name)
{
	uint8_t org[MEDIA_ORG_SIZE];

	if (file->level == 0)
		return wak_typeid_decode(name, strlen(name), "org", org) == WAK_TYPEID_OK;
	return strlen(name) == 2 && strspn(name, "0123456789abcdef") == 2;
}

/* Enters a folder of the store, or counts what is none. */
static void
take_folder(FileScan *file, const char *name)
{
	char *wanted = file->wanted[file->level];
	int error;

	if (wanted[0] != '\0' && strcmp(name, wanted) != 0)
		return;
	wanted[0] = '\0';
	error = is_folder_name(file, name) ? enter(file, name) : ENOTDIR;
	if (error == ENOTDIR || error == ELOOP || error == EACCES)
		file->scan.page.others += strcmp(name, DIRECTORY_INCOMING) == 0 ? 0 : 1;
	else if (error != 0 && error != ENOENT)
		file->error = error;
}

static void
take_file(FileScan *file, const char *name)
{
	MediaPage *page = &file->scan.page;
	MediaName *next = &page->names[page->count];
	char path[3 * NAME_MAX];
	struct stat status;
	int len = snprintf(path, sizeof(path), "%s/%s/%s", file->names[1], file->names[2], name);

	if (fstatat(dirfd(file->folders[file->level]), name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		file->error = errno == ENOENT ? 0 : errno; /* removed meanwhile */
	else if (!S_ISREG(status.st_mode) ||
			 !media_read_name(path, (size_t) len, next->org, next->digest))
		page->others++;
	else if (status.st_mtime > time(NULL) - MEDIA_YOUNG_SECONDS)
		page->young++;
	else
		page->count++;
}

/* Looks at the next name.  False: there is none any more, or an error. */
static bool
step(FileScan *file)
{
	const struct dirent *entry;

	errno = 0;
	entry = readdir(file->folders[file->level]);
	if (entry == NULL)
	{
		file->error = errno;
		leave(file);
	}
	else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
	{
		if (file->level == LEVELS - 1)
			take_file(file, entry->d_name);
		else
			take_folder(file, entry->d_name);
	}
	return file->level >= 0 && file->error == 0;
}

/*
 * The folder that was entered last, also if it has been left by now.  While the place of before is
 * looked for, that one stays.
 */
static void
note_place(FileScan *file)
{
	MediaPage *page = &file->scan.page;

	if (file->level >= LEVELS - 2 && file->names[LEVELS - 1][0] != '\0')
		snprintf(page->behind, sizeof(page->behind), "%s/%s", file->names[1], file->names[2]);
	else if (file->level == LEVELS - 2 && file->wanted[1][0] == '\0')
		snprintf(page->behind, sizeof(page->behind), "%s", file->names[1]);
}

static void
work(DiskJob *job)
{
	FileScan *file = scan_of(job);
	MediaPage *page = &file->scan.page;
	int steps = MEDIA_PAGE_NAMES;

	if (file->level < 0)
		file->error = enter(file, ".");
	while (file->error == 0 && steps > 0 && step(file))
		steps--;
	page->failed = file->error != 0;
	page->is_end = file->level < 0;
	note_place(file);
}

/* ---- in the loop ---- */

static void
free_scan(FileScan *file)
{
	while (file->level >= 0)
		leave(file);
	free(file);
}

static void
on_work_done(DiskJob *job)
{
	FileScan *file = scan_of(job);

	file->busy = false;
	if (file->ended)
	{
		free_scan(file);
		return;
	}
	if (file->error != 0)
		log_line(LOG_LEVEL_ERROR, "media_not_listed", log_text("reason", strerror(file->error)));
	file->scan.scanned(file->scan.context, &file->scan.page);
}

static bool
next(MediaScan *scan)
{
	FileScan *file = (FileScan *) scan;
	MediaPage *page = &scan->page;

	page->count = page->young = page->others = 0;
	file->busy = true;
	disk_threads_submit(file->threads, &file->job);
	return true;
}

static void
end(MediaScan *scan)
{
	FileScan *file = (FileScan *) scan;

	file->ended = true;
	if (!file->busy)
		free_scan(file);
}

MediaScan *
media_file_scan(const Directory *directory, DiskThreads *threads, const char *behind,
				MediaScanned scanned, void *context)
{
	static const MediaScanKind kind = {.next = next, .end = end};
	FileScan *file = calloc(1, sizeof(*file));
	size_t folder = strcspn(behind, "/");

	if (file == NULL)
		return NULL;
	file->scan.kind = &kind;
	file->scan.scanned = scanned;
	file->scan.context = context;
	snprintf(file->scan.page.behind, MEDIA_PLACE_MAX, "%s", behind);
	file->job = (DiskJob){.work = work, .done = on_work_done};
	file->threads = threads;
	file->directory = directory;
	file->level = -1;
	snprintf(file->wanted[0], sizeof(file->wanted[0]), "%.*s", (int) folder, behind);
	if (behind[folder] == '/')
		snprintf(file->wanted[1], sizeof(file->wanted[1]), "%s", behind + folder + 1);
	return &file->scan;
}
