/*
 * store.c
 *		Uploads to the store, and what is read and removed from it; see store.h.
 *
 *	FILLING --> ENDING ------------> freed
 *	       \____/  \             /
 *	        |       SENDING     /
 *	        |          |       /
 *	   failed, cancelled --> DISCARDING
 *
 * An upload has two buffers: the loop fills one while a thread writes the other.  The thread
 * computes the digest too.  When the last bytes were added, it writes them, looks at the type of
 * the first bytes, and makes the file durable.  With a bucket it leaves that to the bucket: the
 * loop sends the file there, and a thread removes it.
 *
 * What a thread uses of an upload is listed in the struct; the loop does not touch it while the
 * upload is busy.
 */
#include "media/store.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buffer.h"
#include "lib/log.h"
#include "lib/timer.h"
#include "media/directory.h"
#include "media/file_read.h"
#include "media/file_removal.h"
#include "media/file_scan.h"
#include "media/read.h"
#include "media/removal.h"
#include "media/s3_put.h"
#include "media/s3_read.h"
#include "media/s3_removal.h"
#include "media/s3_scan.h"
#include "media/scan.h"
#include "media/threads.h"

/* How many files can be made durable at the same time. */
#define THREADS 4

/* How often what dead programs have left is removed. */
#define TIDY_MS (60 * 60000)

/* Folders, and what wakes the loop. */
#define OTHER_DESCRIPTORS 16

struct MediaStore
{
	struct event_base *base;
	Directory directory;
	S3 *s3; /* NULL: the files stay in the folder */
	DiskThreads *threads;
	pthread_mutex_t sniffing; /* one thread uses the sniffer at a time */
	Sniffer *sniffer;
	TAILQ_HEAD(, MediaUpload) list; /* of uploads, until they are freed */
	int uploads;
	Timer tidy_timer;
	DiskJob tidying;
	bool is_tidying; /* a thread has the job */
};

typedef enum UploadState
{
	UPLOAD_FILLING,   /* the loop adds bytes; a thread may be writing those before */
	UPLOAD_ENDING,    /* all were added, and the rest is to be written */
	UPLOAD_SENDING,   /* the file is sent to the bucket */
	UPLOAD_DISCARDING /* a thread removes what was written */
} UploadState;

struct MediaUpload
{
	DiskJob job; /* the first member */
	TAILQ_ENTRY(MediaUpload) link;
	MediaStore *store;
	const MediaUploadEvents *events;
	void *context;
	UploadState state;
	bool busy;            /* a thread has the job */
	bool full;            /* the loop waits for room */
	bool lost;            /* bytes could not be added */
	bool cancelled;       /* nobody waits for "done", or it was called */
	atomic_bool given_up; /* cancelled: what a thread has not begun is not to be done */
	Buffer filling;
	S3Put *put; /* with UPLOAD_SENDING */

	/* used by the thread while the upload is busy */
	bool last;     /* these are the last bytes */
	bool discards; /* there is nothing to write, but to remove */
	uint8_t org[MEDIA_ORG_SIZE];
	char *said; /* NULL: no type was said */
	Buffer writing;
	DirectoryFile file;
	EVP_MD_CTX *hash;
	int error; /* an errno; 0: none */
	MediaStored stored;
};

/* ---- in a thread ---- */

static void
write_bytes(MediaUpload *upload)
{
	const Buffer *bytes = &upload->writing;

	if (upload->error == 0 && upload->file.fd < 0)
		upload->error = directory_create(&upload->store->directory, &upload->file);
	if (upload->error == 0)
		upload->error = directory_write(&upload->file, bytes->data, bytes->len);
	if (upload->error == 0 && EVP_DigestUpdate(upload->hash, bytes->data, bytes->len) != 1)
		upload->error = ENOMEM;
	upload->stored.size += bytes->len;
}

/* Sets the type of what was written; false if it cannot be what was said. */
static bool
choose_type(MediaUpload *upload)
{
	char *first = malloc(SNIFF_BYTES);
	ssize_t len = first == NULL ? -1 : pread(upload->file.fd, first, SNIFF_BYTES, 0);

	if (len < 0)
	{
		upload->error = first == NULL ? ENOMEM : errno;
		free(first);
		return false;
	}
	pthread_mutex_lock(&upload->store->sniffing);
	sniff(upload->store->sniffer, first, (size_t) len, upload->stored.found);
	pthread_mutex_unlock(&upload->store->sniffing);
	free(first);
	upload->stored.type = sniff_choose(upload->said, upload->stored.found);
	return upload->stored.type != NULL;
}

/* The last bytes were written: keeps the file, or removes it, or leaves it to be sent. */
static void
end_file(MediaUpload *upload)
{
	MediaStored *stored = &upload->stored;
	bool agrees = upload->error == 0 && choose_type(upload);

	if (upload->error == 0 && EVP_DigestFinal_ex(upload->hash, stored->digest, NULL) != 1)
		upload->error = ENOMEM;
	/* Who has left meanwhile gets no row, and nobody would remove the file. */
	if (agrees && upload->error == 0 && upload->store->s3 == NULL &&
		!atomic_load(&upload->given_up))
		upload->error =
			directory_keep(&upload->store->directory, &upload->file, upload->org, stored->digest);
	stored->outcome = upload->error != 0 ? MEDIA_FAILED : agrees ? MEDIA_STORED : MEDIA_REFUSED;
	if (stored->outcome != MEDIA_STORED || upload->store->s3 == NULL)
		directory_discard(&upload->store->directory, &upload->file);
}

static void
work(DiskJob *job)
{
	MediaUpload *upload = (MediaUpload *) job;

	if (upload->discards || atomic_load(&upload->given_up))
	{
		directory_discard(&upload->store->directory, &upload->file);
		return;
	}
	write_bytes(upload);
	if (upload->last)
		end_file(upload);
}

/* ---- in the loop ---- */

static void
free_upload(MediaUpload *upload)
{
	upload->store->uploads--;
	TAILQ_REMOVE(&upload->store->list, upload, link);
	buffer_free(&upload->filling);
	buffer_free(&upload->writing);
	EVP_MD_CTX_free(upload->hash);
	free(upload->said);
	free(upload);
}

/* Gives the bytes that were added to a thread. */
static void
write_filled(MediaUpload *upload)
{
	Buffer written = upload->writing;

	upload->writing = upload->filling;
	upload->filling = written;
	buffer_clear(&upload->filling);
	if (upload->lost)
		upload->error = ENOMEM;
	upload->last = upload->state == UPLOAD_ENDING;
	upload->busy = true;
	disk_threads_submit(upload->store->threads, &upload->job);
}

static void
discard(MediaUpload *upload)
{
	upload->state = UPLOAD_DISCARDING;
	upload->discards = true;
	upload->busy = true;
	disk_threads_submit(upload->store->threads, &upload->job);
}

/* Tells what became of the upload, unless nobody waits for that. */
static void
tell_done(MediaUpload *upload)
{
	if (upload->cancelled)
		return;
	if (upload->error != 0)
		log_line(LOG_LEVEL_ERROR, "media_not_stored", log_text("reason", strerror(upload->error)));
	upload->cancelled = true;
	upload->events->done(upload->context, &upload->stored);
}

static void
on_moving(void *context)
{
	const MediaUpload *upload = context;

	upload->events->moving(upload->context);
}

static void
on_put(void *context, bool stored)
{
	MediaUpload *upload = context;

	upload->put = NULL;
	upload->stored.outcome = stored ? MEDIA_STORED : MEDIA_FAILED;
	tell_done(upload);
	discard(upload);
}

/* Sends the complete file to the bucket. */
static void
send_file(MediaUpload *upload)
{
	static const S3PutEvents events = {.moving = on_moving, .done = on_put};
	const MediaStored *stored = &upload->stored;

	upload->state = UPLOAD_SENDING;
	upload->put = s3_put(upload->store->s3, upload->org, stored->digest, upload->file.fd,
						 stored->size, &events, upload);
	if (upload->put == NULL)
		on_put(upload, false);
}

/* A thread has ended the file: what it leaves open is for the bucket. */
static void
take_ended(MediaUpload *upload)
{
	if (upload->file.fd < 0)
	{
		tell_done(upload);
		free_upload(upload);
	}
	else if (upload->cancelled)
		discard(upload);
	else
		send_file(upload);
}

/* The loop is told of room only after the next bytes are on their way, so that it can add more. */
static void
on_work_done(DiskJob *job)
{
	MediaUpload *upload = (MediaUpload *) job;

	upload->busy = false;
	if (upload->state == UPLOAD_DISCARDING)
	{
		free_upload(upload);
		return;
	}
	if (upload->last)
	{
		take_ended(upload);
		return;
	}
	if (upload->error != 0)
		tell_done(upload);
	if (upload->cancelled)
	{
		discard(upload);
		return;
	}
	if (upload->state == UPLOAD_ENDING || upload->filling.len >= MEDIA_UPLOAD_BYTES)
		write_filled(upload);
	if (upload->full && upload->state == UPLOAD_FILLING)
	{
		upload->full = false;
		upload->events->room(upload->context);
	}
}

/* Whether an organization may have one more; those that are being removed count, too. */
static bool
has_room(const MediaStore *store, const uint8_t org[MEDIA_ORG_SIZE])
{
	const MediaUpload *upload;
	int own = 0;

	TAILQ_FOREACH(upload, &store->list, link)
	{
		own += memcmp(upload->org, org, MEDIA_ORG_SIZE) == 0 ? 1 : 0;
	}
	return store->uploads < MEDIA_UPLOADS_MAX && own < MEDIA_UPLOADS_OF_ONE;
}

MediaUpload *
media_upload_begin(MediaStore *store, const uint8_t org[MEDIA_ORG_SIZE], const char *type,
				   const MediaUploadEvents *events, void *context)
{
	MediaUpload *upload = has_room(store, org) ? calloc(1, sizeof(*upload)) : NULL;

	if (upload == NULL)
		return NULL;
	store->uploads++;
	TAILQ_INSERT_TAIL(&store->list, upload, link);
	upload->job = (DiskJob){.work = work, .done = on_work_done};
	memcpy(upload->job.owner, org, DISK_OWNER_SIZE);
	upload->store = store;
	upload->events = events;
	upload->context = context;
	upload->file.fd = -1;
	upload->stored.outcome = MEDIA_FAILED;
	memcpy(upload->org, org, MEDIA_ORG_SIZE);
	buffer_init(&upload->filling, 2 * MEDIA_UPLOAD_BYTES);
	buffer_init(&upload->writing, 2 * MEDIA_UPLOAD_BYTES);
	upload->said = type == NULL ? NULL : strdup(type);
	upload->hash = EVP_MD_CTX_new();
	if ((type == NULL || upload->said != NULL) && upload->hash != NULL &&
		EVP_DigestInit_ex(upload->hash, EVP_sha256(), NULL) == 1)
		return upload;
	free_upload(upload);
	return NULL;
}

bool
media_upload_add(MediaUpload *upload, const void *bytes, size_t len)
{
	if (!buffer_append(&upload->filling, bytes, len))
		upload->lost = true;
	if (!upload->busy && upload->filling.len >= MEDIA_UPLOAD_BYTES)
		write_filled(upload);
	upload->full = upload->filling.len >= MEDIA_UPLOAD_BYTES;
	return !upload->full;
}

void
media_upload_end(MediaUpload *upload)
{
	upload->state = UPLOAD_ENDING;
	if (!upload->busy)
		write_filled(upload);
}

void
media_upload_cancel(MediaUpload *upload)
{
	upload->cancelled = true;
	atomic_store(&upload->given_up, true);
	if (upload->put != NULL)
		s3_put_cancel(upload->put);
	upload->put = NULL;
	if (!upload->busy)
		discard(upload);
}

/* ---- what programs that have died have left ---- */

static MediaStore *
store_of(DiskJob *job)
{
	return (MediaStore *) (void *) ((char *) job - offsetof(MediaStore, tidying));
}

static void
tidy(DiskJob *job)
{
	directory_tidy(&store_of(job)->directory);
}

static void
on_tidied(DiskJob *job)
{
	store_of(job)->is_tidying = false;
}

static void
on_tidy_due(void *context)
{
	MediaStore *store = context;

	if (store->is_tidying)
		return;
	store->is_tidying = true;
	store->tidying = (DiskJob){.work = tidy, .done = on_tidied};
	disk_threads_submit(store->threads, &store->tidying);
}

static bool
start_tidying(MediaStore *store, int ms, char *error, size_t size)
{
	if (timer_open(&store->tidy_timer, store->base, on_tidy_due, store) &&
		timer_repeat(&store->tidy_timer, ms > 0 ? ms : TIDY_MS))
		return true;
	snprintf(error, size, "out of memory");
	return false;
}

/* ---- the store ---- */

/* An upload to a bucket has a socket besides its file. */
int
media_store_descriptors(const MediaStoreConfig *config)
{
	if (config->folder == NULL)
		return 0;
	return MEDIA_UPLOADS_MAX + OTHER_DESCRIPTORS +
		   (config->s3.bucket == NULL ? 0 : MEDIA_UPLOADS_MAX + S3_READS_MAX + S3_KEPT);
}

static bool
open_sniffer(MediaStore *store, char *error, size_t size)
{
	store->sniffer = sniffer_open(error, size);
	return store->sniffer != NULL;
}

static bool
start_threads(MediaStore *store, struct event_base *base, char *error, size_t size)
{
	store->threads = disk_threads_start(base, THREADS);
	if (store->threads == NULL)
		snprintf(error, size, "could not start threads for the media store");
	return store->threads != NULL;
}

static bool
open_folder(Directory *directory, const char *folder, char *error, size_t size)
{
	int reason = directory_open(directory, folder);

	if (reason != 0)
		snprintf(error, size, "could not use the folder of --media-dir: %s", strerror(reason));
	return reason == 0;
}

bool
media_store_check(const MediaStoreConfig *config, char *error, size_t size)
{
	Directory directory;
	bool usable;

	if (config->s3.bucket != NULL && config->folder == NULL)
	{
		snprintf(error, size, "--media-s3-bucket needs --media-dir, for files on their way");
		return false;
	}
	if (config->folder == NULL)
		return true;
	usable = open_folder(&directory, config->folder, error, size);
	directory_close(&directory);
	return usable && (config->s3.bucket == NULL || s3_check(&config->s3, error, size));
}

static bool
open_bucket(MediaStore *store, const S3Config *config, char *error, size_t size)
{
	if (config->bucket == NULL)
		return true;
	store->s3 = s3_open(store->base, config, error, size);
	return store->s3 != NULL;
}

MediaStore *
media_store_open(struct event_base *base, const MediaStoreConfig *config, char *error, size_t size)
{
	MediaStore *store = calloc(1, sizeof(*store));

	if (store == NULL)
	{
		snprintf(error, size, "out of memory");
		return NULL;
	}
	store->base = base;
	TAILQ_INIT(&store->list);
	pthread_mutex_init(&store->sniffing, NULL);
	if (open_folder(&store->directory, config->folder, error, size) &&
		open_bucket(store, &config->s3, error, size) && open_sniffer(store, error, size) &&
		start_threads(store, base, error, size) &&
		start_tidying(store, config->tidy_ms, error, size))
		return store;
	media_store_close(store);
	return NULL;
}

void
media_store_close(MediaStore *store)
{
	if (store == NULL)
		return;
	timer_close(&store->tidy_timer);
	if (store->threads != NULL)
		disk_threads_stop(store->threads);
	s3_close(store->s3);
	sniffer_close(store->sniffer);
	directory_close(&store->directory);
	pthread_mutex_destroy(&store->sniffing);
	free(store);
}

/* ---- reading ---- */

MediaRead *
media_store_read(const MediaStore *store, const MediaWanted *wanted, const MediaReadEvents *events,
				 void *context)
{
	return store->s3 != NULL
			   ? s3_read(store->s3, wanted, events, context)
			   : media_file_read(&store->directory, store->threads, wanted, events, context);
}

void
media_read_next(MediaRead *read)
{
	read->kind->next(read);
}

void
media_read_end(MediaRead *read)
{
	read->kind->end(read);
}

/* ---- removing ---- */

MediaRemoval *
media_store_remove(const MediaStore *store, const uint8_t org[MEDIA_ORG_SIZE],
				   const uint8_t digest[MEDIA_DIGEST_SIZE], int64_t until_ms, MediaRemoved done,
				   void *context)
{
	return store->s3 != NULL ? s3_remove(store->s3, org, digest, until_ms, done, context)
							 : media_file_remove(&store->directory, store->threads, org, digest,
												 until_ms, done, context);
}

void
media_removal_end(MediaRemoval *removal)
{
	removal->end(removal);
}

/* ---- scanning ---- */

MediaScan *
media_scan_begin(const MediaStore *store, const char *behind, MediaScanned scanned, void *context)
{
	return store->s3 != NULL
			   ? s3_scan(store->s3, behind, scanned, context)
			   : media_file_scan(&store->directory, store->threads, behind, scanned, context);
}

bool
media_scan_next(MediaScan *scan)
{
	return scan->kind->next(scan);
}

void
media_scan_end(MediaScan *scan)
{
	scan->kind->end(scan);
}
