/*
 * graph.c
 *		Calls to Meta's Graph API; see graph.h.
 *
 * Meta's texts may repeat what was sent, even a token that is malformed.  A text that has one is
 * not passed on.
 */
#include "cloud/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/hmac.h>

#include "lib/utf8.h"
#include "src/common/memory.h"

#define PROOF_SIZE 32
#define NO_CODE (-1)

struct GraphCall
{
	ServiceCall *call;
	GraphDone done;
	void *context;
	char token[CLOUD_TOKEN_MAX + 1]; /* which no text may repeat */
};

/* ---- the answer ---- */

static bool
has_secret(const GraphCall *call, const char *text)
{
	return strstr(text, call->token) != NULL;
}

void
graph_copy_text(const JsonValue *object, const char *name, char *copy, size_t size)
{
	const char *text;
	size_t len;

	copy[0] = '\0';
	if (json_read_string(json_read_member(object, name), &text, &len) && len < size)
		memcpy(copy, text, len + 1);
}

/* The text that says most: the details of the error, or else its message. */
static const char *
text_of(const JsonValue *error)
{
	const char *text = "";
	size_t len;

	if (!json_read_string(json_read_member(json_read_member(error, "error_data"), "details"), &text,
						  &len))
		json_read_string(json_read_member(error, "message"), &text, &len);
	return text;
}

static void
write_problem(GraphAnswer *answer, const char *text)
{
	char whole[2 * GRAPH_PROBLEM_MAX];

	snprintf(whole, sizeof(whole), "%.*s (Meta's error %d)", GRAPH_PROBLEM_MAX, text, answer->code);
	utf8_copy_start(answer->problem, GRAPH_PROBLEM_MAX, whole);
}

static void
read_error(const GraphCall *call, const JsonValue *error, int status, GraphAnswer *answer)
{
	const char *text = text_of(error);
	bool is_transient = false;
	int64_t code;

	if (!json_read_int64(json_read_member(error, "code"), &code) || code < 0 || code > INT32_MAX)
		return;
	json_read_bool(json_read_member(error, "is_transient"), &is_transient);
	answer->code = (int) code;
	answer->advice = graph_error_advice(answer->code, status, is_transient);
	if (answer->advice.reason != NULL)
		text = answer->advice.reason;
	write_problem(answer, has_secret(call, text) ? "the request was refused" : text);
}

static void
read_answer(const GraphCall *call, const ServiceAnswer *from, const JsonValue *root,
			GraphAnswer *answer)
{
	const JsonValue *error = json_read_member(root, "error");

	*answer = (GraphAnswer){.advice = graph_error_by_status(from->status),
							.code = NO_CODE,
							.wait_s = from->retry_after_s};
	if (answer->advice.reason != NULL)
		snprintf(answer->problem, sizeof(answer->problem), "%s", answer->advice.reason);
	else
		snprintf(answer->problem, sizeof(answer->problem),
				 "Meta has answered with the status %d and without a reason", from->status);
	if (error != NULL)
		read_error(call, error, from->status, answer);
	else if (json_read_kind(root) == JSON_KIND_OBJECT && from->status >= 200 && from->status <= 299)
	{
		answer->advice = (GraphAdvice){.verdict = GRAPH_DONE};
		answer->json = root;
		answer->problem[0] = '\0';
	}
}

static void
read_no_answer(const ServiceAnswer *from, GraphAnswer *answer)
{
	*answer = (GraphAnswer){
		.advice = {.verdict = from->left ? GRAPH_UNCERTAIN : GRAPH_AGAIN, .tries = INT32_MAX},
		.code = NO_CODE};
	snprintf(answer->problem, sizeof(answer->problem), "%s", from->problem);
}

static void
on_done(void *context, const ServiceAnswer *from)
{
	GraphCall *call = context;
	JsonValue *root = NULL;
	JsonReadError error;
	GraphAnswer answer;

	if (from->status == 0)
		read_no_answer(from, &answer);
	else
	{
		root = json_read(from->body, from->body_len, &error);
		read_answer(call, from, root, &answer);
	}
	call->done(call->context, &answer);
	json_read_free(root);
	wak_wipe(call, sizeof(*call));
	free(call);
}

/* ---- the request ---- */

static void
write_proof(const CloudCredentials *credentials, char out[2 * PROOF_SIZE + 1])
{
	unsigned char proof[PROOF_SIZE] = {0};

	(void) HMAC(EVP_sha256(), credentials->app_secret, (int) strlen(credentials->app_secret),
				(const unsigned char *) credentials->access_token,
				strlen(credentials->access_token), proof, NULL);
	for (int i = 0; i < PROOF_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", proof[i]);
	wak_wipe(proof, sizeof(proof));
}

static bool
write_url(const GraphSetup *setup, const CloudCredentials *credentials, const GraphRequest *request,
		  char url[SERVICE_URL_MAX])
{
	const char *version =
		credentials->graph_version[0] == '\0' ? setup->version : credentials->graph_version;
	char proof[2 * PROOF_SIZE + 1];
	int len;

	write_proof(credentials, proof);
	len = snprintf(url, SERVICE_URL_MAX, "%s/%s/%s%s?%sappsecret_proof=%s", setup->url, version,
				   request->id, request->edge, request->query, proof);
	wak_wipe(proof, sizeof(proof));
	return len < SERVICE_URL_MAX;
}

GraphCall *
graph_call(const GraphSetup *setup, const CloudCredentials *credentials,
		   const GraphRequest *request, GraphDone done, void *context)
{
	ServiceRequest sent = {.method = request->method,
						   .token = credentials->access_token,
						   .body = request->body,
						   .body_len = request->body_len,
						   .timeout_ms = setup->timeout_ms,
						   .answer_max = GRAPH_ANSWER_MAX};
	GraphCall *call = calloc(1, sizeof(*call));
	char url[SERVICE_URL_MAX];

	if (call == NULL)
		return NULL;
	*call = (GraphCall){.done = done, .context = context};
	memcpy(call->token, credentials->access_token, sizeof(call->token));
	sent.url = url;
	if (write_url(setup, credentials, request, url))
		call->call = service_call(setup->service, &sent, on_done, call);
	wak_wipe(url, sizeof(url));
	if (call->call != NULL)
		return call;
	wak_wipe(call, sizeof(*call));
	free(call);
	return NULL;
}

void
graph_call_abandon(GraphCall *call)
{
	service_call_abandon(call->call);
	wak_wipe(call, sizeof(*call));
	free(call);
}
