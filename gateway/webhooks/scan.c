/*
 * scan.c
 *		Finds what is in the store without a row; see scan.h.
 *
 *	IDLE --> TAKING --> LISTING --> REPORTING --> pause --> LISTING ...
 *	  ^         |          |            |
 *	  +---------+----------+------------+
 *
 * The database gives the scan to one worker at a time, and says when it is due and where it goes
 * on.  A page has few names, and there is a second between two of them, because nothing of this is
 * urgent.  What the database is told is taken to be there a day later (schema/93-media-scan.sql).
 */
#include "webhooks/scan.h"

#include <stdlib.h>

#include "db/result.h"
#include "db/task.h"
#include "lib/buffer.h"
#include "lib/json_write.h"
#include "lib/log.h"
#include "media/name.h"
#include "webhooks/housekeeping.h"
#include "webhooks/metrics.h"
#include "webhooks/statements.h"

#define PAUSE_MS 1000

/* After so long without a report the scan is another worker's. */
#define LEASE_MS (5 * 60000)

/* Bytes of one name in the report. */
#define REPORT_BYTES_MAX 192

/* The columns of media_scanned.sql. */
enum
{
	COLUMN_UNKNOWN,
	COLUMN_STRANGE
};

struct Scan
{
	const MediaStore *store;
	Metrics *metrics;
	const char *owner;
	int period_ms;
	MediaScan *listing; /* while this worker has the scan */
	MediaPage page;     /* the last one */
	DbTask taking;
	DbTask reporting;
	Timer pause;
};

static void
count(const Scan *scan, WorkerMetric metric, const char *result, int64_t number)
{
	metrics_add(scan->metrics, metric, (const char *[]){result, NULL}, (uint64_t) number);
}

static void
leave(Scan *scan)
{
	if (scan->listing != NULL)
		media_scan_end(scan->listing);
	scan->listing = NULL;
	db_task_in(&scan->taking, housekeeping_jittered(scan->period_ms));
}

static void
fail(Scan *scan)
{
	count(scan, WORKER_SCANS, "failed", 1);
	leave(scan);
}

/* ---- reporting ---- */

static DbRequest *
make_report(void *context, DbDone done, void *arg)
{
	const Scan *scan = context;
	DbRequest *request = NULL;
	JsonWriter writer;
	Buffer json;

	buffer_init(&json, MEDIA_PAGE_NAMES * REPORT_BYTES_MAX);
	json_write_init(&writer, &json);
	json_write_array_begin(&writer);
	for (int i = 0; i < scan->page.count; i++)
	{
		json_write_object_begin(&writer);
		media_write_id(&writer, "organization", scan->page.names[i].org, MEDIA_ORG_SIZE);
		media_write_id(&writer, "sha256", scan->page.names[i].digest, MEDIA_DIGEST_SIZE);
		json_write_object_end(&writer);
	}
	json_write_array_end(&writer);
	if (json_write_done(&writer))
		request = statements_request(&worker_statements, WORKER_MEDIA_SCANNED, NULL, done, arg,
									 "sjsbi", scan->owner, json.data, scan->page.behind,
									 scan->page.is_end, LEASE_MS);
	buffer_free(&json);
	return request;
}

static void
count_page(const Scan *scan, int64_t unknown, int64_t strange)
{
	const MediaPage *page = &scan->page;

	count(scan, WORKER_SCANNED, "known", page->count - unknown - strange);
	count(scan, WORKER_SCANNED, "unknown", unknown);
	count(scan, WORKER_SCANNED, "strange", strange);
	count(scan, WORKER_SCANNED, "young", page->young);
	count(scan, WORKER_SCANNED, "other", page->others);
	if (unknown > 0)
		log_line(LOG_LEVEL_INFO, "media_without_row", log_int("files", unknown));
	if (strange > 0)
		log_line(LOG_LEVEL_WARNING, "media_without_organization", log_int("files", strange));
}

static void
take_report(void *context, const DbResult *result)
{
	Scan *scan = context;
	int64_t unknown;
	int64_t strange;

	if (result != NULL && result->outcome != DB_ROWS)
		statements_log_failure(&worker_statements, WORKER_MEDIA_SCANNED, result);
	if (result == NULL || result->outcome != DB_ROWS ||
		!db_int(result, 0, COLUMN_UNKNOWN, &unknown) ||
		!db_int(result, 0, COLUMN_STRANGE, &strange))
	{
		fail(scan);
		return;
	}
	count_page(scan, unknown, strange);
	if (!scan->page.is_end)
	{
		timer_start(&scan->pause, PAUSE_MS);
		return;
	}
	count(scan, WORKER_SCANS, "complete", 1);
	leave(scan);
}

/* ---- listing ---- */

static void
on_scanned(void *context, const MediaPage *page)
{
	Scan *scan = context;

	scan->page = *page;
	if (page->failed)
		fail(scan);
	else
		db_task_now(&scan->reporting);
}

static void
list(void *context)
{
	Scan *scan = context;

	if (!media_scan_next(scan->listing))
		fail(scan);
}

/* ---- taking ---- */

static void
take_place(void *context, const DbResult *result)
{
	Scan *scan = context;
	char behind[MEDIA_PLACE_MAX];

	if (result != NULL && result->outcome != DB_ROWS)
		statements_log_failure(&worker_statements, WORKER_MEDIA_SCAN_TAKE, result);
	if (result != NULL && result->outcome == DB_ROWS && result->rows == 1 &&
		db_text_copy(result, 0, 0, behind, sizeof(behind)))
		scan->listing = media_scan_begin(scan->store, behind, on_scanned, scan);
	if (scan->listing != NULL)
		list(scan);
	else
		leave(scan);
}

static DbRequest *
make_taking(void *context, DbDone done, void *arg)
{
	const Scan *scan = context;

	return statements_request(&worker_statements, WORKER_MEDIA_SCAN_TAKE, NULL, done, arg, "si",
							  scan->owner, LEASE_MS);
}

static bool
open_tasks(Scan *scan, struct event_base *base, Db *db)
{
	return db_task_open(&scan->taking, base, db, make_taking, take_place, scan) &&
		   db_task_open(&scan->reporting, base, db, make_report, take_report, scan) &&
		   timer_open(&scan->pause, base, list, scan);
}

Scan *
scan_start(struct event_base *base, Db *db, const MediaStore *store, Metrics *metrics,
		   const char *owner, int period_ms)
{
	static const char *const names[] = {"known", "unknown", "strange", "young", "other"};
	static const char *const ends[] = {"complete", "failed"};
	Scan *scan = calloc(1, sizeof(*scan));

	if (scan == NULL)
		return NULL;
	scan->store = store;
	scan->metrics = metrics;
	scan->owner = owner;
	scan->period_ms = period_ms;
	if (!open_tasks(scan, base, db))
	{
		scan_stop(scan);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		count(scan, WORKER_SCANNED, names[i], 0);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		count(scan, WORKER_SCANS, ends[i], 0);
	db_task_in(&scan->taking, housekeeping_jittered(period_ms));
	return scan;
}

void
scan_stop(Scan *scan)
{
	if (scan == NULL)
		return;
	db_task_close(&scan->taking);
	db_task_close(&scan->reporting);
	timer_close(&scan->pause);
	if (scan->listing != NULL)
		media_scan_end(scan->listing);
	free(scan);
}
