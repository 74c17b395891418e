/*
 * sqlstate.c
 *		The table from SQLSTATE to HTTP.  docs/errors.md shows the same table.
 */
#include "api/sqlstate.h"

#include <string.h>

#include "api/rate.h"

typedef struct StateRow
{
	const char *state; /* the five characters of a state, or the first ones of several */
	HttpErrorKind error;
} StateRow;

/* The first row whose characters the state begins with is used. */
static const StateRow states[] = {
	{"28000", HTTP_ERROR_UNAUTHORIZED}, /* no valid credential; see below */
	{"42501", HTTP_ERROR_FORBIDDEN},    /* the permission or the rank is missing; see below */
	{"P0002", HTTP_ERROR_NOT_FOUND},    /* it does not exist in this organization */
	{"55000", HTTP_ERROR_CONFLICT},     /* not possible in the current state */
	{"23505", HTTP_ERROR_CONFLICT},     /* it exists already */
	{"WA001", HTTP_ERROR_GONE},         /* an event that is no longer kept */
	{"22023", HTTP_ERROR_VALIDATION},   /* a value that our functions refuse */
	{"57014", HTTP_ERROR_TIMEOUT},      /* statement_timeout, or our cancel */
	{"40001", HTTP_ERROR_UNAVAILABLE},  /* serialization failure */
	{"40P01", HTTP_ERROR_UNAVAILABLE},  /* deadlock */
	{"55P03", HTTP_ERROR_UNAVAILABLE},  /* lock_timeout */
	{"25P03", HTTP_ERROR_UNAVAILABLE},  /* idle_in_transaction_session_timeout */
	{"25P04", HTTP_ERROR_UNAVAILABLE},  /* transaction_timeout, or a limit of a sealed session */
	{"25006", HTTP_ERROR_UNAVAILABLE},  /* a standby, or set to read only */
	{"57P0", HTTP_ERROR_UNAVAILABLE},   /* the server is shutting down, or starting */
	{"53400", HTTP_ERROR_RATE_LIMITED}, /* one of our limits; see below */
	{"53", HTTP_ERROR_UNAVAILABLE},     /* out of connections, memory, disk */
	{"08", HTTP_ERROR_UNAVAILABLE},     /* connection */
};

static const char *const permissions[] = {"read", "send", "manage", "events"};

static bool
names_permission(const char *constraint)
{
	for (size_t i = 0; i < sizeof(permissions) / sizeof(permissions[0]); i++)
		if (strcmp(constraint, permissions[i]) == 0)
			return true;
	return false;
}

/* The only invalid credential whose owner is told what is wrong with it. */
static bool
is_elsewhere(const DbResult *result)
{
	return strcmp(result->sqlstate, "28000") == 0 && strcmp(result->constraint, "address") == 0;
}

/* Requirements other than a permission, as the field "constraint name" of the error has them. */
static const struct
{
	const char *constraint;
	const char *text;
} ranks[] = {
	{"address", "this key cannot be used from this address"},
	{"person", "only a person can do this, with a user token"},
	{"owner", "only an owner can do this"},
	{"sessions", "this API key is restricted to some sessions"},
};

const char *
sqlstate_forbidden_text(const DbResult *result)
{
	for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
		if (strcmp(result->constraint, ranks[i].constraint) == 0)
			return ranks[i].text;
	return NULL;
}

/* Our own limits.  PostgreSQL uses the same state for its own, such as temp_file_limit. */
static bool
names_limit(const char *constraint)
{
	return strncmp(constraint, "rate_per_", 9) == 0 || strncmp(constraint, "sign_in_", 8) == 0 ||
		   strcmp(constraint, "tickets") == 0 || strcmp(constraint, "queued_messages") == 0 ||
		   strcmp(constraint, "webhook_tests") == 0 || strcmp(constraint, "key_rate") == 0;
}

/* Limits on how much an organization may have.  Waiting does not help with these. */
static bool
names_organization_limit(const char *constraint)
{
	static const char *const limits[] = {"sessions", "webhooks", "keys", "members"};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (strcmp(constraint, limits[i]) == 0)
			return true;
	return false;
}

static HttpErrorKind
find_state(const char *state)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
			return states[i].error;
	return HTTP_ERROR_INTERNAL;
}

const char *
sqlstate_restriction(const DbResult *result)
{
	if (result->outcome != DB_REFUSED)
		return NULL;
	return is_elsewhere(result) ? "address" : rate_is_over(result) ? "rate" : NULL;
}

HttpErrorKind
sqlstate_error(const DbResult *result)
{
	HttpErrorKind error;

	switch (result->outcome)
	{
		case DB_TIMED_OUT:
			return HTTP_ERROR_TIMEOUT;
		case DB_UNAVAILABLE:
		case DB_LOST:
			return HTTP_ERROR_UNAVAILABLE;
		case DB_CROWDED:
			return HTTP_ERROR_RATE_LIMITED;
		case DB_ROWS:
		case DB_REFUSED:
			break;
	}
	error = is_elsewhere(result) ? HTTP_ERROR_FORBIDDEN : find_state(result->sqlstate);
	if (error == HTTP_ERROR_FORBIDDEN && !names_permission(result->constraint) &&
		sqlstate_forbidden_text(result) == NULL)
		error = HTTP_ERROR_INTERNAL;
	if (error == HTTP_ERROR_RATE_LIMITED && strcmp(result->constraint, "media_mebibytes") == 0)
		error = HTTP_ERROR_QUOTA;
	else if (error == HTTP_ERROR_RATE_LIMITED && names_organization_limit(result->constraint))
		error = HTTP_ERROR_CONFLICT;
	else if (error == HTTP_ERROR_RATE_LIMITED && !names_limit(result->constraint))
		error = HTTP_ERROR_UNAVAILABLE;
	return error;
}
