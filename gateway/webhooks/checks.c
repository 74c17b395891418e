/*
 * checks.c
 *		Finds rows whose bytes are not in the store; see checks.h.
 *
 *	IDLE --> TAKING --> LOOKING --> IDLE
 *
 * The database gives out each row once in a round, to any worker, and a round begins a week after
 * the one before.
 */
#include "webhooks/checks.h"

#include <stdlib.h>
#include <string.h>

#include "db/result.h"
#include "db/task.h"
#include "lib/log.h"
#include "media/name.h"
#include "webhooks/housekeeping.h"
#include "webhooks/metrics.h"
#include "webhooks/statements.h"

/* Until the next rows, while there are some. */
#define PAUSE_MS 1000

/* The columns of media_check.sql. */
enum
{
	COLUMN_ORG,
	COLUMN_DIGEST,
	COLUMN_SIZE
};

typedef struct Check
{
	Checks *checks;
	MediaRead *read; /* NULL: it has ended */
	MediaWanted wanted;
} Check;

struct Checks
{
	const MediaStore *store;
	Metrics *metrics;
	int period_ms;
	Check taken[CHECKS_MAX];
	int count;
	int left; /* of them, that have not ended */
	DbTask taking;
};

/* By MediaFound. */
static const char *const results[] = {[MEDIA_FOUND] = "stored",
									  [MEDIA_GONE] = "missing",
									  [MEDIA_DAMAGED] = "damaged",
									  [MEDIA_UNREACHABLE] = "unread"};

#define RESULTS ((int) (sizeof(results) / sizeof(results[0])))

static void
count_end(Check *check, MediaFound found)
{
	char name[MEDIA_NAME_MAX];

	check->checks->left--;
	metrics_add(check->checks->metrics, WORKER_CHECKED, (const char *[]){results[found], NULL}, 1);
	if (found != MEDIA_GONE && found != MEDIA_DAMAGED)
		return;
	media_write_name(check->wanted.org, check->wanted.digest, name);
	log_line(LOG_LEVEL_ERROR, "media_missing", log_text("file", name),
			 log_text("result", results[found]));
}

static void
go_on(Checks *checks)
{
	int ms = checks->count > 0 ? PAUSE_MS : housekeeping_jittered(checks->period_ms);

	db_task_in(&checks->taking, ms);
}

static void
on_opened(void *context, MediaFound found)
{
	Check *check = context;

	media_read_end(check->read);
	check->read = NULL;
	count_end(check, found);
	if (check->checks->left == 0)
		go_on(check->checks);
}

static bool
read_row(const DbResult *result, int row, MediaWanted *wanted)
{
	DbCell digest = db_cell(result, row, COLUMN_DIGEST);
	int64_t size;

	if (digest.bytes == NULL || digest.len != MEDIA_DIGEST_SIZE ||
		!db_int(result, row, COLUMN_SIZE, &size) || size <= 0)
		return false;
	memcpy(wanted->digest, digest.bytes, MEDIA_DIGEST_SIZE);
	wanted->size = (uint64_t) size;
	return db_uuid(result, row, COLUMN_ORG, wanted->org);
}

static void
begin(Checks *checks, const DbResult *result)
{
	static const MediaReadEvents events = {.opened = on_opened};

	checks->count = result->rows < CHECKS_MAX ? result->rows : CHECKS_MAX;
	checks->left = checks->count;
	for (int i = 0; i < checks->count; i++)
	{
		Check *check = &checks->taken[i];

		*check = (Check){.checks = checks};
		if (read_row(result, i, &check->wanted))
			check->read = media_store_read(checks->store, &check->wanted, &events, check);
		if (check->read == NULL)
			count_end(check, MEDIA_UNREACHABLE);
	}
}

static void
take_rows(void *context, const DbResult *result)
{
	Checks *checks = context;

	checks->count = 0;
	if (result != NULL && result->outcome == DB_ROWS)
		begin(checks, result);
	else if (result != NULL)
		statements_log_failure(&worker_statements, WORKER_MEDIA_CHECK, result);
	if (checks->left == 0)
		go_on(checks);
}

static DbRequest *
make_taking(void *context, DbDone done, void *arg)
{
	(void) context;
	return statements_request(&worker_statements, WORKER_MEDIA_CHECK, NULL, done, arg, "i",
							  CHECKS_MAX);
}

Checks *
checks_start(struct event_base *base, Db *db, const MediaStore *store, Metrics *metrics,
			 int period_ms)
{
	Checks *checks = calloc(1, sizeof(*checks));

	if (checks == NULL)
		return NULL;
	checks->store = store;
	checks->metrics = metrics;
	checks->period_ms = period_ms;
	if (!db_task_open(&checks->taking, base, db, make_taking, take_rows, checks))
	{
		checks_stop(checks);
		return NULL;
	}
	for (int i = 0; i < RESULTS; i++)
		metrics_add(metrics, WORKER_CHECKED, (const char *[]){results[i], NULL}, 0);
	db_task_in(&checks->taking, housekeeping_jittered(period_ms));
	return checks;
}

void
checks_stop(Checks *checks)
{
	if (checks == NULL)
		return;
	db_task_close(&checks->taking);
	for (int i = 0; i < checks->count; i++)
		if (checks->taken[i].read != NULL)
			media_read_end(checks->taken[i].read);
	free(checks);
}
