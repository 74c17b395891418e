/*
 * removals.c
 *		Removes the bytes from the store that no file is of any more; see removals.h.
 *
 *	IDLE --> TAKING --> REMOVING --> REPORTING --> IDLE
 *
 * Bytes that were taken are this worker's for ten minutes.  Then another one may remove them, and
 * after that somebody may store the same bytes again; so what does not begin within
 * REMOVALS_BEGIN_MS of the question is not done.  That holds for a worker that was stopped
 * meanwhile, too.  What could not be removed, or reported, is given out again after ten minutes.
 */
#include "webhooks/removals.h"

#include <stdlib.h>
#include <string.h>

#include "db/result.h"
#include "db/task.h"
#include "lib/buffer.h"
#include "lib/clock.h"
#include "lib/json_write.h"
#include "media/name.h"
#include "webhooks/housekeeping.h"
#include "webhooks/metrics.h"
#include "webhooks/statements.h"

/* The database gives bytes out again after 600000. */
#define REMOVALS_BEGIN_MS (4 * 60000)

/* Bytes of one removal in the report. */
#define REPORT_BYTES_MAX 256

/* The columns of media_take.sql. */
enum
{
	COLUMN_ORG,
	COLUMN_DIGEST,
	COLUMN_REMOVAL
};

typedef struct Removed
{
	Removals *removals;
	MediaRemoval *removal; /* NULL: it has ended */
	uint8_t org[DB_UUID_SIZE];
	uint8_t digest[MEDIA_DIGEST_SIZE];
	uint8_t name[DB_UUID_SIZE]; /* of the removal */
	bool removed;
} Removed;

struct Removals
{
	const MediaStore *store;
	Metrics *metrics;
	int period_ms;
	int64_t asked_ms; /* when bytes were asked for, by clock_elapsed_ms() */
	Removed taken[REMOVALS_MAX];
	int count;
	int left; /* of them, that have not ended */
	DbTask taking;
	DbTask reporting;
};

/* ---- reporting ---- */

static void
go_on(Removals *removals)
{
	int ms = removals->count == REMOVALS_MAX ? HOUSEKEEPING_PAUSE_MS
											 : housekeeping_jittered(removals->period_ms);

	db_task_in(&removals->taking, ms);
}

static void
write_removed(JsonWriter *writer, const Removed *removed)
{
	json_write_object_begin(writer);
	media_write_id(writer, "organization", removed->org, DB_UUID_SIZE);
	media_write_id(writer, "sha256", removed->digest, MEDIA_DIGEST_SIZE);
	media_write_id(writer, "removal", removed->name, DB_UUID_SIZE);
	json_write_object_end(writer);
}

static DbRequest *
make_report(void *context, DbDone done, void *arg)
{
	const Removals *removals = context;
	DbRequest *request = NULL;
	JsonWriter writer;
	Buffer json;

	buffer_init(&json, REMOVALS_MAX * REPORT_BYTES_MAX);
	json_write_init(&writer, &json);
	json_write_array_begin(&writer);
	for (int i = 0; i < removals->count; i++)
		if (removals->taken[i].removed)
			write_removed(&writer, &removals->taken[i]);
	json_write_array_end(&writer);
	if (json_write_done(&writer))
		request = statements_request(&worker_statements, WORKER_MEDIA_REMOVED, NULL, done, arg, "j",
									 json.data);
	buffer_free(&json);
	return request;
}

static void
take_report(void *context, const DbResult *result)
{
	if (result != NULL && result->outcome != DB_ROWS)
		statements_log_failure(&worker_statements, WORKER_MEDIA_REMOVED, result);
	go_on(context);
}

/* ---- removing ---- */

static void
count_end(Removed *removed, bool is_removed)
{
	removed->removal = NULL;
	removed->removed = is_removed;
	removed->removals->left--;
	metrics_add(removed->removals->metrics, WORKER_REMOVALS,
				(const char *[]){is_removed ? "removed" : "failed", NULL}, 1);
}

static void
on_removed(void *context, bool is_removed)
{
	Removed *removed = context;

	count_end(removed, is_removed);
	if (removed->removals->left == 0)
		db_task_now(&removed->removals->reporting);
}

static bool
read_row(const DbResult *result, int row, Removed *removed)
{
	DbCell digest = db_cell(result, row, COLUMN_DIGEST);

	if (digest.bytes == NULL || digest.len != MEDIA_DIGEST_SIZE)
		return false;
	memcpy(removed->digest, digest.bytes, MEDIA_DIGEST_SIZE);
	return db_uuid(result, row, COLUMN_ORG, removed->org) &&
		   db_uuid(result, row, COLUMN_REMOVAL, removed->name);
}

static void
begin(Removals *removals, const DbResult *result)
{
	removals->count = result->rows < REMOVALS_MAX ? result->rows : REMOVALS_MAX;
	removals->left = removals->count;
	for (int i = 0; i < removals->count; i++)
	{
		Removed *removed = &removals->taken[i];

		*removed = (Removed){.removals = removals};
		if (read_row(result, i, removed))
			removed->removal =
				media_store_remove(removals->store, removed->org, removed->digest,
								   removals->asked_ms + REMOVALS_BEGIN_MS, on_removed, removed);
		if (removed->removal == NULL)
			count_end(removed, false);
	}
}

/* ---- taking ---- */

static void
take_rows(void *context, const DbResult *result)
{
	Removals *removals = context;

	removals->count = 0;
	if (result != NULL && result->outcome == DB_ROWS)
		begin(removals, result);
	else if (result != NULL)
		statements_log_failure(&worker_statements, WORKER_MEDIA_TAKE, result);
	if (removals->left == 0)
		go_on(removals);
}

static DbRequest *
make_taking(void *context, DbDone done, void *arg)
{
	Removals *removals = context;

	removals->asked_ms = clock_elapsed_ms();
	return statements_request(&worker_statements, WORKER_MEDIA_TAKE, NULL, done, arg, "i",
							  REMOVALS_MAX);
}

Removals *
removals_start(struct event_base *base, Db *db, const MediaStore *store, Metrics *metrics,
			   int period_ms)
{
	static const char *const results[] = {"removed", "failed"};
	Removals *removals = calloc(1, sizeof(*removals));

	if (removals == NULL)
		return NULL;
	removals->store = store;
	removals->metrics = metrics;
	removals->period_ms = period_ms;
	if (!db_task_open(&removals->taking, base, db, make_taking, take_rows, removals) ||
		!db_task_open(&removals->reporting, base, db, make_report, take_report, removals))
	{
		removals_stop(removals);
		return NULL;
	}
	for (int i = 0; i < 2; i++)
		metrics_add(metrics, WORKER_REMOVALS, (const char *[]){results[i], NULL}, 0);
	db_task_in(&removals->taking, housekeeping_jittered(period_ms));
	return removals;
}

void
removals_stop(Removals *removals)
{
	if (removals == NULL)
		return;
	db_task_close(&removals->taking);
	db_task_close(&removals->reporting);
	for (int i = 0; i < removals->count; i++)
		if (removals->taken[i].removal != NULL)
			media_removal_end(removals->taken[i].removal);
	free(removals);
}
