/*
 * fetches.c
 *		Fetches files and stores them; see fetches.h.
 */
#include "connector/fetches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "connector/outbox.h"
#include "db/result.h"
#include "db/task.h"
#include "lib/log.h"
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

#define REPORTS_MAX 20 /* of one file, before it is given up */

/* Bytes of a text that says why a file could not be fetched. */
#define ERROR_MAX 500

struct Fetch
{
	TAILQ_ENTRY(Fetch) link;
	Fetches *fetches;
	ConnectorId org;
	ConnectorId session;
	ConnectorId media;
	int64_t attempt; /* of the claim */

	/* while it stores: where the bytes come from, the source or a URL */
	MediaUpload *upload;                       /* NULL: it has not begun, or has ended */
	char said[WAK_MEDIA_TYPE_WRITTEN_MAX + 1]; /* empty: no type was announced */
	void *get;                                 /* of the source; NULL: there is none */
	Download *download;                        /* NULL: there is none */
	bool empty;                                /* no bytes have come */

	/* when it reports */
	char error[ERROR_MAX + 1]; /* "": it is stored */
	bool retry;
	bool expired;
	uint8_t digest[MEDIA_DIGEST_SIZE];
	int64_t size;
	char type[WAK_MEDIA_TYPE_WRITTEN_MAX + 1];
	int tries; /* of the report, which were sent */
	DbTask report;
};

struct Fetches
{
	FetchesSetup setup;
	bool stopped;
	TAILQ_HEAD(, Fetch) list;
	int count;
	DbTask claiming;
};

/* Ends what the bytes come from. */
static void
end_get(Fetch *fetch)
{
	void *get = fetch->get;

	fetch->get = NULL;
	if (get != NULL)
		fetch->fetches->setup.source->end(get);
	if (fetch->download != NULL)
		download_abandon(fetch->download);
	fetch->download = NULL;
}

static void
free_fetch(Fetch *fetch)
{
	TAILQ_REMOVE(&fetch->fetches->list, fetch, link);
	fetch->fetches->count--;
	if (fetch->upload != NULL)
		media_upload_cancel(fetch->upload);
	end_get(fetch);
	db_task_close(&fetch->report);
	free(fetch);
}

/* ---- reports ---- */

/* From here on the fetch only reports, until the database has answered. */
static void
enter_reporting(Fetch *fetch, const char *error, bool retry, bool expired)
{
	snprintf(fetch->error, sizeof(fetch->error), "%s", error);
	fetch->retry = retry;
	fetch->expired = expired;
	log_line(LOG_LEVEL_DEBUG, "media", log_text("org", fetch->org.text),
			 log_text("media", fetch->media.text),
			 log_text("error", error[0] == '\0' ? NULL : error));
	db_task_in(&fetch->report, 0);
}

static DbRequest *
make_report(void *context, DbDone done, void *arg)
{
	const Fetch *fetch = context;
	const FetchesSetup *setup = &fetch->fetches->setup;

	if (fetch->error[0] != '\0')
		return statements_request(setup->statements, setup->failed, fetch->org.bytes, done, arg,
								  "usisbb", fetch->media.bytes, setup->owner, (int) fetch->attempt,
								  fetch->error, (int) fetch->retry, (int) fetch->expired);
	return statements_request(setup->statements, setup->stored, fetch->org.bytes, done, arg,
							  "usidIs", fetch->media.bytes, setup->owner, (int) fetch->attempt,
							  fetch->digest, fetch->size, fetch->type);
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
	const FetchesSetup *setup = &fetch->fetches->setup;
	bool stored = fetch->error[0] == '\0';
	ReportOutcome outcome =
		connector_outcome(setup->statements, stored ? setup->stored : setup->failed, result);

	fetch->tries += outcome != REPORT_UNSENT;
	if (outcome == REPORT_AGAIN && fetch->tries == REPORTS_MAX)
		give_up(fetch);
	else if (outcome == REPORT_AGAIN || outcome == REPORT_UNSENT)
		db_task_in(&fetch->report, OUTBOX_RETRY_MS);
	else if (outcome == REPORT_REFUSED && stored)
		enter_reporting(fetch, "the file is not the one that was announced", false, false);
	else
		free_fetch(fetch);
}

/* ---- storing ---- */

void
fetch_attach(Fetch *fetch, void *get)
{
	fetch->get = get;
}

void
fetch_fail(Fetch *fetch, const char *error, bool retry, bool expired)
{
	if (fetch->upload != NULL)
		media_upload_cancel(fetch->upload);
	fetch->upload = NULL;
	end_get(fetch);
	enter_reporting(fetch, error, retry, expired);
}

static void
on_room(void *context)
{
	const Fetch *fetch = context;

	if (fetch->get != NULL)
		fetch->fetches->setup.source->resume(fetch->get);
	else if (fetch->download != NULL)
		download_resume(fetch->download);
}

static void
on_done(void *context, const MediaStored *stored)
{
	Fetch *fetch = context;

	fetch->upload = NULL;
	end_get(fetch);
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
	enter_reporting(fetch, "", false, false);
}

bool
fetch_store(Fetch *fetch)
{
	static const MediaUploadEvents events = {.room = on_room, .done = on_done};

	fetch->empty = true;
	fetch->upload = media_upload_begin(fetch->fetches->setup.media, fetch->org.bytes,
									   fetch->said[0] == '\0' ? NULL : fetch->said, &events, fetch);
	if (fetch->upload == NULL)
		fetch_fail(fetch, "the store has no room now", true, false);
	return fetch->upload != NULL;
}

/* The store takes bytes in parts. */
bool
fetch_bytes(Fetch *fetch, const void *bytes, size_t len)
{
	const char *part = bytes;
	bool room = true;

	fetch->empty = fetch->empty && len == 0;
	for (size_t at = 0; at < len && fetch->upload != NULL; at += MEDIA_PART_MAX)
		room = media_upload_add(fetch->upload, part + at,
								len - at < MEDIA_PART_MAX ? len - at : MEDIA_PART_MAX);
	return room && fetch->upload != NULL;
}

void
fetch_complete(Fetch *fetch)
{
	if (fetch->empty)
		fetch_fail(fetch, "the file is empty", false, false);
	else if (fetch->upload != NULL)
		media_upload_end(fetch->upload);
}

/* ---- URLs ---- */

static bool
on_downloaded(void *context, const void *bytes, size_t len)
{
	return fetch_bytes(context, bytes, len);
}

static void
on_download_done(void *context, const char *problem, bool retry)
{
	Fetch *fetch = context;

	fetch->download = NULL;
	if (problem != NULL)
		fetch_fail(fetch, problem, retry, false);
	else
		fetch_complete(fetch);
}

static void
begin_download(Fetch *fetch, const char *url)
{
	static const DownloadEvents events = {.bytes = on_downloaded, .done = on_download_done};

	if (!fetch_store(fetch))
		return;
	fetch->download = download_start(fetch->fetches->setup.downloads, fetch->org.bytes, url, NULL,
									 &events, fetch);
	if (fetch->download == NULL)
		fetch_fail(fetch, "out of memory", true, false);
}

/* Exactly one of reference and url is not empty. */
static void
begin(Fetch *fetch, const char *reference, const char *url)
{
	const FetchesSetup *setup = &fetch->fetches->setup;
	const FetchFile file = {.org = &fetch->org, .session = &fetch->session, .reference = reference};

	if (setup->media == NULL)
		enter_reporting(fetch, "this connector has no store for files", false, false);
	else if (url[0] != '\0')
		begin_download(fetch, url);
	else
		setup->source->begin(setup->context, fetch, &file);
}

/* ---- claiming ---- */

static void
add_fetch(Fetches *fetches, const DbResult *result, int row)
{
	Fetch *fetch = calloc(1, sizeof(*fetch));
	char reference[FETCH_REFERENCE_MAX * 4 + 1] = ""; /* characters of four bytes */
	char url[EGRESS_URL_MAX + 1] = "";

	if (fetch == NULL)
		return;
	fetch->fetches = fetches;
	if (!connector_read_id(result, row, COLUMN_ORG, &fetch->org) ||
		!connector_read_id(result, row, COLUMN_MEDIA, &fetch->media) ||
		!connector_read_id(result, row, COLUMN_SESSION, &fetch->session) ||
		!db_int(result, row, COLUMN_ATTEMPT, &fetch->attempt) ||
		!db_task_open(&fetch->report, fetches->setup.base, fetches->setup.db, make_report,
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
		statements_log_failure(fetches->setup.statements, fetches->setup.claim, result);
	for (int row = 0; row < rows; row++)
		add_fetch(fetches, result, row);
	if (!fetches->stopped)
		db_task_in(&fetches->claiming, fetches->setup.poll_ms);
}

static DbRequest *
make_claim(void *context, DbDone done, void *arg)
{
	const Fetches *fetches = context;
	const FetchesSetup *setup = &fetches->setup;
	int room = FETCHES_MAX - fetches->count;

	if (room == 0)
		return NULL;
	return statements_request(setup->statements, setup->claim, NULL, done, arg, "ssil",
							  setup->connector, setup->owner, room, setup->lease_ms);
}

/* ---- from outside ---- */

Fetches *
fetches_start(const FetchesSetup *setup)
{
	Fetches *fetches = calloc(1, sizeof(*fetches));
	int least = setup->downloads->timeout_ms + STORE_MS;

	if (fetches == NULL)
		return NULL;
	fetches->setup = *setup;
	if (fetches->setup.lease_ms < least)
		fetches->setup.lease_ms = least;
	TAILQ_INIT(&fetches->list);
	if (!db_task_open(&fetches->claiming, setup->base, setup->db, make_claim, take_claim, fetches))
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
