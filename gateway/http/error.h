/*
 * error.h
 *		The table of errors that a client can get, and their common JSON body.
 *
 *	{"error":{"code":"forbidden","message":"...","details":{"required":"send"}}}
 *
 * A row has the status, the code, the default message, and the header that is always sent
 * with the error.  To send a more specific message, copy the row and change its message:
 *
 *	HttpError	error = *http_error(HTTP_ERROR_CONFLICT);
 *
 *	error.message = "session is logged out";
 */
#ifndef HTTP_ERROR_H
#define HTTP_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buffer.h"

typedef enum HttpErrorKind
{
	HTTP_ERROR_VALIDATION,             /* 400 validation_error */
	HTTP_ERROR_UNAUTHORIZED,           /* 401 unauthorized, WWW-Authenticate: Bearer */
	HTTP_ERROR_FORBIDDEN,              /* 403 forbidden (details: required) */
	HTTP_ERROR_NOT_FOUND,              /* 404 not_found */
	HTTP_ERROR_METHOD_NOT_ALLOWED,     /* 405 method_not_allowed; the caller adds Allow */
	HTTP_ERROR_REQUEST_TIMEOUT,        /* 408 request_timeout */
	HTTP_ERROR_CONFLICT,               /* 409 conflict */
	HTTP_ERROR_GONE,                   /* 410 resync_required: read the state again */
	HTTP_ERROR_MEDIA_GONE,             /* 410 media_gone */
	HTTP_ERROR_PAYLOAD_TOO_LARGE,      /* 413 payload_too_large */
	HTTP_ERROR_UNSUPPORTED_MEDIA_TYPE, /* 415 unsupported_media_type */
	HTTP_ERROR_RANGE,              /* 416 range_not_satisfiable; the caller adds Content-Range */
	HTTP_ERROR_EXPECTATION_FAILED, /* 417 expectation_failed */
	HTTP_ERROR_UPGRADE_REQUIRED,   /* 426 upgrade_required, Upgrade: websocket */
	HTTP_ERROR_RATE_LIMITED,       /* 429 rate_limited, Retry-After: 1 */
	HTTP_ERROR_HEADERS_TOO_LARGE,  /* 431 headers_too_large */
	HTTP_ERROR_INTERNAL,           /* 500 internal */
	HTTP_ERROR_NOT_IMPLEMENTED,    /* 501 not_implemented */
	HTTP_ERROR_UNAVAILABLE,        /* 503 unavailable, Retry-After: 1 */
	HTTP_ERROR_TIMEOUT,            /* 504 timeout */
	HTTP_ERROR_VERSION,            /* 505 http_version_not_supported */
	HTTP_ERROR_QUOTA,              /* 507 quota_exceeded */
	HTTP_ERROR_KINDS               /* how many there are */
} HttpErrorKind;

typedef struct HttpError
{
	int status;
	const char *code;        /* stable; programs compare it */
	const char *message;     /* for people */
	const char *header_name; /* sent with it, or NULL */
	const char *header_value;
} HttpError;

/* One entry of "details"; both texts are borrowed and UTF-8. */
typedef struct HttpDetail
{
	const char *name;
	const char *text;
} HttpDetail;

/* The row of a kind; a constant. */
extern const HttpError *http_error(HttpErrorKind kind);

/* Appends the JSON body, without "details" if n_details is 0.  False when it does not fit. */
extern bool
http_error_body(Buffer *out, const HttpError *error, const HttpDetail *details, size_t n_details);

#endif
