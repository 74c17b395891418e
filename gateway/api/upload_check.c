/*
 * upload_check.c
 *		Asks whether the credential of an upload is still valid; see upload_check.h.
 *
 * The question is wa.credential_org(), which counts no request of the key.  If the database does
 * not answer, the upload goes on, and its row is not written without the database either.
 */
#include "api/upload_check.h"

#include "db/result.h"
#include "lib/clock.h"

void
upload_check_start(UploadCheck *check, Call *call, void (*refused)(Call *call))
{
	*check = (UploadCheck){
		.call = call,
		.refused = refused,
		.due = clock_monotonic_ms() + UPLOAD_CHECK_MS,
	};
}

static void
on_answer(void *arg, const DbResult *result)
{
	UploadCheck *check = arg;
	uint8_t org[DB_UUID_SIZE];

	check->db = NULL;
	if (result->outcome == DB_ROWS && !db_uuid(result, 0, db_column(result, "org", 0), org))
		check->refused(check->call);
}

static void
ask(UploadCheck *check)
{
	const Call *call = check->call;
	DbRequest *request = db_request_new(call->api->credential_org, DB_LANE_FAST,
										call->api->timeout_ms, on_answer, check);
	char room[HTTP_CLIENT_MAX];
	HttpText client = http_request_client(call->http, room);

	if (request == NULL)
		return;
	db_request_address(request, client.data, client.len);
	if (!db_param_text(request, call->credential.text, call->credential.len))
		db_request_free(request);
	else if (db_submit(call->api->db, request))
		check->db = request;
}

void
upload_check_tick(UploadCheck *check)
{
	int64_t now = clock_monotonic_ms();

	if (check->db != NULL || now < check->due)
		return;
	check->due = now + UPLOAD_CHECK_MS;
	ask(check);
}

void
upload_check_stop(UploadCheck *check)
{
	if (check->db != NULL)
		db_abandon(check->db);
	check->db = NULL;
	check->due = INT64_MAX;
}
