/*
 * sandbox.h
 *		What all of the sandbox shares: its statements, its name, its pace.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "program/statements.h"

#define SANDBOX_ROLE "connector"
#define SANDBOX_CONNECTOR "sandbox" /* the kind of connector, as sessions name it */

#define SANDBOX_IN_FLIGHT 32    /* requests in the pipeline at once */
#define SANDBOX_RETRY_MS 200    /* before a report that could not be made is made again */
#define SANDBOX_ATTEMPTS_MAX 20 /* of one report, before it is given up */

typedef enum SandboxStatement
{
	SANDBOX_SESSIONS,
	SANDBOX_RELEASE,
	SANDBOX_CLAIM,
	SANDBOX_SESSION,
	SANDBOX_SENT,
	SANDBOX_FAILED,
	SANDBOX_STATUS,
	SANDBOX_RECEIVE,
	SANDBOX_CHANGE,
	SANDBOX_ACTIONS,
	SANDBOX_ACTION_DONE,
	SANDBOX_ACTION_FAILED,
	SANDBOX_STATEMENT_COUNT
} SandboxStatement;

extern ProgramStatements sandbox_statements;

/* Borrowed by all that work. */
typedef struct Sandbox
{
	struct event_base *base;
	Db *db;
	const char *owner; /* who holds the leases */
	int step_ms;       /* between two states */
	int lease_ms;
} Sandbox;

/* What has become of a report. */
typedef enum ReportOutcome
{
	REPORT_DONE,
	REPORT_STALE,   /* the database said false: nothing of ours to change */
	REPORT_REFUSED, /* an error that will come again; logged */
	REPORT_AGAIN    /* done or not, it may be made again: an error that may pass; logged */
} ReportOutcome;

/* result is NULL when the report could not be made. */
extern ReportOutcome sandbox_outcome(SandboxStatement statement, const DbResult *result);

/* A request of one of these; see statements_request(). */
#define sandbox_request(statement, ...) \
	statements_request(&sandbox_statements, (int) (statement), __VA_ARGS__)

#endif
