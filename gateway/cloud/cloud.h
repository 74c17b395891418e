/*
 * cloud.h
 *		What all parts of wa-cloud share: statements, names and settings.
 */
#ifndef CLOUD_CLOUD_H
#define CLOUD_CLOUD_H

#include "cloud/credentials.h"
#include "cloud/graph.h"
#include "connector/outbox.h"
#include "program/statements.h"
#include "src/common/token_bucket.h"

#define CLOUD_ROLE "connector"
#define CLOUD_CONNECTOR "cloud" /* the kind of connector, as sessions name it */

#define CLOUD_IN_FLIGHT 32 /* the most requests in the pipeline */

typedef enum CloudStatement
{
	CLOUD_SESSIONS,
	CLOUD_CREDENTIALS,
	CLOUD_SESSION,
	CLOUD_RELEASE,
	CLOUD_CLAIM,
	CLOUD_ACTIONS,
	CLOUD_RECEIVERS,
	CLOUD_REPORT,
	CLOUD_MEDIA,
	CLOUD_MEDIA_STORED,
	CLOUD_MEDIA_FAILED,
	CLOUD_STATEMENT_COUNT
} CloudStatement;

extern ProgramStatements cloud_statements;

/* Borrowed by all parts. */
typedef struct Cloud
{
	struct event_base *base;
	Db *db;
	const char *owner; /* who holds the leases */
	const CloudKeys *keys;
	GraphSetup graph;
	int poll_ms;         /* between two looks for something to do */
	int lease_ms;        /* of a session */
	int health_ms;       /* between two looks whether a number still works */
	int status_wait_ms;  /* for the status of a message whose outcome is unknown */
	WakRate number_rate; /* of messages of one number */
} Cloud;

/* Makes a request with one of these statements; see statements_request(). */
#define cloud_request(statement, ...) \
	statements_request(&cloud_statements, (int) (statement), __VA_ARGS__)

#endif
