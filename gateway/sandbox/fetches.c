/*
 * fetches.c
 *		Fetches files and stores them; see fetches.h.
 *
 * A URL that a sender has given is fetched by the guarded client (client/download.h).
 *
 * The invented WhatsApp keeps no files.  A reference leads to a file of the sandbox's own, or to
 * one in the store that was sent and is sent back (files.h).  It is read in parts, as the store
 * takes them.
 */
#include "sandbox/fetches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "db/result.h"
#include "db/task.h"
#include "lib/log.h"
#include "sandbox/files.h"
#include "sandbox/identity.h"
#include "src/common/media_type.h"

/* The columns of media.sql. */
enum
{
	COLUMN_ORG,
	COLUMN_MEDIA,
	COLUMN_SESSION,
	COLUMN_REFERENCE,
	COLUMN_URL,
	COLUMN_TYPE,
	COLUMN_ATTEMPT
};

/* How much longer the lease of a file is than the time in which it has to come. */
#define STORE_MS 10000

typedef struct Fetch
{
	TAILQ_ENTRY(Fetch) link;
	Fetches *fetches;
	ConnectorId org;
	ConnectorId media;
	int64_t attempt; /* of the claim */

	/* while it stores: where the bytes come from, a file in memory, one in the store, or a URL */
	MediaUpload *upload;                       /* NULL: it has not begun, or has ended */
	char said[WAK_MEDIA_TYPE_WRITTEN_MAX + 1]; /* empty: no type was announced */
	const SandboxFile *file;
	size_t at;
	MediaRead *read;    /* NULL: there is none */
	Download *download; /* NULL: there is none */
	bool empty;         /* no bytes have come from the URL */
	uint64_t left;      /* bytes that are still to be read */
	bool room;          /* the store takes more */
	bool asked;         /* for the next piece, which has not come */

	/* when it reports */
	const char *error; /* NULL: it is stored */
	char problem[DOWNLOAD_PROBLEM_MAX];
	bool retry;
	bool expired;
	uint8_t digest[MEDIA_DIGEST_SIZE];
	int64_t size;
	char type[WAK_MEDIA_TYPE_WRITTEN_MAX + 1];
	int tries; /* of the report, which were sent */
	DbTask report;
} Fetch;

struct Fetches
{
	const Sandbox *sandbox;
	int poll_ms;
	int lease_ms;
	bool stopped;
	TAILQ_HEAD(, Fetch) list;
	int count;
	DbTask claiming;
};

/* Ends what the bytes come from. */
static void
end_read(Fetch *fetch)
{
	if (fetch->read != NULL)
		media_read_end(fetch->read);
	if (fetch->download != NULL)
		download_abandon(fetch->download);
	fetch->read = NULL;
	fetch->download = NULL;
}

static void
free_fetch(Fetch *fetch)
{
	TAILQ_REMOVE(&fetch->fetches->list, fetch, link);
	fetch->fetches->count--;
	if (fetch->upload != NULL)
		media_upload_cancel(fetch->upload);
	end_read(fetch);
	db_task_close(&fetch->report);
	free(fetch);
}

/* ---- reports ---- */

/* From here on the fetch only reports, until the database has answered. */
static void
enter_reporting(Fetch *fetch, const char *error, bool retry, bool expired)
{
	fetch->error = error;
	fetch->retry = retry;
	fetch->expired = expired;
	log_line(LOG_LEVEL_DEBUG, "media", log_text("org", fetch->org.text),
			 log_text("media", fetch->media.text), log_text("error", error));
	db_task_in(&fetch->report, 0);
}

static DbRequest *
make_report(void *context, DbDone done, void *arg)
{
	const Fetch *fetch = context;
	const char *owner = fetch->fetches->sandbox->owner;

	if (fetch->error != NULL)
		return sandbox_request(SANDBOX_MEDIA_FAILED, fetch->org.bytes, done, arg, "usisbb",
							   fetch->media.bytes, owner, (int) fetch->attempt, fetch->error,
							   (int) fetch->retry, (int) fetch->expired);
	return sandbox_request(SANDBOX_MEDIA_STORED, fetch->org.bytes, done, arg, "usidIs",
						   fetch->media.bytes, owner, (int) fetch->attempt, fetch->digest,
						   fetch->size, fetch->type);
}

/* Whoever leases the file next, when this lease has run out, fetches it again. */
static void
give_up(Fetch *fetch)
{
	log_line(LOG_LEVEL_WARNING, "media_given_up", log_text("org", fetch->org.text),
			 log_text("media", fetch->media.text));
	free_fetch(fetch);
}

/* A report that is refused says that the bytes are not those that were announced. */
static void
take_report(void *context, const DbResult *result)
{
	Fetch *fetch = context;
	bool stored = fetch->error == NULL;
	ReportOutcome outcome =
		sandbox_outcome(stored ? SANDBOX_MEDIA_STORED : SANDBOX_MEDIA_FAILED, result);

	fetch->tries += outcome != REPORT_UNSENT;
	if (outcome == REPORT_AGAIN && fetch->tries == SANDBOX_ATTEMPTS_MAX)
		give_up(fetch);
	else if (outcome == REPORT_AGAIN || outcome == REPORT_UNSENT)
		db_task_in(&fetch->report, SANDBOX_RETRY_MS);
	else if (outcome == REPORT_REFUSED && stored)
		enter_reporting(fetch, "the file is not the one that was announced", false, false);
	else
		free_fetch(fetch);
}

/* ---- storing ---- */

/* Gives bytes in the parts that the store takes.  False: it has no room for more. */
static bool
give(Fetch *fetch, const char *bytes, size_t len)
{
	bool room = true;

	for (size_t at = 0; at < len; at += MEDIA_PART_MAX)
		room = media_upload_add(fetch->upload, bytes + at,
								len - at < MEDIA_PART_MAX ? len - at : MEDIA_PART_MAX);
	return room;
}

/* Gives bytes of a file in memory until the store has no room, or there are no more. */
static void
feed(Fetch *fetch)
{
	const SandboxFile *file = fetch->file;

	while (fetch->at < *file->size)
	{
		size_t left = *file->size - fetch->at;
		size_t len = left < MEDIA_PART_MAX ? left : MEDIA_PART_MAX;
		size_t at = fetch->at;

		fetch->at += len;
		if (!give(fetch, (const char *) file->bytes + at, len))
			return;
	}
	media_upload_end(fetch->upload);
}

/* Asks for the next piece of a file in the store, which has room for one until it has none. */
static void
ask(Fetch *fetch)
{
	if (!fetch->room || fetch->asked || fetch->read == NULL)
		return;
	fetch->asked = true;
	media_read_next(fetch->read);
}

static void
on_room(void *context)
{
	Fetch *fetch = context;

	fetch->room = true;
	if (fetch->file != NULL)
		feed(fetch);
	else if (fetch->download != NULL)
		download_resume(fetch->download);
	else
		ask(fetch);
}

static void
on_bytes(void *context, const void *bytes, size_t len)
{
	Fetch *fetch = context;

	fetch->asked = false;
	fetch->left -= len;
	fetch->room = give(fetch, bytes, len);
	if (fetch->left > 0)
	{
		ask(fetch);
		return;
	}
	end_read(fetch);
	media_upload_end(fetch->upload);
}

static void
on_failed(void *context)
{
	Fetch *fetch = context;

	end_read(fetch);
	media_upload_cancel(fetch->upload);
	fetch->upload = NULL;
	enter_reporting(fetch, "the file could not be read", true, false);
}

static void
on_done(void *context, const MediaStored *stored)
{
	Fetch *fetch = context;

	fetch->upload = NULL;
	end_read(fetch);
	if (stored->outcome == MEDIA_FAILED)
	{
		enter_reporting(fetch, "the file could not be stored", true, false);
		return;
	}
	if (stored->outcome == MEDIA_REFUSED)
	{
		enter_reporting(fetch, "the file is not of the type that was announced", false, false);
		return;
	}
	memcpy(fetch->digest, stored->digest, MEDIA_DIGEST_SIZE);
	fetch->size = (int64_t) stored->size;
	snprintf(fetch->type, sizeof(fetch->type), "%s", stored->type);
	enter_reporting(fetch, NULL, false, false);
}

/* False: the store takes none now, which is reported. */
static bool
begin_upload(Fetch *fetch)
{
	static const MediaUploadEvents events = {.room = on_room, .done = on_done};

	fetch->upload = media_upload_begin(fetch->fetches->sandbox->media, fetch->org.bytes,
									   fetch->said[0] == '\0' ? NULL : fetch->said, &events, fetch);
	if (fetch->upload != NULL)
		return true;
	end_read(fetch);
	enter_reporting(fetch, "the store has no room now", true, false);
	return false;
}

static void
begin_storing(Fetch *fetch)
{
	if (begin_upload(fetch))
		on_room(fetch);
}

static void
on_opened(void *context, MediaFound found)
{
	Fetch *fetch = context;

	if (found == MEDIA_FOUND)
	{
		begin_storing(fetch);
		return;
	}
	end_read(fetch);
	enter_reporting(fetch, "the file that was sent is not in the store", found != MEDIA_GONE,
					found == MEDIA_GONE);
}

/* Begins to read a file in the store. */
static void
begin_reading(Fetch *fetch, const uint8_t digest[MEDIA_DIGEST_SIZE], uint64_t size)
{
	static const MediaReadEvents events = {
		.opened = on_opened, .bytes = on_bytes, .failed = on_failed};
	MediaWanted wanted = {.size = size, .length = size};

	memcpy(wanted.org, fetch->org.bytes, MEDIA_ORG_SIZE);
	memcpy(wanted.digest, digest, MEDIA_DIGEST_SIZE);
	fetch->left = size;
	fetch->read = media_store_read(fetch->fetches->sandbox->media, &wanted, &events, fetch);
	if (fetch->read == NULL)
		enter_reporting(fetch, "the store has no room now", true, false);
}

/* ---- URLs ---- */

static bool
on_downloaded(void *context, const void *bytes, size_t len)
{
	Fetch *fetch = context;

	fetch->empty = fetch->empty && len == 0;
	return give(fetch, bytes, len);
}

static void
fail_download(Fetch *fetch, const char *problem, bool retry)
{
	media_upload_cancel(fetch->upload);
	fetch->upload = NULL;
	snprintf(fetch->problem, sizeof(fetch->problem), "%s", problem);
	enter_reporting(fetch, fetch->problem, retry, false);
}

static void
on_download_done(void *context, const char *problem, bool retry)
{
	Fetch *fetch = context;

	fetch->download = NULL;
	if (problem != NULL)
		fail_download(fetch, problem, retry);
	else if (fetch->empty)
		fail_download(fetch, "the file is empty", false);
	else
		media_upload_end(fetch->upload);
}

static void
begin_download(Fetch *fetch, const char *url)
{
	static const DownloadEvents events = {.bytes = on_downloaded, .done = on_download_done};

	if (!begin_upload(fetch))
		return;
	fetch->empty = true;
	fetch->download =
		download_start(&fetch->fetches->sandbox->downloads, fetch->org.bytes, url, &events, fetch);
	if (fetch->download == NULL)
		fail_download(fetch, "out of memory", true);
}

/* Exactly one of reference and url is not empty. */
static void
begin(Fetch *fetch, const char *reference, const char *url)
{
	uint8_t digest[MEDIA_DIGEST_SIZE];
	uint64_t size;

	if (fetch->fetches->sandbox->media == NULL)
	{
		enter_reporting(fetch, "this connector has no store for files", false, false);
		return;
	}
	if (url[0] != '\0')
	{
		begin_download(fetch, url);
		return;
	}
	fetch->file = sandbox_find_file(reference);
	if (fetch->file != NULL)
		begin_storing(fetch);
	else if (sandbox_read_stored(reference, digest, &size))
		begin_reading(fetch, digest, size);
	else
		enter_reporting(fetch, "nobody has sent such a file", false, false);
}

/* ---- claiming ---- */

static void
add_fetch(Fetches *fetches, const DbResult *result, int row)
{
	Fetch *fetch = calloc(1, sizeof(*fetch));
	char reference[SANDBOX_REFERENCE_MAX] = "";
	char url[EGRESS_URL_MAX + 1] = "";

	if (fetch == NULL)
		return;
	fetch->fetches = fetches;
	if (!connector_read_id(result, row, COLUMN_ORG, &fetch->org) ||
		!connector_read_id(result, row, COLUMN_MEDIA, &fetch->media) ||
		!db_int(result, row, COLUMN_ATTEMPT, &fetch->attempt) ||
		!db_task_open(&fetch->report, fetches->sandbox->base, fetches->sandbox->db, make_report,
					  take_report, fetch))
	{
		free(fetch);
		return;
	}
	db_text_copy(result, row, COLUMN_REFERENCE, reference, sizeof(reference));
	db_text_copy(result, row, COLUMN_URL, url, sizeof(url));
	db_text_copy(result, row, COLUMN_TYPE, fetch->said, sizeof(fetch->said));
	TAILQ_INSERT_TAIL(&fetches->list, fetch, link);
	fetches->count++;
	begin(fetch, reference, url);
}

static void
take_claim(void *context, const DbResult *result)
{
	Fetches *fetches = context;
	int rows = result != NULL && result->outcome == DB_ROWS ? result->rows : 0;

	if (result != NULL && result->outcome != DB_ROWS)
		statements_log_failure(&sandbox_statements, SANDBOX_MEDIA, result);
	for (int row = 0; row < rows; row++)
		add_fetch(fetches, result, row);
	if (!fetches->stopped)
		db_task_in(&fetches->claiming, fetches->poll_ms);
}

static DbRequest *
make_claim(void *context, DbDone done, void *arg)
{
	const Fetches *fetches = context;
	const Sandbox *sandbox = fetches->sandbox;
	int room = FETCHES_MAX - fetches->count;

	if (room == 0)
		return NULL;
	return sandbox_request(SANDBOX_MEDIA, NULL, done, arg, "ssil", SANDBOX_CONNECTOR,
						   sandbox->owner, room, fetches->lease_ms);
}

/* ---- from outside ---- */

/* A file that is fetched from a URL must be reported before its lease runs out. */
static int
lease_ms(const Sandbox *sandbox)
{
	int least = sandbox->downloads.timeout_ms + STORE_MS;

	return sandbox->lease_ms > least ? sandbox->lease_ms : least;
}

Fetches *
fetches_start(const Sandbox *sandbox, int poll_ms)
{
	Fetches *fetches = calloc(1, sizeof(*fetches));

	if (fetches == NULL)
		return NULL;
	*fetches = (Fetches){.sandbox = sandbox, .poll_ms = poll_ms, .lease_ms = lease_ms(sandbox)};
	TAILQ_INIT(&fetches->list);
	if (!db_task_open(&fetches->claiming, sandbox->base, sandbox->db, make_claim, take_claim,
					  fetches))
	{
		fetches_free(fetches);
		return NULL;
	}
	db_task_in(&fetches->claiming, 0);
	return fetches;
}

void
fetches_stop(Fetches *fetches)
{
	fetches->stopped = true;
	db_task_stop(&fetches->claiming);
}

void
fetches_free(Fetches *fetches)
{
	if (fetches == NULL)
		return;
	while (!TAILQ_EMPTY(&fetches->list))
		free_fetch(TAILQ_FIRST(&fetches->list));
	db_task_close(&fetches->claiming);
	free(fetches);
}
