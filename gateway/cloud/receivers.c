/*
 * receivers.c
 *		The sessions that a notification may be for; see receivers.h.
 */
#include "cloud/receivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/log_bound.h"
#include "db/result.h"
#include "lib/log.h"
#include "src/common/memory.h"

/* The columns of receivers.sql. */
enum
{
	COLUMN_ORG,
	COLUMN_SESSION,
	COLUMN_NUMBER,
	COLUMN_ACCOUNT,
	COLUMN_KEY,
	COLUMN_SEALED,
	COLUMN_HAS_NUMBER
};

/* The secrets that were tried, and whether the body is signed with them. */
typedef struct Tried
{
	char secrets[RECEIVERS_SECRETS_MAX][CLOUD_SECRET_MAX + 1];
	bool made[RECEIVERS_SECRETS_MAX];
	int count;
} Tried;

/* Whether the body is signed with this secret; each is tried once. */
static bool
is_signed_with(Tried *tried, const char *secret, const SignedBody *body)
{
	for (int i = 0; i < tried->count; i++)
		if (strcmp(tried->secrets[i], secret) == 0)
			return tried->made[i];
	if (tried->count == RECEIVERS_SECRETS_MAX)
		return false;
	snprintf(tried->secrets[tried->count], sizeof(tried->secrets[0]), "%s", secret);
	tried->made[tried->count] = signature_is_of(body->signature, secret, body->bytes, body->len);
	return tried->made[tried->count++];
}

static void
log_unopened(const ConnectorId *org, const char *problem)
{
	static LogBound bound; /* of the process */
	int64_t left_out;

	if (log_bound_take(&bound, &left_out))
		log_line(LOG_LEVEL_WARNING, "receiver_without_credentials", log_text("org", org->text),
				 log_text("reason", problem), log_int("left_out", left_out));
}

/* Opens the credentials of a row.  False: they cannot be opened, which is logged. */
static bool
open_credentials(const DbResult *result, int row, const CloudKeys *keys, const ConnectorId *org,
				 CloudCredentials *credentials)
{
	DbCell sealed = db_cell(result, row, COLUMN_SEALED);
	const char *problem =
		cloud_credentials_open(keys, org->bytes, sealed.bytes, sealed.len, credentials);

	if (problem != NULL)
		log_unopened(org, problem);
	return problem == NULL;
}

/* What the database says of the number has to be what the organization has sealed. */
static bool
read_row(const DbResult *result, int row, const CloudKeys *keys, Receiver *receiver,
		 CloudCredentials *credentials)
{
	return connector_read_id(result, row, COLUMN_ORG, &receiver->org) &&
		   connector_read_id(result, row, COLUMN_SESSION, &receiver->session) &&
		   db_text_copy(result, row, COLUMN_NUMBER, receiver->number, sizeof(receiver->number)) &&
		   db_text_copy(result, row, COLUMN_ACCOUNT, receiver->account,
						sizeof(receiver->account)) &&
		   db_bool(result, row, COLUMN_HAS_NUMBER, &receiver->has_number) &&
		   open_credentials(result, row, keys, &receiver->org, credentials) &&
		   strcmp(credentials->phone_number_id, receiver->number) == 0;
}

bool
receivers_read(Receivers *receivers, const DbResult *result, const CloudKeys *keys,
			   const SignedBody *body)
{
	CloudCredentials credentials;
	Tried tried = {.count = 0};

	receivers->list = calloc((size_t) result->rows + 1, sizeof(*receivers->list));
	if (receivers->list == NULL)
		return false;
	for (int row = 0; row < result->rows; row++)
	{
		Receiver *receiver = &receivers->list[receivers->count];

		if (read_row(result, row, keys, receiver, &credentials))
		{
			receiver->trusts = is_signed_with(&tried, credentials.app_secret, body);
			receivers->count++;
		}
	}
	cloud_credentials_wipe(&credentials);
	wak_wipe(&tried, sizeof(tried));
	return true;
}

void
receivers_free(Receivers *receivers)
{
	free(receivers->list);
	*receivers = (Receivers){.list = NULL};
}

bool
receivers_trust(const Receivers *receivers)
{
	for (int i = 0; i < receivers->count; i++)
		if (receivers->list[i].trusts)
			return true;
	return false;
}

/* How much a session has to do with its number. */
static int
rank(const Receiver *receiver)
{
	return receiver->has_number ? 2 : receiver->trusts ? 1 : 0;
}

const Receiver *
receivers_find(const Receivers *receivers, const char *number)
{
	const Receiver *found = NULL;

	for (int i = 0; i < receivers->count; i++)
	{
		const Receiver *receiver = &receivers->list[i];

		if (strcmp(receiver->number, number) == 0 &&
			(found == NULL || rank(receiver) > rank(found)))
			found = receiver;
	}
	return found;
}

bool
receivers_have_token(const DbResult *result, const CloudKeys *keys, const char *token, size_t len)
{
	CloudCredentials credentials;
	bool found = false;

	for (int row = 0; row < result->rows; row++)
	{
		Receiver receiver;

		if (read_row(result, row, keys, &receiver, &credentials) &&
			strlen(credentials.verify_token) == len)
			found |= wak_equal(credentials.verify_token, token, len);
	}
	cloud_credentials_wipe(&credentials);
	return found && len > 0;
}
