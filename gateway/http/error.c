/*
 * error.c
 *		The table of errors that a client can get, and their common JSON body; see error.h.
 */
#include "http/error.h"

#include "lib/json_write.h"

static const HttpError errors[HTTP_ERROR_KINDS] = {
	[HTTP_ERROR_VALIDATION] = {400, "validation_error", "request is not valid", NULL, NULL},
	[HTTP_ERROR_UNAUTHORIZED] = {401, "unauthorized", "a valid credential is required",
								 "WWW-Authenticate", "Bearer"},
	[HTTP_ERROR_FORBIDDEN] = {403, "forbidden", "permission denied", NULL, NULL},
	[HTTP_ERROR_NOT_FOUND] = {404, "not_found", "not found", NULL, NULL},
	[HTTP_ERROR_METHOD_NOT_ALLOWED] = {405, "method_not_allowed", "method is not allowed here",
									   NULL, NULL},
	[HTTP_ERROR_REQUEST_TIMEOUT] = {408, "request_timeout", "request did not arrive in time", NULL,
									NULL},
	[HTTP_ERROR_CONFLICT] = {409, "conflict", "request conflicts with the current state", NULL,
							 NULL},
	[HTTP_ERROR_GONE] = {410, "resync_required",
						 "the event is not kept any more; read the current state and start anew",
						 NULL, NULL},
	[HTTP_ERROR_MEDIA_GONE] = {410, "media_gone", "the file is not stored any more", NULL, NULL},
	[HTTP_ERROR_PAYLOAD_TOO_LARGE] = {413, "payload_too_large", "request body is too large", NULL,
									  NULL},
	[HTTP_ERROR_UNSUPPORTED_MEDIA_TYPE] = {415, "unsupported_media_type",
										   "content type must be application/json", NULL, NULL},
	[HTTP_ERROR_RANGE] = {416, "range_not_satisfiable", "the range lies behind the end", NULL,
						  NULL},
	[HTTP_ERROR_EXPECTATION_FAILED] = {417, "expectation_failed",
									   "only the expectation 100-continue is supported", NULL,
									   NULL},
	[HTTP_ERROR_UPGRADE_REQUIRED] = {426, "upgrade_required", "this is for WebSockets only",
									 "Upgrade", "websocket"},
	[HTTP_ERROR_RATE_LIMITED] = {429, "rate_limited", "too many requests", "Retry-After", "1"},
	[HTTP_ERROR_HEADERS_TOO_LARGE] = {431, "headers_too_large", "request headers are too large",
									  NULL, NULL},
	[HTTP_ERROR_INTERNAL] = {500, "internal", "internal error", NULL, NULL},
	[HTTP_ERROR_NOT_IMPLEMENTED] = {501, "not_implemented", "method is not supported", NULL, NULL},
	[HTTP_ERROR_UNAVAILABLE] = {503, "unavailable", "service is not available at the moment",
								"Retry-After", "1"},
	[HTTP_ERROR_TIMEOUT] = {504, "timeout", "request took too long", NULL, NULL},
	[HTTP_ERROR_VERSION] = {505, "http_version_not_supported", "only HTTP/1.1 is supported", NULL,
							NULL},
	[HTTP_ERROR_QUOTA] = {507, "quota_exceeded", "no room is left for this", NULL, NULL},
};

const HttpError *
http_error(HttpErrorKind kind)
{
	return &errors[kind];
}

bool
http_error_body(Buffer *out, const HttpError *error, const HttpDetail *details, size_t n_details)
{
	JsonWriter writer;

	json_write_init(&writer, out);
	json_write_object_begin(&writer);
	json_write_name(&writer, "error");
	json_write_object_begin(&writer);
	json_write_name(&writer, "code");
	json_write_text(&writer, error->code);
	json_write_name(&writer, "message");
	json_write_text(&writer, error->message);
	if (n_details > 0)
	{
		json_write_name(&writer, "details");
		json_write_object_begin(&writer);
		for (size_t i = 0; i < n_details; i++)
		{
			json_write_name(&writer, details[i].name);
			json_write_text(&writer, details[i].text);
		}
		json_write_object_end(&writer);
	}
	json_write_object_end(&writer);
	json_write_object_end(&writer);
	return json_write_done(&writer);
}
