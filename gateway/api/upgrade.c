/*
 * upgrade.c
 *		GET /api/v1/realtime: the door to the WebSocket.
 *
 * The credential is found here, by the rules of the API and the one exception from them,
 * the ticket; what becomes of the request is the realtime floor's business.
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
 * What is no request for a socket is told so before anything else: there is nothing that a
 * credential would change about it.
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
