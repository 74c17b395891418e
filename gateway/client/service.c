/*
 * service.c
 *		Requests to a service, many at once; see service.h.
 *
 * curl repeats a request on its own when a connection that it has used before ends without an
 * answer, although the service may have taken it.  on_request() is called before each time, and
 * on_socket_wanted() for each new connection: once the request has left, neither lets it leave
 * again.
 *
 * A call ends only in on_ended(), which runs after curl has returned (client/curl_loop.h).
 */
#include "client/service.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "client/curl_loop.h"
#include "lib/buffer.h"
#include "src/common/memory.h"

/* "Authorization: Bearer " and a token. */
#define HEADER_MAX 4096

TAILQ_HEAD(ServiceCalls, ServiceCall);

struct Service
{
	CurlLoop curl;
	const char *ca_file;
	const char *agent;
	struct ServiceCalls calls;
};

struct ServiceCall
{
	TAILQ_ENTRY(ServiceCall) link;
	Service *service;
	CURL *easy;
	struct curl_slist *headers;
	ServiceDone done;
	void *context;
	size_t head_bytes;
	Buffer body;
	bool left;     /* the request may have left */
	bool repeated; /* curl was about to let it leave again */
};

/* ---- curl's callbacks ---- */

static size_t
on_head(char *data, size_t size, size_t count, void *context)
{
	ServiceCall *call = context;

	(void) data;
	call->head_bytes += size * count;
	return call->head_bytes > SERVICE_HEAD_MAX ? 0 : size * count;
}

static size_t
on_body(char *data, size_t size, size_t count, void *context)
{
	ServiceCall *call = context;

	return buffer_append(&call->body, data, size * count) ? size * count : 0;
}

static int
on_request(void *context, char *remote, char *local, int remote_port, int local_port)
{
	ServiceCall *call = context;

	(void) remote;
	(void) local;
	(void) remote_port;
	(void) local_port;
	call->repeated |= call->left;
	call->left = true;
	return call->repeated ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static curl_socket_t
on_socket_wanted(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	ServiceCall *call = context;

	(void) purpose;
	call->repeated |= call->left;
	return call->repeated
			   ? CURL_SOCKET_BAD
			   : socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- the end of a call ---- */

static void
free_call(ServiceCall *call)
{
	TAILQ_REMOVE(&call->service->calls, call, link);
	if (call->easy != NULL)
		curl_easy_cleanup(call->easy);
	for (struct curl_slist *header = call->headers; header != NULL; header = header->next)
		wak_wipe(header->data, strlen(header->data));
	curl_slist_free_all(call->headers);
	buffer_free(&call->body);
	free(call);
}

static const char *
problem_of(const ServiceCall *call, CURLcode code)
{
	if (call->body.failed)
		return "the answer is too large";
	switch (code)
	{
		case CURLE_OPERATION_TIMEDOUT:
			return "no answer in time";
		case CURLE_COULDNT_RESOLVE_HOST:
			return "the name of the server could not be looked up";
		case CURLE_COULDNT_CONNECT:
			return call->left ? "the connection was closed before an answer" : "could not connect";
		case CURLE_PEER_FAILED_VERIFICATION:
			return "the certificate could not be verified";
		case CURLE_SSL_CACERT_BADFILE:
			return "the file of certificate authorities could not be read";
		case CURLE_SSL_CONNECT_ERROR:
			return "TLS failed";
		case CURLE_OUT_OF_MEMORY:
			return "out of memory";
		default:
			return call->left ? "the connection was closed before an answer"
							  : "the request could not be sent";
	}
}

static void
read_answer(ServiceCall *call, CURLcode code, ServiceAnswer *answer)
{
	long status = 0;
	curl_off_t wait = 0;

	*answer = (ServiceAnswer){.body = "", .left = call->left};
	if (code != CURLE_OK)
	{
		answer->problem = problem_of(call, code);
		return;
	}
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &wait);
	answer->status = (int) status;
	answer->retry_after_s = wait > 0 && wait <= INT_MAX ? (int) wait : 0;
	if (call->body.len > 0)
	{
		answer->body = call->body.data;
		answer->body_len = call->body.len;
	}
}

static void
on_ended(void *context, CURLcode code)
{
	ServiceCall *call = context;
	ServiceAnswer answer;

	curl_multi_remove_handle(call->service->curl.multi, call->easy);
	read_answer(call, code, &answer);
	call->done(call->context, &answer);
	free_call(call);
}

/* ---- all calls ---- */

Service *
service_open(struct event_base *base, const char *ca_file, const char *agent)
{
	static const CurlLoopEvents events = {.ended = on_ended};
	Service *service = calloc(1, sizeof(*service));

	if (service == NULL)
		return NULL;
	*service = (Service){.ca_file = ca_file, .agent = agent};
	TAILQ_INIT(&service->calls);
	if (!curl_loop_open(&service->curl, base, SERVICE_CONNECTIONS_MAX, &events, service))
	{
		free(service);
		return NULL;
	}
	curl_multi_setopt(service->curl.multi, CURLMOPT_PIPELINING, (long) CURLPIPE_MULTIPLEX);
	curl_multi_setopt(service->curl.multi, CURLMOPT_MAX_HOST_CONNECTIONS,
					  (long) SERVICE_CONNECTIONS_MAX);
	return service;
}

void
service_close(Service *service)
{
	if (service == NULL)
		return;
	while (!TAILQ_EMPTY(&service->calls))
		service_call_abandon(TAILQ_FIRST(&service->calls));
	curl_loop_close(&service->curl);
	free(service);
}

/* ---- one call ---- */

/* Appends a header; false if memory has run out, and the list is as it was. */
static bool
add_header(ServiceCall *call, const char *header)
{
	struct curl_slist *longer = curl_slist_append(call->headers, header);

	if (longer != NULL)
		call->headers = longer;
	return longer != NULL;
}

/* "Expect:" without a value removes the header that curl would add for a large body. */
static bool
set_headers(ServiceCall *call, const ServiceRequest *request)
{
	Buffer text;
	bool ok;

	buffer_init(&text, HEADER_MAX);
	buffer_printf(&text, "Authorization: Bearer %s", request->token);
	ok = !text.failed && add_header(call, text.data) && add_header(call, "Expect:") &&
		 add_header(call, "Accept: application/json") &&
		 (request->body == NULL || add_header(call, "Content-Type: application/json")) &&
		 curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers) == CURLE_OK;
	buffer_free(&text);
	return ok;
}

static bool
set_body(ServiceCall *call, const ServiceRequest *request)
{
	return request->body == NULL ||
		   (curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
							 (curl_off_t) request->body_len) == CURLE_OK &&
			curl_easy_setopt(call->easy, CURLOPT_COPYPOSTFIELDS, request->body) == CURLE_OK);
}

static bool
set_guards(ServiceCall *call, int timeout_ms)
{
	const Service *service = call->service;
	long connect_ms = timeout_ms < SERVICE_CONNECT_MS ? timeout_ms : SERVICE_CONNECT_MS;
	CURL *easy = call->easy;

	return curl_loop_guard(easy) &&
		   curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS) ==
			   CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long) SERVICE_IDLE_SECONDS) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) timeout_ms) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_USERAGENT, service->agent) == CURLE_OK &&
		   (service->ca_file == NULL ||
			curl_easy_setopt(easy, CURLOPT_CAINFO, service->ca_file) == CURLE_OK);
}

static bool
set_callbacks(ServiceCall *call)
{
	CURL *easy = call->easy;

	return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket_wanted) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PREREQDATA, call) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_HEADERDATA, call) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_WRITEDATA, call) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PRIVATE, call) == CURLE_OK;
}

static bool
prepare(ServiceCall *call, const ServiceRequest *request)
{
	return call->easy != NULL && set_guards(call, request->timeout_ms) && set_callbacks(call) &&
		   set_headers(call, request) && set_body(call, request) &&
		   curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
		   curl_easy_setopt(call->easy, CURLOPT_URL, request->url) == CURLE_OK;
}

ServiceCall *
service_call(Service *service, const ServiceRequest *request, ServiceDone done, void *context)
{
	ServiceCall *call = calloc(1, sizeof(*call));

	if (call == NULL)
		return NULL;
	*call = (ServiceCall){
		.service = service, .easy = curl_easy_init(), .done = done, .context = context};
	buffer_init(&call->body, request->answer_max);
	TAILQ_INSERT_TAIL(&service->calls, call, link);
	if (prepare(call, request) &&
		curl_multi_add_handle(service->curl.multi, call->easy) == CURLM_OK)
		return call;
	free_call(call);
	return NULL;
}

void
service_call_abandon(ServiceCall *call)
{
	curl_multi_remove_handle(call->service->curl.multi, call->easy);
	free_call(call);
}
