/*
 * outbox.c
 *		Sends the reports of a connector to the database, many in one statement; see outbox.h.
 */
#include "connector/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db/result.h"
#include "db/task.h"
#include "lib/log.h"

/*
 * No report is added to a statement that is longer than this.  The longest report, a text of
 * 65536 characters that are all escaped, fits into the rest.
 */
#define LENGTH_MAX (DB_PARAM_BYTES_MAX / 2)

/* The columns of report.sql. */
enum
{
	COLUMN_CHANGED,
	COLUMN_MESSAGE,
	COLUMN_ERROR_CODE,
	COLUMN_ERROR
};

/* The reports of an organization.  It exists as long as there are any. */
struct ReportList
{
	TAILQ_ENTRY(ReportList) link;
	Outbox *outbox;
	ConnectorId org;
	TAILQ_HEAD(Waiting, Report) waiting;
	Report *sent[OUTBOX_REPORTS_MAX]; /* NULL: it was dropped */
	int sent_count;
	DbTask task;
};

struct Outbox
{
	OutboxSetup setup;
	uint64_t last_order;
	TAILQ_HEAD(, ReportList) lists;
};

/* ---- lists ---- */

static ReportList *
find_list(const Outbox *outbox, const ConnectorId *org)
{
	ReportList *list;

	TAILQ_FOREACH(list, &outbox->lists, link)
	{
		if (memcmp(list->org.bytes, org->bytes, DB_UUID_SIZE) == 0)
			return list;
	}
	return NULL;
}

static void
free_list(ReportList *list)
{
	TAILQ_REMOVE(&list->outbox->lists, list, link);
	db_task_close(&list->task);
	free(list);
}

static void
free_if_empty(ReportList *list)
{
	if (TAILQ_EMPTY(&list->waiting) && list->sent_count == 0)
		free_list(list);
}

/* ---- the statement of an organization ---- */

static void
write_report(ReportList *list, Report *report, JsonWriter *json)
{
	TAILQ_REMOVE(&list->waiting, report, link);
	report->state = REPORT_SENT;
	report->place = list->sent_count;
	list->sent[list->sent_count++] = report;
	json_write_object_begin(json);
	report->write(report->context, json);
	json_write_object_end(json);
}

static DbRequest *
make_statement(void *context, DbDone done, void *arg)
{
	ReportList *list = context;
	const OutboxSetup *setup = &list->outbox->setup;
	DbRequest *request = NULL;
	JsonWriter json;
	Buffer text;

	buffer_init(&text, DB_PARAM_BYTES_MAX);
	json_write_init(&json, &text);
	json_write_array_begin(&json);
	while (!TAILQ_EMPTY(&list->waiting) && list->sent_count < setup->reports_max &&
		   text.len <= LENGTH_MAX)
		write_report(list, TAILQ_FIRST(&list->waiting), &json);
	json_write_array_end(&json);
	if (json_write_done(&json))
		request = statements_request(setup->statements, setup->report, list->org.bytes, done, arg,
									 "s", text.data);
	buffer_free(&text);
	return request;
}

/* What the database has answered about one report. */
static ReportOutcome
read_outcome(const ReportList *list, const DbResult *result, int row)
{
	char sqlstate[6] = "";
	char message[200] = "";
	bool changed;

	if (db_bool(result, row, COLUMN_CHANGED, &changed))
		return changed ? REPORT_DONE : REPORT_STALE;
	db_text_copy(result, row, COLUMN_ERROR_CODE, sqlstate, sizeof(sqlstate));
	db_text_copy(result, row, COLUMN_ERROR, message, sizeof(message));
	log_line(LOG_LEVEL_WARNING, "report_refused", log_text("org", list->org.text),
			 log_text("sqlstate", sqlstate), log_text("message", message));
	return REPORT_REFUSED;
}

static void
take_answer(void *context, const DbResult *result)
{
	ReportList *list = context;
	const OutboxSetup *setup = &list->outbox->setup;
	bool answered = result != NULL && result->outcome == DB_ROWS;
	ReportOutcome of_all =
		answered ? REPORT_DONE : connector_outcome(setup->statements, setup->report, result);

	for (int i = 0; i < list->sent_count; i++)
	{
		Report *report = list->sent[i];

		if (report == NULL)
			continue;
		list->sent[i] = NULL;
		report->state = REPORT_IDLE;
		report->take(report->context, answered ? read_outcome(list, result, i) : of_all);
	}
	list->sent_count = 0;
	if (!TAILQ_EMPTY(&list->waiting))
		db_task_in(&list->task, 0);
	free_if_empty(list);
}

static ReportList *
add_list(Outbox *outbox, const ConnectorId *org)
{
	const OutboxSetup *setup = &outbox->setup;
	ReportList *list = calloc(1, sizeof(*list));

	if (list == NULL)
		return NULL;
	list->outbox = outbox;
	list->org = *org;
	TAILQ_INIT(&list->waiting);
	if (!db_task_open(&list->task, setup->base, setup->db, make_statement, take_answer, list))
	{
		free(list);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&outbox->lists, list, link);
	return list;
}

/* ---- a report ---- */

/* Timers of the same time are due in any order. */
static void
insert(ReportList *list, Report *report)
{
	Report *before = TAILQ_LAST(&list->waiting, Waiting);

	while (before != NULL && before->order > report->order)
		before = TAILQ_PREV(before, Waiting, link);
	if (before == NULL)
		TAILQ_INSERT_HEAD(&list->waiting, report, link);
	else
		TAILQ_INSERT_AFTER(&list->waiting, before, report, link);
}

static void
on_due(void *context)
{
	Report *report = context;
	ReportList *list = find_list(report->outbox, report->org);

	if (list == NULL)
		list = add_list(report->outbox, report->org);
	if (list == NULL)
	{
		timer_start(&report->due, OUTBOX_RETRY_MS);
		return;
	}
	report->state = REPORT_WAITING;
	report->list = list;
	insert(list, report);
	/* in the next turn of the loop, so that those that are due in this one leave together */
	if (list->sent_count == 0)
		db_task_in(&list->task, 0);
}

bool
report_open(Report *report, Outbox *outbox, const ConnectorId *org, ReportWrite write,
			ReportTake take, void *context)
{
	*report =
		(Report){.outbox = outbox, .org = org, .write = write, .take = take, .context = context};
	return timer_open(&report->due, outbox->setup.base, on_due, report);
}

void
report_in(Report *report, int ms)
{
	if (report->state == REPORT_WAITING || report->state == REPORT_SENT)
		return;
	report->state = REPORT_LATER;
	report->order = ++report->outbox->last_order;
	timer_start(&report->due, ms);
}

void
report_close(Report *report)
{
	ReportList *list = report->list;

	timer_close(&report->due);
	if (report->state == REPORT_SENT)
		list->sent[report->place] = NULL;
	else if (report->state == REPORT_WAITING)
	{
		TAILQ_REMOVE(&list->waiting, report, link);
		free_if_empty(list);
	}
	report->state = REPORT_IDLE;
}

/* ---- all reports ---- */

Outbox *
outbox_open(const OutboxSetup *setup)
{
	Outbox *outbox = calloc(1, sizeof(*outbox));

	if (outbox == NULL)
		return NULL;
	outbox->setup = *setup;
	TAILQ_INIT(&outbox->lists);
	return outbox;
}

/* What is left are statements whose reports are closed. */
void
outbox_free(Outbox *outbox)
{
	if (outbox == NULL)
		return;
	while (!TAILQ_EMPTY(&outbox->lists))
		free_list(TAILQ_FIRST(&outbox->lists));
	free(outbox);
}

ReportOutcome
connector_outcome(const ProgramStatements *statements, int statement, const DbResult *result)
{
	bool changed;

	if (result == NULL)
		return REPORT_UNSENT;
	if (result->outcome == DB_ROWS)
		return db_bool(result, 0, 0, &changed) && !changed ? REPORT_STALE : REPORT_DONE;
	statements_log_failure(statements, statement, result);
	return result->outcome == DB_REFUSED && !db_may_pass(result->sqlstate) ? REPORT_REFUSED
																		   : REPORT_AGAIN;
}

/* ---- members of a report ---- */

void
report_text(JsonWriter *json, const char *name, const char *text)
{
	if (text == NULL)
		return;
	json_write_name(json, name);
	json_write_text(json, text);
}

void
report_time(JsonWriter *json, const char *name, int64_t epoch_ms)
{
	time_t second = epoch_ms / 1000;
	struct tm parts;
	char date[32];
	char text[48];

	gmtime_r(&second, &parts);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text, sizeof(text), "%s.%03dZ", date, (int) (epoch_ms % 1000));
	report_text(json, name, text);
}
