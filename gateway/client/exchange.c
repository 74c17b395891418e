/*
 * exchange.c
 *		One request of a program that waits for its answer; see exchange.h.
 */
#include "client/exchange.h"

#include <limits.h>
#include <string.h>

#include "client/curl_loop.h"
#include "client/egress.h"
#include "src/common/memory.h"

#define OUT_OF_MEMORY "out of memory"
#define TOO_LARGE "the answer is too large"

/* "Authorization: Bearer " and a credential. */
#define HEADER_MAX 256

const char *
exchange_problem(const char *url)
{
	EgressTarget target;
	const char *problem = egress_parse(url, &target);
	bool is_self;

	if (problem != NULL)
		return problem;
	if (strpbrk(url, "?#") != NULL)
		return "a query does not belong into it";
	is_self = target.kind == EGRESS_ADDRESS
				  ? egress_is_loopback((const struct sockaddr *) &target.address)
				  : strcmp(target.host, "localhost") == 0;
	return target.tls || is_self ? NULL
								 : "it must begin with https://, but for this machine itself";
}

static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	ExchangeAnswer *answer = arg;

	return buffer_append(&answer->body, data, size * count) ? size * count : 0;
}

static const char *
problem_of(CURLcode code, const ExchangeAnswer *answer)
{
	if (answer->body.failed)
		return TOO_LARGE;
	switch (code)
	{
		case CURLE_OK:
			return NULL;
		case CURLE_OPERATION_TIMEDOUT:
			return "no answer in time";
		case CURLE_COULDNT_RESOLVE_HOST:
			return "the name of the server could not be looked up";
		case CURLE_COULDNT_CONNECT:
			return "could not connect";
		case CURLE_PEER_FAILED_VERIFICATION:
			return "the certificate could not be verified";
		case CURLE_SSL_CACERT_BADFILE:
			return "the file of certificate authorities could not be read";
		case CURLE_SSL_CONNECT_ERROR:
			return "TLS failed";
		case CURLE_OUT_OF_MEMORY:
			return OUT_OF_MEMORY;
		case CURLE_GOT_NOTHING:
		case CURLE_RECV_ERROR:
		case CURLE_SEND_ERROR:
		case CURLE_PARTIAL_FILE:
			return "the connection was closed before the end of the answer";
		default:
			return "the answer is not HTTP";
	}
}

/* Appends a header; false if memory has run out, and the list is as it was. */
static bool
add_header(struct curl_slist **headers, const char *header)
{
	struct curl_slist *longer = curl_slist_append(*headers, header);

	if (longer != NULL)
		*headers = longer;
	return longer != NULL;
}

static bool
set_headers(CURL *easy, const ExchangeRequest *request, struct curl_slist **headers)
{
	Buffer text;
	bool ok;

	buffer_init(&text, HEADER_MAX);
	buffer_printf(&text, "Authorization: Bearer %s", request->token);
	ok = !text.failed && add_header(headers, text.data) &&
		 add_header(headers, "Accept: application/json, application/x-ndjson") &&
		 (request->body == NULL || add_header(headers, "Content-Type: application/json")) &&
		 curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers) == CURLE_OK;
	buffer_free(&text);
	return ok;
}

static bool
set_body(CURL *easy, const ExchangeRequest *request)
{
	return request->body == NULL ||
		   (curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_len) ==
				CURLE_OK &&
			curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body) == CURLE_OK);
}

static bool
prepare(CURL *easy, const ExchangeRequest *request, ExchangeAnswer *answer,
		struct curl_slist **headers)
{
	return curl_loop_guard(easy) && set_headers(easy, request, headers) &&
		   set_body(easy, request) &&
		   curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_USERAGENT, request->agent) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) request->timeout_ms) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) EXCHANGE_CONNECT_MS) ==
			   CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer) == CURLE_OK &&
		   (request->ca_file == NULL ||
			curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file) == CURLE_OK);
}

static void
wipe_headers(struct curl_slist *headers)
{
	for (struct curl_slist *header = headers; header != NULL; header = header->next)
		wak_wipe(header->data, strlen(header->data));
	curl_slist_free_all(headers);
}

const char *
exchange_run(const ExchangeRequest *request, ExchangeAnswer *answer)
{
	CURL *easy = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
	struct curl_slist *headers = NULL;
	const char *problem = OUT_OF_MEMORY;
	long status = 0;
	curl_off_t wait = 0;

	if (easy == NULL)
		return problem;
	if (prepare(easy, request, answer, &headers))
		problem = problem_of(curl_easy_perform(easy), answer);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait);
	answer->status = (int) status;
	answer->retry_after_s = wait > 0 && wait <= INT_MAX ? (int) wait : 0;
	curl_easy_cleanup(easy);
	curl_global_cleanup();
	wipe_headers(headers);
	return problem;
}
