/*
 * sandbox.h
 *		What all parts of the sandbox share: statements, names and delays.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "client/download.h"
#include "connector/outbox.h"

#define SANDBOX_ROLE "connector"
#define SANDBOX_CONNECTOR "sandbox" /* the kind of connector, as sessions name it */

#define SANDBOX_IN_FLIGHT 32 /* the most requests in the pipeline */
#define SANDBOX_RETRY_MS OUTBOX_RETRY_MS
#define SANDBOX_ATTEMPTS_MAX 20 /* of one report, before it is given up */

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
	int reports_max;          /* in one statement, at most OUTBOX_REPORTS_MAX */
	struct MediaStore *media; /* NULL: files are neither sent nor fetched */
	DownloadSetup downloads;  /* with a store: for files that a sender has given the URL of */
} Sandbox;

/* The outcome of one of these statements; see connector_outcome(). */
#define sandbox_outcome(statement, result) \
	connector_outcome(&sandbox_statements, (int) (statement), (result))

/* Makes a request with one of these statements; see statements_request(). */
#define sandbox_request(statement, ...) \
	statements_request(&sandbox_statements, (int) (statement), __VA_ARGS__)

#endif
