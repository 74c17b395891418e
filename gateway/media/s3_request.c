/*
 * s3_request.c
 *		Requests to an S3-compatible store; see s3_request.h.
 */
#include "media/s3_request.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "media/name.h"

/* The SHA-256 of no bytes. */
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define UNEXPECTED "the answer is not what was asked for"

/* ---- curl's callbacks ---- */

static bool
is_good(int status)
{
	return status >= 200 && status <= 299;
}

static void
note_moved(S3Request *request)
{
	if (request->has_moved)
		return;
	request->has_moved = true;
	TAILQ_INSERT_TAIL(&request->s3->moved, request, link);
}

static void
clear_moved(S3Request *request)
{
	if (request->has_moved)
		TAILQ_REMOVE(&request->s3->moved, request, link);
	request->has_moved = false;
}

/* curl passes each line of the head by itself, including the empty line that ends it. */
static size_t
on_head(char *data, size_t size, size_t count, void *context)
{
	S3Request *request = context;
	long status = 0;

	request->head_bytes += size * count;
	if (request->head_bytes > S3_HEAD_MAX)
		return 0;
	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && (data[0] == '\r' || data[0] == '\n'))
	{
		request->status = (int) status;
		note_moved(request);
	}
	return size * count;
}

/* Keeps the beginning of the body of an error. */
static bool
keep_error(S3Request *request, const char *data, size_t len)
{
	size_t room = S3_ERROR_MAX - request->body.len;

	request->error_bytes += len;
	return buffer_append(&request->body, data, len < room ? len : room) &&
		   request->error_bytes <= S3_ERROR_READ_MAX;
}

static size_t
on_body(char *data, size_t size, size_t count, void *context)
{
	S3Request *request = context;
	size_t len = size * count;

	if (!is_good(request->status))
		return keep_error(request, data, len) ? len : 0;
	note_moved(request);
	if (request->body.len + len > MEDIA_PIECE_MAX)
	{
		request->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	return buffer_append(&request->body, data, len) ? len : 0;
}

/* ---- after curl has returned ---- */

static const char *
problem_of(CURLcode code)
{
	switch (code)
	{
		case CURLE_OPERATION_TIMEDOUT:
			return "no answer in time";
		case CURLE_COULDNT_RESOLVE_HOST:
			return "the name of the store could not be looked up";
		case CURLE_COULDNT_CONNECT:
			return "could not connect";
		case CURLE_PEER_FAILED_VERIFICATION:
			return "the certificate could not be verified";
		case CURLE_SSL_CONNECT_ERROR:
			return "TLS failed";
		case CURLE_READ_ERROR:
		case CURLE_ABORTED_BY_CALLBACK:
			return "the file could not be read";
		case CURLE_OUT_OF_MEMORY:
			return "out of memory";
		case CURLE_GOT_NOTHING:
		case CURLE_RECV_ERROR:
		case CURLE_SEND_ERROR:
		case CURLE_PARTIAL_FILE:
			return "the connection was closed before the end";
		default:
			return UNEXPECTED;
	}
}

static void
on_ended(void *transfer, CURLcode code)
{
	S3Request *request = transfer;

	curl_multi_remove_handle(request->s3->curl.multi, request->easy);
	request->ended = true;
	if (code != CURLE_OK)
		request->problem = problem_of(code);
	note_moved(request);
}

/* A call may end this request and others. */
static void
on_returned(void *context)
{
	S3 *s3 = context;
	S3Request *request;

	while ((request = TAILQ_FIRST(&s3->moved)) != NULL)
	{
		clear_moved(request);
		request->moved(request->context);
	}
}

const CurlLoopEvents s3_request_events = {.ended = on_ended, .returned = on_returned};

/* ---- a request ---- */

static bool
add_header(S3Request *request, const char *name, const char *value)
{
	struct curl_slist *longer;
	Buffer line;

	buffer_init(&line, S3_TOKEN_MAX + 64);
	buffer_printf(&line, "%s: %s", name, value);
	longer = line.failed ? NULL : curl_slist_append(request->headers, line.data);
	buffer_free(&line);
	if (longer != NULL)
		request->headers = longer;
	return longer != NULL;
}

static bool
set_headers(S3Request *request, const uint8_t *content)
{
	const char *token = request->s3->config->credentials->token;
	char digits[MEDIA_DIGITS_MAX] = EMPTY;

	if (content != NULL)
		media_write_digits(content, MEDIA_DIGEST_SIZE, digits);
	return add_header(request, "x-amz-content-sha256", digits) &&
		   (token[0] == '\0' || add_header(request, "x-amz-security-token", token)) &&
		   (content == NULL || add_header(request, "Content-Type", "application/octet-stream")) &&
		   curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers) == CURLE_OK;
}

static bool
set_url(S3Request *request, const char *rest)
{
	Buffer url;
	bool set;

	buffer_init(&url, S3_BASE_MAX + S3_REST_MAX);
	buffer_printf(&url, "%s%s", request->s3->base, rest);
	set = !url.failed && curl_easy_setopt(request->easy, CURLOPT_URL, url.data) == CURLE_OK;
	buffer_free(&url);
	return set;
}

static bool
set_signer(CURL *easy, const S3 *s3)
{
	const S3Config *config = s3->config;

	return curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, s3->signer) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_USERNAME, config->credentials->key_id) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PASSWORD, config->credentials->secret) == CURLE_OK &&
		   (config->ca_file == NULL ||
			curl_easy_setopt(easy, CURLOPT_CAINFO, config->ca_file) == CURLE_OK);
}

static bool
set_guards(CURL *easy, const char *agent)
{
	return curl_loop_guard(easy) &&
		   curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) S3_CONNECT_MS) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long) S3_SLOW_BYTES) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long) S3_SLOW_SECONDS) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_USERAGENT, agent) == CURLE_OK;
}

static bool
set_callbacks(S3Request *request)
{
	CURL *easy = request->easy;

	return curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_HEADERDATA, request) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_WRITEDATA, request) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PRIVATE, request) == CURLE_OK;
}

/* "rest" is what is behind the base of all URLs. */
static bool
make(S3Request *request, S3 *s3, const char *rest, const uint8_t *content, S3Moved moved,
	 void *context)
{
	*request = (S3Request){.s3 = s3, .moved = moved, .context = context};
	buffer_init(&request->body, MEDIA_PIECE_MAX);
	request->easy = curl_easy_init();
	if (request->easy != NULL && set_url(request, rest) && set_headers(request, content) &&
		set_signer(request->easy, s3) && set_guards(request->easy, s3->config->agent) &&
		set_callbacks(request))
		return true;
	s3_request_free(request);
	return false;
}

bool
s3_request_make(S3Request *request, S3 *s3, const uint8_t org[MEDIA_ORG_SIZE],
				const uint8_t digest[MEDIA_DIGEST_SIZE], const uint8_t *content, S3Moved moved,
				void *context)
{
	char rest[1 + MEDIA_NAME_MAX] = "/";

	media_write_name(org, digest, rest + 1);
	return make(request, s3, rest, content, moved, context);
}

bool
s3_request_make_query(S3Request *request, S3 *s3, const char *query, S3Moved moved, void *context)
{
	char rest[S3_REST_MAX];

	snprintf(rest, sizeof(rest), "?%s", query);
	return make(request, s3, rest, NULL, moved, context);
}

bool
s3_request_send(S3Request *request)
{
	request->sent = curl_multi_add_handle(request->s3->curl.multi, request->easy) == CURLM_OK;
	return request->sent;
}

void
s3_request_free(S3Request *request)
{
	clear_moved(request);
	if (request->sent && !request->ended)
		curl_multi_remove_handle(request->s3->curl.multi, request->easy);
	if (request->easy != NULL)
		curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->headers);
	buffer_free(&request->body);
	*request = (S3Request){.s3 = NULL};
}

/* When curl goes on it may give at once what it has kept. */
Buffer
s3_request_take(S3Request *request)
{
	Buffer taken = request->body;

	buffer_init(&request->body, MEDIA_PIECE_MAX);
	if (request->paused && !request->ended)
	{
		request->paused = false;
		curl_easy_pause(request->easy, CURLPAUSE_CONT);
	}
	return taken;
}

bool
s3_request_is_good(const S3Request *request)
{
	return is_good(request->status);
}

/* ---- errors ---- */

/* An error is XML; its code is a word between tags that have no attributes. */
void
s3_request_code(const S3Request *request, char code[S3_CODE_MAX])
{
	static const char tag[] = "<Code>";
	const char *at = request->body.len == 0 ? NULL : strstr(request->body.data, tag);
	size_t len = 0;

	if (at != NULL)
		at += sizeof(tag) - 1;
	while (at != NULL && len < S3_CODE_MAX - 1 && isalnum((unsigned char) at[len]))
	{
		code[len] = at[len];
		len++;
	}
	code[len] = '\0';
}

static const char *
reason_of(const S3Request *request, const char *code)
{
	if (request->status == 0)
		return request->problem;
	if (is_good(request->status))
		return request->problem != NULL ? request->problem : UNEXPECTED;
	if (strcmp(code, "NoSuchBucket") == 0)
		return "the store has no such bucket";
	if (request->status == 401 || request->status == 403)
		return "the store refuses the credentials, or they may not do this";
	return request->status >= 500 ? "the store has failed" : "the store refuses the request";
}

void
s3_request_log(const S3Request *request, const char *event)
{
	char code[S3_CODE_MAX];

	s3_request_code(request, code);
	log_line(LOG_LEVEL_ERROR, event, log_text("reason", reason_of(request, code)),
			 log_int("status", request->status), log_text("code", code[0] == '\0' ? NULL : code));
}
