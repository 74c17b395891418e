/*
 * api.c
 *		What happens with every request: route, credential, parameters, statement, answer.
 *
 * A request that is wrong in itself still goes to the database once.  It carries its
 * credential and the permission that its endpoint needs, with a statement that does
 * nothing.  So a caller without a valid credential gets a 401, a caller without the
 * permission a 403, and only a caller who may use the endpoint learns what is wrong with
 * the request.  The same holds for the cookie.  When the endpoint asks for no credential,
 * the refusal is sent at once.
 *
 * A large body is not parsed before the database has said that its sender may use the
 * endpoint.  The same statement that does nothing asks that.  A file is not taken before that
 * (upload.c), one in a JSON body is stored before the endpoint's statement runs (attachment.c),
 * and credentials of a connector are not sealed before that (sealing.c).
 */
#include "api/call.h"

#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/attachment.h"
#include "api/body.h"
#include "api/cookie.h"
#include "api/origin.h"
#include "api/params.h"
#include "api/rate.h"
#include "api/sealing.h"
#include "api/sqlstate.h"
#include "api/upload.h"
#include "src/common/typeid.h"
#include "lib/log.h"

/* The number of details that an error's body has at most. */
#define DETAILS_MAX CALL_PROBLEMS_MAX

const Endpoint *const endpoint_resources[] = {health_endpoints,    openapi_endpoints,
											  document_endpoints,  realtime_endpoints,
											  dashboard_endpoints, NULL};

Api *
api_open(struct event_base *base, Db *db, int timeout_ms)
{
	Api *api = calloc(1, sizeof(*api));

	if (api == NULL)
		return NULL;
	api->base = base;
	api->db = db;
	api->timeout_ms = timeout_ms;
	readiness_init(&api->readiness);
	api->authorized = db_statement_find(API_ROLE, "authorized");
	api->authorized_person = db_statement_find(API_ROLE, "authorized_person");
	api->signed_in = db_statement_find(API_ROLE, "auth_me");
	api->ready = db_statement_find(API_ROLE, "ready");
	api->media_begin = db_statement_find(API_ROLE, "media_begin");
	api->media_create = db_statement_find(API_ROLE, "media_create");
	api->message_file_begin = db_statement_find(API_ROLE, "message_file_begin");
	api->message_file_send = db_statement_find(API_ROLE, "message_file_send");
	api->sealing_key = db_statement_find(API_ROLE, "sealing_key");
	api->credential_reaches = db_statement_find(API_ROLE, "credential_reaches");
	places_init(&api->uploads, UPLOAD_PLACES);
	api->costly = http_peers_create();
	if (api->costly == NULL || api->authorized < 0 || api->authorized_person < 0 ||
		api->signed_in < 0 || api->ready < 0 || api->media_begin < 0 || api->media_create < 0 ||
		api->message_file_begin < 0 || api->message_file_send < 0 || api->credential_reaches < 0 ||
		api->sealing_key < 0 || !routes_make(&api->routes, endpoint_resources))
	{
		api_free(api);
		return NULL;
	}
	return api;
}

void
api_free(Api *api)
{
	if (api != NULL)
	{
		readiness_stop(&api->readiness);
		routes_free(&api->routes);
		if (api->costly != NULL)
			http_peers_free(api->costly);
		free(api);
	}
}

void
api_set_media(Api *api, struct MediaStore *media, uint64_t max)
{
	api->media = media;
	api->media_max = max;
}

static void
answer_error(HttpRequest *request, HttpErrorKind kind)
{
	http_respond_error(request, http_error(kind), NULL, 0, NULL, 0);
}

static void
free_call(Call *call)
{
	share_give_back(call->api->costly, &call->share);
	json_read_free(call->body);
	call_free_upload(call);
	call_free_attachment(call);
	call_free_sealing(call);
	free(call->problems);
	free(call);
}

/* ---- the database's answer ---- */

static void
answer_refusal(const Call *call)
{
	HttpError error = *http_error(call->refusal);
	HttpDetail details[DETAILS_MAX];

	if (call->refusal_message != NULL)
		error.message = call->refusal_message;
	for (int i = 0; i < call->problem_count; i++)
		details[i] = (HttpDetail){.name = call->problems[i].name, .text = call->problems[i].text};
	http_respond_error(call->http, &error, details, (size_t) call->problem_count,
					   call->refusal_header, call->refusal_header != NULL ? 1 : 0);
}

/* Notes whose request it was, for the turns of the connection and for the access log. */
static void
name_principal(const Call *call, const DbResult *result)
{
	char id[WAK_TYPEID_MAX + 1];

	http_request_set_owner(call->http, result->owner);
	if (result->has_principal)
	{
		wak_typeid_encode(call->credential.kind == WAK_USER_TOKEN ? "usr" : "key",
						  result->principal, id);
		http_request_set_key(call->http, id);
	}
}

static void start_call(Call *call);

/* The statement has succeeded, and is not the call's last one. */
static void
continue_call(Call *call, const DbResult *result)
{
	HttpRequest *request = call->http;

	call->asks = false;
	call->db = NULL;
	if (call->attachment != NULL)
		call_take_attachment(call, result, start_call, free_call);
	else if (call->upload != NULL)
		call_take_upload(call, result, start_call, free_call);
	else if (call_take_key(call, result))
		start_call(call);
	else
	{
		free_call(call);
		answer_error(request, HTTP_ERROR_UNAVAILABLE);
	}
}

static void
on_result(void *arg, const DbResult *result)
{
	Call *call = arg;

	name_principal(call, result);
	rate_note(call->http, result);
	if (result->outcome == DB_ROWS && call->asks && !call_was_repeated(call, result))
	{
		continue_call(call, result);
		return;
	}
	if (result->outcome != DB_ROWS)
		call_answer_error(call, result);
	else if (call->refused)
		answer_refusal(call);
	else
		call_answer_rows(call, result);
	free_call(call);
}

/* The client has left.  Answering frees the request; nothing is sent. */
static void
on_gone(HttpRequest *request, void *context)
{
	Call *call = context;

	db_abandon(call->db);
	free_call(call);
	answer_error(request, HTTP_ERROR_UNAVAILABLE);
}

/* ---- the request ---- */

static DbRequest *
make_db_request(Call *call, int statement)
{
	const Endpoint *endpoint = call->route->endpoint;
	DbRequest *request =
		db_request_new(statement, DB_LANE_FAST, call->api->timeout_ms, on_result, call);
	const HttpText *agent = call_agent(call->http);
	char room[HTTP_CLIENT_MAX];
	HttpText client;

	if (request == NULL)
		return NULL;
	client = http_request_client(call->http, room);
	db_request_address(request, client.data, client.len);
	db_request_keeps(request, call->http->body.len);
	if (agent != NULL)
		db_request_agent(request, agent->data, agent->len);
	if (endpoint->door != DOOR_CREDENTIAL ||
		db_request_credential(request, call->credential.text, call->credential.len,
							  endpoint->needs))
		return request;
	db_request_free(request);
	return NULL;
}

/* Makes the request that only finds out whether the caller may use the endpoint. */
static DbRequest *
make_doorkeeper(Call *call)
{
	const Api *api = call->api;
	const Endpoint *endpoint = call->route->endpoint;
	DbRequest *request;

	if (endpoint->door == DOOR_CREDENTIAL)
		return make_db_request(call, endpoint->people ? api->authorized_person : api->authorized);
	request = make_db_request(call, api->signed_in);
	if (request != NULL && !db_param_text(request, call->credential.text, call->credential.len))
	{
		db_request_free(request);
		request = NULL;
	}
	return request;
}

/* Makes the request for the endpoint's statement, or for one that comes before it. */
static bool
make_next_request(Call *call)
{
	if (call_needs_key(call))
	{
		call->db = make_db_request(call, call->api->sealing_key);
		return call->db != NULL && call_ask_key(call);
	}
	if (!call_find_attachment(call))
		return false;
	call->db = make_db_request(call, call_next_statement(call));
	if (call->db == NULL || !call_add_next_params(call))
		return false;
	db_request_set_lane(call->db, call->slow ? DB_LANE_SLOW : call->route->endpoint->lane);
	call->asks = !call->refused && call_has_more_statements(call);
	return true;
}

/*
 * Makes call->db: the endpoint's statement with its parameters, or the statement that does
 * nothing when the call is refused.  Returns false when memory is out.
 */
static bool
prepare_call(Call *call)
{
	if (call->asks && call->upload != NULL)
	{
		call->db = make_db_request(call, call->api->media_begin);
		return call->db != NULL && call_add_begin_upload(call);
	}
	if (call->asks)
	{
		call->db = make_doorkeeper(call);
		return call->db != NULL;
	}
	if ((call->attachment != NULL || call_read_body(call)) && !make_next_request(call))
		return false;
	if (call->refused)
	{
		db_request_free(call->db);
		call->db = call->route->endpoint->door == DOOR_OWN_PAGES ? NULL : make_doorkeeper(call);
	}
	return call->db != NULL || call->refused;
}

/* Whether the call may enter the costly lane.  True for a call that does not run there. */
static bool
has_share(Call *call)
{
	return call->refused || call->route->endpoint->lane != DB_LANE_COSTLY ||
		   share_take(call->api->costly, call->http, &call->share);
}

/* Sends the call's database request, or answers the call when it has none. */
static void
run_call(Call *call)
{
	HttpRequest *request = call->http;

	if (!has_share(call))
	{
		db_request_free(call->db);
		call->db = NULL;
		call_refuse(call, HTTP_ERROR_RATE_LIMITED, "too many attempts at once");
	}
	if (call->db == NULL)
	{
		answer_refusal(call);
		free_call(call);
		return;
	}
	if (!db_submit(call->api->db, call->db))
	{
		free_call(call);
		answer_error(request, HTTP_ERROR_UNAVAILABLE);
		return;
	}
	http_request_on_gone(request, on_gone, call);
}

static void
start_call(Call *call)
{
	HttpRequest *request = call->http;

	if (!prepare_call(call))
	{
		db_request_free(call->db);
		free_call(call);
		answer_error(request, HTTP_ERROR_UNAVAILABLE);
		return;
	}
	run_call(call);
}

static void
make_call(Api *api, HttpRequest *request, const Route *route, const Credential *credential)
{
	Call *call = calloc(1, sizeof(*call));

	if (call == NULL)
	{
		answer_error(request, HTTP_ERROR_UNAVAILABLE);
		return;
	}
	call->api = api;
	call->http = request;
	call->route = route;
	call->credential = *credential;
	call->asks = request->body.len > BODY_USUAL && route->endpoint->door != DOOR_OWN_PAGES;
	if (endpoint_takes_upload(route->endpoint))
	{
		if (!call_begin_upload(call))
		{
			free_call(call);
			answer_error(request, HTTP_ERROR_UNAVAILABLE);
			return;
		}
		call->asks = !call->refused;
	}
	start_call(call);
}

/*
 * Answers a request whose path is known, but not with this method.  OPTIONS asks about
 * exactly that; for any other method it is an error.
 */
static void
answer_allowed(const Api *api, HttpRequest *request)
{
	char allow[128];
	HttpHeader header = {.name = "Allow", .value = allow};

	route_allow(&api->routes, request, allow, sizeof(allow));
	if (request->method == HTTP_METHOD_OPTIONS)
	{
		http_respond(request, 204, &header, 1, NULL, NULL);
		return;
	}
	http_respond_error(request, http_error(HTTP_ERROR_METHOD_NOT_ALLOWED), NULL, 0, &header, 1);
}

/*
 * Answers a request whose path is unknown.  If only a slash at the end is too much, the
 * answer says so.
 */
static void
answer_no_path(const Api *api, HttpRequest *request)
{
	HttpError error = *http_error(HTTP_ERROR_NOT_FOUND);
	HttpRequest shorter = *request;
	const Route *route;

	if (request->n_segments > 1 && request->segments[request->n_segments - 1].len == 0)
	{
		shorter.n_segments--;
		if (route_find(&api->routes, &shorter, &route) != ROUTE_NO_PATH)
			error.message = "not found; the path has to be sent without the slash at its end";
	}
	http_respond_error(request, &error, NULL, 0, NULL, 0);
}

/* Answers a request whose credential was not accepted. */
void
call_turn_away(HttpRequest *request, const Endpoint *endpoint, CredentialResult result)
{
	HttpError error = *http_error(result == CREDENTIAL_ABSENT    ? HTTP_ERROR_UNAUTHORIZED
								  : result == CREDENTIAL_FOREIGN ? HTTP_ERROR_FORBIDDEN
																 : HTTP_ERROR_VALIDATION);

	switch (result)
	{
		case CREDENTIAL_OK:
			break;
		case CREDENTIAL_ABSENT:
			error.message = endpoint->unauthorized != NULL ? endpoint->unauthorized : error.message;
			break;
		case CREDENTIAL_SEVERAL:
			error.message = "send exactly one credential, in Authorization or in x-api-key";
			break;
		case CREDENTIAL_IN_QUERY:
			error.message =
				"a credential must never be in a URL; send it in Authorization or in x-api-key";
			break;
		case CREDENTIAL_FOREIGN:
			error.message = "a page of another origin cannot do this";
			break;
	}
	http_respond_error(request, &error, NULL, 0, NULL, 0);
}

/*
 * Finds the credential that the endpoint asks for.  *credential stays empty when it asks
 * for none.
 */
static CredentialResult
find_credential(const HttpRequest *request, const Endpoint *endpoint, Credential *credential)
{
	*credential = (Credential){.text = NULL};
	if (endpoint->door == DOOR_CREDENTIAL)
		return credential_find(request, credential);
	if (credential_in_query(request))
		return CREDENTIAL_IN_QUERY;
	if (!origin_is_own(request))
		return CREDENTIAL_FOREIGN;
	return endpoint->door == DOOR_OWN_PAGES || cookie_find(request, COOKIE_SIGN_IN, credential)
			   ? CREDENTIAL_OK
			   : CREDENTIAL_ABSENT;
}

/*
 * A request without a credential, or for a path that does not exist, is answered before its
 * body is read.
 */
size_t
api_body_limit(const HttpRequest *request, void *context)
{
	const Api *api = context;
	const Route *route = NULL;
	Credential credential;

	if (route_find(&api->routes, request, &route) != ROUTE_FOUND)
		return HTTP_BODY_UNWANTED;
	if (route->endpoint->open == NULL &&
		find_credential(request, route->endpoint, &credential) != CREDENTIAL_OK)
		return HTTP_BODY_UNWANTED;
	return endpoint_takes_upload(route->endpoint) ? HTTP_BODY_STREAMED
												  : endpoint_body_max(route->endpoint);
}

void
api_handle(HttpRequest *request, void *context)
{
	Api *api = context;
	const Route *route = NULL;
	RouteResult found = route_find(&api->routes, request, &route);
	CredentialResult result;
	Credential credential;

	if (found != ROUTE_FOUND)
	{
		if (found == ROUTE_NO_METHOD)
		{
			answer_allowed(api, request);
			return;
		}
		answer_no_path(api, request);
		return;
	}
	http_request_set_route(request, route->endpoint->pattern);
	if (route->endpoint->open != NULL)
	{
		route->endpoint->open(request, api);
		return;
	}
	result = find_credential(request, route->endpoint, &credential);
	if (result != CREDENTIAL_OK)
	{
		call_turn_away(request, route->endpoint, result);
		return;
	}
	make_call(api, request, route, &credential);
}
