/*
 * sandbox.h
 *		What all parts of the sandbox share: statements, names and delays.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "client/download.h"
#include "program/statements.h"

#define SANDBOX_ROLE "connector"
#define SANDBOX_CONNECTOR "sandbox" /* the kind of connector, as sessions name it */

#define SANDBOX_IN_FLIGHT 32    /* the most requests in the pipeline */
#define SANDBOX_RETRY_MS 200    /* before a report that could not be made is repeated */
#define SANDBOX_ATTEMPTS_MAX 20 /* of one report, before it is given up */
#define SANDBOX_REPORTS_MAX 100 /* in one statement; other organizations wait for its end */

typedef enum SandboxStatement
{
	SANDBOX_SESSIONS,
	SANDBOX_RELEASE,
	SANDBOX_CLAIM,
	SANDBOX_SESSION,
	SANDBOX_ACTIONS,
	SANDBOX_REPORT,
	SANDBOX_MEDIA,
	SANDBOX_MEDIA_STORED,
	SANDBOX_MEDIA_FAILED,
	SANDBOX_STATEMENT_COUNT
} SandboxStatement;

extern ProgramStatements sandbox_statements;

/* Borrowed by all parts. */
typedef struct Sandbox
{
	struct event_base *base;
	Db *db;
	const char *owner; /* who holds the leases */
	int step_ms;       /* between two states */
	int lease_ms;
	int reports_max;          /* in one statement, at most SANDBOX_REPORTS_MAX */
	struct MediaStore *media; /* NULL: files are neither sent nor fetched */
	DownloadSetup downloads;  /* with a store: for files that a sender has given the URL of */
} Sandbox;

/* The outcome of a report. */
typedef enum ReportOutcome
{
	REPORT_DONE,
	REPORT_STALE,   /* the database returned false: there is nothing of ours to change */
	REPORT_REFUSED, /* an error that would occur again; logged */
	REPORT_AGAIN,   /* an error that may pass; the report can be repeated; logged */
	REPORT_UNSENT   /* it could not be sent; it can be repeated */
} ReportOutcome;

/* result is NULL when the report could not be sent. */
extern ReportOutcome sandbox_outcome(SandboxStatement statement, const DbResult *result);

/* Makes a request with one of these statements; see statements_request(). */
#define sandbox_request(statement, ...) \
	statements_request(&sandbox_statements, (int) (statement), __VA_ARGS__)

#endif
