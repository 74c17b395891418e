/*
 * upgrade.c
 *		GET /api/v1/realtime: requests for a WebSocket.
 *
 * The credential is found here, by the rules of the API and their one exception, the
 * ticket.  Then the realtime code takes the request over.
 */
#include "api/call.h"
#include "http/websocket.h"

void
api_set_realtime(Api *api, ApiRealtime take, void *context)
{
	api->realtime = take;
	api->realtime_context = context;
}

/*
 * A request that does not ask for a WebSocket is refused before its credential is looked
 * at: no credential would change the answer.
 */
static void
answer_realtime(HttpRequest *request, void *context)
{
	const Api *api = context;
	CredentialResult result;
	Credential credential;

	if (!websocket_check(request))
		return;
	result = credential_find_ticket(request, &credential);
	if (result != CREDENTIAL_OK)
	{
		call_turn_away(request, realtime_endpoints, result);
	}
	else if (api->realtime == NULL)
	{
		http_respond_error(request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
	}
	else
	{
		api->realtime(api->realtime_context, request, credential.text, credential.len,
					  credential.kind == WAK_TICKET);
	}
}

const Endpoint realtime_endpoints[] = {
	{.method = HTTP_METHOD_GET,
	 .pattern = "/api/v1/realtime",
	 .needs = "events",
	 .open = answer_realtime},
	{.pattern = NULL},
};
