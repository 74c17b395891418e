/*
 * credential_check.c
 *		Asks whether a credential may still be used; see credential_check.h.
 *
 * The question is wa.credential_reaches(), which counts no request of the key.  If the database does
 * not answer, the file goes on; the row of an upload is not written without the database either.
 */
#include "api/credential_check.h"

#include <stdlib.h>
#include <string.h>

#include "src/common/memory.h"
#include "src/common/typeid.h"
#include "db/result.h"

static void
on_answer(void *arg, const DbResult *result)
{
	CredentialCheck *check = arg;
	bool reaches = true;

	check->db = NULL;
	if (result->outcome == DB_ROWS)
		db_bool(result, 0, db_column(result, "reaches", 0), &reaches);
	if (!reaches)
		check->refused(check->context);
}

static bool
add_question(DbRequest *request, const CredentialCheck *check)
{
	return db_param_text(request, check->credential, check->len) &&
		   db_param_text(request, check->needs, strlen(check->needs)) &&
		   db_param_text(request, check->client, check->client_len) &&
		   (check->in_session ? db_param_uuid(request, check->session) : db_param_null(request));
}

static void
ask(void *context)
{
	CredentialCheck *check = context;
	DbRequest *request = check->db != NULL
							 ? NULL
							 : db_request_new(check->api->credential_reaches, DB_LANE_FAST,
											  check->api->timeout_ms, on_answer, check);

	if (request == NULL)
		return;
	db_request_address(request, check->client, check->client_len);
	if (!add_question(request, check))
		db_request_free(request);
	else if (db_submit(check->api->db, request))
		check->db = request;
}

bool
credential_check_start(CredentialCheck *check, const Call *call, void (*refused)(void *context),
					   void *context)
{
	char room[HTTP_CLIENT_MAX];
	HttpText client = http_request_client(call->http, room);
	HttpText session = route_segment(call->route, call->http, "sessionId");

	*check = (CredentialCheck){.api = call->api, .refused = refused, .context = context};
	check->len = call->credential.len;
	check->credential = malloc(check->len);
	if (check->credential != NULL)
		memcpy(check->credential, call->credential.text, check->len);
	check->needs = call->route->endpoint->needs;
	check->in_session = session.data != NULL && wak_typeid_decode(session.data, session.len, "sess",
																  check->session) == WAK_TYPEID_OK;
	check->client_len = client.len < sizeof(check->client) ? client.len : sizeof(check->client);
	memcpy(check->client, client.data, check->client_len);
	if (check->credential != NULL && timer_open(&check->timer, call->api->base, ask, check) &&
		timer_repeat(&check->timer, CREDENTIAL_CHECK_MS))
		return true;
	credential_check_stop(check);
	return false;
}

void
credential_check_stop(CredentialCheck *check)
{
	if (check->db != NULL)
		db_abandon(check->db);
	timer_close(&check->timer);
	if (check->credential != NULL)
		wak_wipe(check->credential, check->len);
	free(check->credential);
	*check = (CredentialCheck){.api = NULL};
}
