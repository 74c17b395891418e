/*
 * directory.h
 *		The files of a store in a folder.
 *
 *	FOLDER/incoming/NAME					what is not complete yet
 *	FOLDER/org_…/ab/abcdef…					by organization, and SHA-256 in hexadecimal digits
 *
 * These functions wait for the disk.  All but directory_open() are called in a thread.  They
 * return 0 or an errno.
 */
#ifndef MEDIA_DIRECTORY_H
#define MEDIA_DIRECTORY_H

#include <stdint.h>

#include "media/store.h"

typedef struct Directory
{
	int root;     /* descriptor of the folder */
	int incoming; /* and of the one in it */
} Directory;

/* The folder of what is not complete yet. */
#define DIRECTORY_INCOMING "incoming"

/* Bytes of the name of a file in "incoming", with the NUL. */
#define DIRECTORY_NAME_MAX 40

/* A file that is being written. */
typedef struct DirectoryFile
{
	int fd; /* -1: there is none */
	char name[DIRECTORY_NAME_MAX];
} DirectoryFile;

/*
 * Opens the folder, and tidies it.  Sets the descriptors to -1 when it fails.
 */
extern int directory_open(Directory *directory, const char *folder);
extern void directory_close(Directory *directory);

/* Removes what has lain in "incoming" for a day. */
extern void directory_tidy(const Directory *directory);

/* Makes a file under a name that no other has. */
extern int directory_create(const Directory *directory, DirectoryFile *file);
extern int directory_write(const DirectoryFile *file, const char *bytes, size_t len);

/*
 * Makes the file durable and visible under its organization and digest.  It is closed then.
 * After an error the file is still there.
 */
extern int
directory_keep(const Directory *directory, DirectoryFile *file, const uint8_t org[MEDIA_ORG_SIZE],
			   const uint8_t digest[MEDIA_DIGEST_SIZE]);

/* Closes and removes a file that is not to be kept; there may be none. */
extern void directory_discard(const Directory *directory, DirectoryFile *file);

/* Opens a file for reading, and sets *fd and *size. */
extern int directory_read(const Directory *directory, const uint8_t org[MEDIA_ORG_SIZE],
						  const uint8_t digest[MEDIA_DIGEST_SIZE], int *fd, uint64_t *size);

/*
 * Removes a file; also 0 when there is none.  After a crash of the machine it may be there again.
 * Folders stay, because a file may be on its way into them.
 */
extern int directory_remove(const Directory *directory, const uint8_t org[MEDIA_ORG_SIZE],
							const uint8_t digest[MEDIA_DIGEST_SIZE]);

#endif
