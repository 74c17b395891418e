/*
 * openapi.c
 *		GET /api/v1/openapi.json: the description of this gateway's API.
 *
 * The document is built into the program, so it always describes this release.  It needs no
 * credential.  Like every answer it has "no-store".  The ETag is for callers that keep
 * their own copy, such as code generators, and want to know whether it is still current.
 */
#include "api/openapi.h"

#include <string.h>

#include "api/api.h"
#include "api/endpoint.h"

static void
answer_document(HttpRequest *request, void *context)
{
	const HttpHeader etag = {.name = "ETag", .value = openapi_etag};
	Buffer body;

	(void) context;
	if (http_request_has_current(request, openapi_etag))
	{
		http_respond(request, 304, &etag, 1, NULL, NULL);
		return;
	}
	buffer_init(&body, openapi_document_length);
	buffer_append(&body, openapi_document, openapi_document_length);
	http_respond(request, 200, &etag, 1, "application/json; charset=utf-8", &body);
}

bool
api_print_endpoints(Buffer *out)
{
	return buffer_append(out, document_endpoints_json, strlen(document_endpoints_json));
}

const Endpoint openapi_endpoints[] = {
	{.method = HTTP_METHOD_GET, .pattern = "/api/v1/openapi.json", .open = answer_document},
	{.pattern = NULL},
};
