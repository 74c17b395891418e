/*
 * outbox.h
 *		Sends the reports of a connector to the database, many in one statement.
 *
 *	IDLE ──report_in()──▶ LATER ──it is due──▶ WAITING ──▶ SENT ──take()──▶ IDLE
 *
 * A statement is for one organization, and each organization has at most one statement on its
 * way.  Reports that are due meanwhile wait, and leave together in the next statement.  So none
 * waits for a clock: a report that comes alone leaves at once, and the more there is to report,
 * the more goes into one statement.  Of the reports of an organization that are due, the one
 * whose time was set first leaves first.
 *
 * When the connection is lost, take() is told so for every report that was SENT.
 */
#ifndef CONNECTOR_OUTBOX_H
#define CONNECTOR_OUTBOX_H

#include <sys/queue.h>

#include "connector/id.h"
#include "lib/json_write.h"
#include "lib/timer.h"
#include "program/statements.h"

#define OUTBOX_RETRY_MS 200    /* before a report that could not be made is repeated */
#define OUTBOX_REPORTS_MAX 100 /* in one statement; other organizations wait for its end */

typedef struct Outbox Outbox;
typedef struct ReportList ReportList;

typedef enum ReportState
{
	REPORT_IDLE,
	REPORT_LATER,   /* its time has not come */
	REPORT_WAITING, /* in the list of its organization */
	REPORT_SENT     /* in the statement of its organization */
} ReportState;

/* The outcome of a report. */
typedef enum ReportOutcome
{
	REPORT_DONE,
	REPORT_STALE,   /* the database returned false: there is nothing of ours to change */
	REPORT_REFUSED, /* an error that would occur again; logged */
	REPORT_AGAIN,   /* an error that may pass; the report can be repeated; logged */
	REPORT_UNSENT   /* it could not be sent; it can be repeated */
} ReportOutcome;

/* Writes the members of the report (wa.connector_report()) into an object. */
typedef void (*ReportWrite)(void *context, JsonWriter *json);

/* Called once for each report that was sent.  It may set the next time, and close any report. */
typedef void (*ReportTake)(void *context, ReportOutcome outcome);

typedef struct Report
{
	Outbox *outbox;
	const ConnectorId *org;
	ReportWrite write;
	ReportTake take;
	void *context;

	ReportState state;
	uint64_t order;           /* LATER, WAITING: of those that are due at the same time */
	Timer due;                /* LATER */
	ReportList *list;         /* WAITING, SENT */
	TAILQ_ENTRY(Report) link; /* WAITING */
	int place;                /* SENT */
} Report;

/* Everything is borrowed until outbox_free(). */
typedef struct OutboxSetup
{
	struct event_base *base;
	Db *db;
	const ProgramStatements *statements;
	int report;      /* of these, the one that reports (report.sql) */
	int reports_max; /* in one statement, at most OUTBOX_REPORTS_MAX */
} OutboxSetup;

/* The setup is copied.  NULL: out of memory. */
extern Outbox *outbox_open(const OutboxSetup *setup);

/* Ends all; every report must have been closed.  The argument may be NULL. */
extern void outbox_free(Outbox *outbox);

/*
 * Makes a report about the organization, which is IDLE.  org is borrowed.  The report's address
 * must not change until report_close().  False: out of memory.
 */
extern bool report_open(Report *report, Outbox *outbox, const ConnectorId *org, ReportWrite write,
						ReportTake take, void *context);

/*
 * Sends the report in ms milliseconds; replaces a time that was set before.  A report that is
 * WAITING or SENT stays so.
 */
extern void report_in(Report *report, int ms);

/* Ends the report without calling take().  A zeroed report may be closed. */
extern void report_close(Report *report);

/*
 * The outcome of a statement that returns a boolean.  result is NULL when it could not be sent.
 */
extern ReportOutcome
connector_outcome(const ProgramStatements *statements, int statement, const DbResult *result);

/* Members of a report.  A NULL text and an empty one are different: NULL is left out. */
extern void report_text(JsonWriter *json, const char *name, const char *text);
extern void report_time(JsonWriter *json, const char *name, int64_t epoch_ms);

#endif
