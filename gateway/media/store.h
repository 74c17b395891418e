/*
 * store.h
 *		Where the bytes of media are.
 *
 * Bytes are stored under an organization and their SHA-256.  The same bytes twice are one file,
 * but never across organizations.  A file is visible when all of it is durable, and it never
 * changes after that.
 *
 * A store is a folder (directory.c), or a bucket of an S3-compatible store (s3.h), in front of
 * which files are in a folder until the bucket has them.  Whoever uses it knows only this
 * interface, so that there can be other stores.
 *
 * All functions are called in the loop.  What waits for a disk, except for reading
 * what is sent to a bucket, is done in threads (threads.h).
 */
#ifndef MEDIA_STORE_H
#define MEDIA_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/s3.h"
#include "media/sniff.h"

#define MEDIA_ORG_SIZE 16
#define MEDIA_DIGEST_SIZE 32

struct event_base;

typedef struct MediaStore MediaStore;
typedef struct MediaUpload MediaUpload;
typedef struct MediaRead MediaRead;
typedef struct MediaRemoval MediaRemoval;
typedef struct MediaScan MediaScan;

/* The number of uploads at once; each holds at most 2 * MEDIA_UPLOAD_BYTES in memory. */
#define MEDIA_UPLOADS_MAX 128
#define MEDIA_UPLOADS_OF_ONE (MEDIA_UPLOADS_MAX / 2) /* of them for one organization */
#define MEDIA_UPLOAD_BYTES (256 * 1024)

/* The most bytes that are added to an upload at once. */
#define MEDIA_PART_MAX (16 * 1024)

/* The most bytes that a read gives at once. */
#define MEDIA_PIECE_MAX (128 * 1024)

typedef struct MediaStoreConfig
{
	const char *folder; /* NULL: no files are stored */
	S3Config s3;        /* with a bucket: the folder is only for files on their way to it */
	int tidy_ms;        /* how often what dead programs have left is removed; 0: every hour */
} MediaStoreConfig;

/* The descriptors that a store may have open at once, besides those of files that are read. */
extern int media_store_descriptors(const MediaStoreConfig *config);

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

	/*
	 * With a bucket only, after media_upload_end(): bytes are on their way to it.  The upload must
	 * not be used from within this.
	 */
	void (*moving)(void *context);
} MediaUploadEvents;

/*
 * Opens the store; its folder has to exist.  Removes what uploads of programs that have died have
 * left there, now and every hour.  The configuration must outlive the store.  NULL: error (of size bytes) says why.
 */
extern MediaStore *
media_store_open(struct event_base *base, const MediaStoreConfig *config, char *error, size_t size);

/* Waits until the threads have finished.  All uploads, reads and removals have to be ended before. */
extern void media_store_close(MediaStore *store);

/* Whether a configuration can be used, without opening the store. */
extern bool media_store_check(const MediaStoreConfig *config, char *error, size_t size);

/*
 * Begins an upload.  type is the media type that was said, copied, or NULL; the events are
 * borrowed.  NULL: there are too many, or memory is out.
 */
extern MediaUpload *
media_upload_begin(MediaStore *store, const uint8_t org[MEDIA_ORG_SIZE], const char *type,
				   const MediaUploadEvents *events, void *context);

/* Adds bytes, at most MEDIA_PART_MAX.  False: wait for room before adding more. */
extern bool media_upload_add(MediaUpload *upload, const void *bytes, size_t len);

/* All bytes were added: "done" follows. */
extern void media_upload_end(MediaUpload *upload);

/* Gives up an upload whose "done" was not called; nothing of it stays. */
extern void media_upload_cancel(MediaUpload *upload);

/* ---- reading ---- */

/* What is to be read. */
typedef struct MediaWanted
{
	uint8_t org[MEDIA_ORG_SIZE];
	uint8_t digest[MEDIA_DIGEST_SIZE];
	uint64_t size;   /* of the whole file; the store has to have as many bytes */
	uint64_t first;  /* the part that is wanted, which lies within the file */
	uint64_t length; /* 0: only whether the file is there */
} MediaWanted;

typedef enum MediaFound
{
	MEDIA_FOUND,
	MEDIA_GONE,       /* the store does not have it */
	MEDIA_DAMAGED,    /* it is not what was stored, or cannot be read; logged */
	MEDIA_UNREACHABLE /* the store does not answer, or refuses to; logged */
} MediaFound;

/* From within these functions the read may be ended.  They are called in the loop. */
typedef struct MediaReadEvents
{
	/* Called once, and not from within media_store_read(). */
	void (*opened)(void *context, MediaFound found);

	/*
	 * After each media_read_next(), one of these: the next bytes, at most MEDIA_PIECE_MAX, or that
	 * there will be none (logged).
	 */
	void (*bytes)(void *context, const void *bytes, size_t len);
	void (*failed)(void *context);
} MediaReadEvents;

/*
 * Begins to read.  wanted is copied, the events are borrowed.  The caller ends the read,
 * whatever it is told.  NULL: there are too many reads, or memory is out.
 */
extern MediaRead *media_store_read(const MediaStore *store, const MediaWanted *wanted,
								   const MediaReadEvents *events, void *context);

/*
 * Asks for the next bytes.  Only after MEDIA_FOUND, when those that were asked for before have
 * come, and while the part is not complete.
 */
extern void media_read_next(MediaRead *read);

/* Ends a read at any time, and frees it. */
extern void media_read_end(MediaRead *read);

/* ---- removing ---- */

/* The store is asked for so long at most, once a removal has begun. */
#define MEDIA_REMOVAL_MS 60000

/*
 * Called once, in the loop, and not from within media_store_remove().  removed: the store does not
 * have the file.  Else it may have it, and may still remove it (logged).  The removal is freed.
 */
typedef void (*MediaRemoved)(void *context, bool removed);

/*
 * Removes a file, unless that would begin later than until_ms by clock_elapsed_ms().  Nobody may
 * store the same bytes meanwhile: the database sees to that (schema/92-media-removal.sql).
 * NULL: memory is out, or the time is over.
 */
extern MediaRemoval *media_store_remove(const MediaStore *store, const uint8_t org[MEDIA_ORG_SIZE],
										const uint8_t digest[MEDIA_DIGEST_SIZE], int64_t until_ms,
										MediaRemoved done, void *context);

/* Frees a removal of which nothing more is to be told.  The file may still be removed. */
extern void media_removal_end(MediaRemoval *removal);

/* ---- scanning ---- */

/* The names of a page, and the bytes of the place behind it, with the NUL. */
#define MEDIA_PAGE_NAMES 256
#define MEDIA_PLACE_MAX 1025

/* A younger file may not have a row yet, so it is only counted. */
#define MEDIA_YOUNG_SECONDS (24 * 60 * 60)

typedef struct MediaName
{
	uint8_t org[MEDIA_ORG_SIZE];
	uint8_t digest[MEDIA_DIGEST_SIZE];
} MediaName;

/* The next names in the store; all together they are at most MEDIA_PAGE_NAMES. */
typedef struct MediaPage
{
	MediaName names[MEDIA_PAGE_NAMES]; /* of files that are not young */
	int count;
	int young;
	int others;                   /* names that files of this store do not have */
	bool failed;                  /* the store could not be read (logged); the rest says nothing */
	bool is_end;                  /* there are no more names */
	char behind[MEDIA_PLACE_MAX]; /* where another scan can go on */
} MediaPage;

/*
 * Called once for each media_scan_next(), in the loop and not from within it.  The page is valid
 * until this returns.  The scan may be ended from within.
 */
typedef void (*MediaScanned)(void *context, const MediaPage *page);

/*
 * Lists what is in the store: behind a place that an earlier scan of the same store has told, or
 * from the beginning (empty).  Each name that is there all the time comes once, but maybe twice
 * around that place, or not at all in this scan if the place itself is gone.  NULL: memory is out.
 */
extern MediaScan *
media_scan_begin(const MediaStore *store, const char *behind, MediaScanned scanned, void *context);

/*
 * Asks for the next page.  Only when the one before has come, and it was not the last.  False:
 * memory is out, and no page comes.
 */
extern bool media_scan_next(MediaScan *scan);

/* Ends a scan at any time, and frees it. */
extern void media_scan_end(MediaScan *scan);

#endif
