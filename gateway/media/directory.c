/*
 * directory.c
 *		The files of a store in a folder; see directory.h.
 *
 * No name in a path comes from a client: they are identifiers, digests and random numbers.
 * Links are not followed.
 */
#include "media/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/common/typeid.h"
#include "media/name.h"

#define NAME_BYTES 16 /* random bytes of a name */

/* What nobody has written to for so long is of a program that has died. */
#define ABANDONED_SECONDS (24 * 60 * 60)

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* ---- the folder ---- */

/* Opens a folder in another one, which is made if it does not exist. */
static int
open_folder(int parent, const char *name, int *fd)
{
	if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
		return errno;
	*fd = openat(parent, name, FOLDER_FLAGS);
	return *fd < 0 ? errno : 0;
}

static void
remove_if_abandoned(int folder, const char *name)
{
	struct stat status;

	if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
		status.st_mtime < time(NULL) - ABANDONED_SECONDS)
		unlinkat(folder, name, 0);
}

void
directory_tidy(const Directory *directory)
{
	int fd = openat(directory->incoming, ".", FOLDER_FLAGS);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (list == NULL)
	{
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(list)) != NULL)
		remove_if_abandoned(directory->incoming, entry->d_name);
	closedir(list);
}

int
directory_open(Directory *directory, const char *folder)
{
	int error;

	directory->incoming = -1;
	directory->root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory->root < 0)
		return errno;
	error = open_folder(directory->root, DIRECTORY_INCOMING, &directory->incoming);
	if (error == 0 && faccessat(directory->incoming, ".", W_OK | X_OK, AT_EACCESS) != 0)
		error = errno;
	if (error == 0)
		directory_tidy(directory);
	else
		directory_close(directory);
	return error;
}

void
directory_close(Directory *directory)
{
	if (directory->incoming >= 0)
		close(directory->incoming);
	if (directory->root >= 0)
		close(directory->root);
	*directory = (Directory){.root = -1, .incoming = -1};
}

/* ---- writing ---- */

int
directory_create(const Directory *directory, DirectoryFile *file)
{
	uint8_t random[NAME_BYTES];

	file->fd = -1;
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return EIO;
	media_write_digits(random, sizeof(random), file->name);
	file->fd = openat(directory->incoming, file->name,
					  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return file->fd < 0 ? errno : 0;
}

int
directory_write(const DirectoryFile *file, const char *bytes, size_t len)
{
	while (len > 0)
	{
		ssize_t written = write(file->fd, bytes, len);

		if (written < 0 && errno != EINTR)
			return errno;
		bytes += written > 0 ? written : 0;
		len -= written > 0 ? (size_t) written : 0;
	}
	return 0;
}

/*
 * Moves a file from "incoming" into the last of three folders, and makes its name durable.  The
 * folders above are made durable too, also if another process has just made them and has not
 * done so yet.
 */
static int
move_into(const Directory *directory, const char *name, const char *org, const char *digits)
{
	char first[3] = {digits[0], digits[1], '\0'};
	int upper = -1;
	int folder = -1;
	int error = open_folder(directory->root, org, &upper);

	if (error == 0)
		error = open_folder(upper, first, &folder);
	if (error == 0 && renameat(directory->incoming, name, folder, digits) != 0)
		error = errno;
	if (error == 0 && (fsync(folder) != 0 || fsync(upper) != 0 || fsync(directory->root) != 0))
		error = errno;
	if (folder >= 0)
		close(folder);
	if (upper >= 0)
		close(upper);
	return error;
}

int
directory_keep(const Directory *directory, DirectoryFile *file, const uint8_t org[MEDIA_ORG_SIZE],
			   const uint8_t digest[MEDIA_DIGEST_SIZE])
{
	char folder[WAK_TYPEID_MAX + 1];
	char digits[MEDIA_DIGITS_MAX];
	int error;

	wak_typeid_encode("org", org, folder);
	media_write_digits(digest, MEDIA_DIGEST_SIZE, digits);
	if (fsync(file->fd) != 0)
		return errno;
	error = move_into(directory, file->name, folder, digits);
	if (error == 0)
	{
		close(file->fd);
		file->fd = -1;
	}
	return error;
}

void
directory_discard(const Directory *directory, DirectoryFile *file)
{
	if (file->fd < 0)
		return;
	unlinkat(directory->incoming, file->name, 0);
	close(file->fd);
	file->fd = -1;
}

/* ---- reading ---- */

int
directory_read(const Directory *directory, const uint8_t org[MEDIA_ORG_SIZE],
			   const uint8_t digest[MEDIA_DIGEST_SIZE], int *fd, uint64_t *size)
{
	char path[MEDIA_NAME_MAX];
	struct stat status;

	media_write_name(org, digest, path);
	*fd = openat(directory->root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0)
		return errno;
	if (fstat(*fd, &status) != 0 || !S_ISREG(status.st_mode))
	{
		close(*fd);
		*fd = -1;
		return EIO;
	}
	*size = (uint64_t) status.st_size;
	return 0;
}

/* ---- removing ---- */

int
directory_remove(const Directory *directory, const uint8_t org[MEDIA_ORG_SIZE],
				 const uint8_t digest[MEDIA_DIGEST_SIZE])
{
	char path[MEDIA_NAME_MAX];

	media_write_name(org, digest, path);
	return unlinkat(directory->root, path, 0) == 0 || errno == ENOENT ? 0 : errno;
}
