/*
 * store.h
 *		Where the bytes of media are.
 *
 * Bytes are stored under an organization and their SHA-256.  The same bytes twice are one file,
 * but never across organizations.  A file is visible when all of it is durable, and it never
 * changes after that.
 *
 * A store is a folder (directory.c).  Whoever uses it knows only this interface, so that there
 * can be other stores.
 *
 * All functions are called in the loop.  The work is done in threads (threads.h).
 */
#ifndef MEDIA_STORE_H
#define MEDIA_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/sniff.h"

#define MEDIA_ORG_SIZE 16
#define MEDIA_DIGEST_SIZE 32

struct event_base;

typedef struct MediaStore MediaStore;
typedef struct MediaUpload MediaUpload;

/* The number of uploads at once; each holds at most 2 * MEDIA_UPLOAD_BYTES in memory. */
#define MEDIA_UPLOADS_MAX 128
#define MEDIA_UPLOAD_BYTES (256 * 1024)

/* The files that a store may have open at once, besides those that are read. */
#define MEDIA_DESCRIPTORS (MEDIA_UPLOADS_MAX + 16)

/* What became of an upload. */
typedef enum MediaOutcome
{
	MEDIA_STORED,  /* it is durable */
	MEDIA_REFUSED, /* it is not of the type that was said */
	MEDIA_FAILED   /* the store could not store it; logged */
} MediaOutcome;

typedef struct MediaStored
{
	MediaOutcome outcome;
	uint8_t digest[MEDIA_DIGEST_SIZE]; /* SHA-256 */
	uint64_t size;
	const char *type;           /* media type; NULL with MEDIA_REFUSED */
	char found[SNIFF_TYPE_MAX]; /* the media type of the first bytes */
} MediaStored;

typedef struct MediaUploadEvents
{
	/* There is room again after media_upload_add() has returned false. */
	void (*room)(void *context);

	/*
	 * Called once, and before media_upload_end() only with MEDIA_FAILED.  The upload must not
	 * be used after that; *stored is valid until this returns.
	 */
	void (*done)(void *context, const MediaStored *stored);
} MediaUploadEvents;

/*
 * Opens the store in a folder that exists.  Removes what uploads of programs that have died have
 * left there.  NULL: error (of size bytes) says why.
 */
extern MediaStore *
media_store_open(struct event_base *base, const char *folder, char *error, size_t size);

/* Waits until the threads have finished.  All uploads have to be cancelled before. */
extern void media_store_close(MediaStore *store);

/* Whether a folder can be used, without opening it. */
extern bool media_store_check(const char *folder, char *error, size_t size);

/*
 * Begins an upload.  type is the media type that was said, copied, or NULL; the events are
 * borrowed.  NULL: there are too many, or memory is out.
 */
extern MediaUpload *
media_upload_begin(MediaStore *store, const uint8_t org[MEDIA_ORG_SIZE], const char *type,
				   const MediaUploadEvents *events, void *context);

/* Adds bytes, at most HTTP_PART_MAX.  False: wait for room before adding more. */
extern bool media_upload_add(MediaUpload *upload, const void *bytes, size_t len);

/* All bytes were added: "done" follows. */
extern void media_upload_end(MediaUpload *upload);

/* Gives up an upload whose "done" was not called; nothing of it stays. */
extern void media_upload_cancel(MediaUpload *upload);

/*
 * Opens the bytes for reading, and sets *size.  The caller closes the descriptor.  -1: they are
 * not there, or cannot be read; *gone tells which.
 */
extern int media_store_read(const MediaStore *store, const uint8_t org[MEDIA_ORG_SIZE],
							const uint8_t digest[MEDIA_DIGEST_SIZE], uint64_t *size, bool *gone);

#endif
