/*
 * head.h
 *		The guard: the only parser of requests.
 *
 * Request smuggling is possible when two parsers disagree about where a message ends.  So
 * there is only one parser here.  It reads every byte of a request once, and accepts only
 * what every other parser reads in the same way:
 *
 *	request line	one of seven methods, target, HTTP/1.1, CR LF; one empty line may
 *					come before it
 *	target			a path; "http://host/path" with the host that Host names too; "*"
 *					for OPTIONS
 *	field lines		token ":" value CR LF; no folding, no space before the colon,
 *					no control characters, no bare CR or LF
 *	framing			at most one Content-Length (digits only), or exactly
 *					"Transfer-Encoding: chunked"; never both
 *	Host			exactly one, a name or address with an optional port
 *	chunks			1 to 8 hexadecimal digits, extensions, CR LF; white space nowhere
 *	trailer fields	as field lines; none that says how or for whom to read the message
 *
 * Chunk extensions and trailer fields are checked and then ignored.  HTTP/1.0 is refused
 * (505), because supporting it would add a second set of framing rules, and clients that use
 * it can be configured for 1.1.
 *
 * Tests compare the guard with llhttp, the parser of Node.js: what the guard accepts, llhttp
 * accepts too, and finds the same parts and the same end of the message
 * (tests/unit/test_http_guard.c, tests/fuzz/fuzz_http.c).
 *
 * The guard is incremental: the result does not depend on how the input is split into reads.
 * It keeps the text of the head, and the body, each in a buffer with a maximum.  It does not
 * use sockets.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http.h"

#define HTTP_GUARD_WORD_MAX 24 /* longer than any method, and any name forbidden in a trailer */

/* Bytes of all chunk extensions of a message. */
#define HTTP_GUARD_EXTENSIONS_MAX 1024

typedef enum HttpGuardState
{
	/* request line */
	HTTP_GUARD_START,    /* a method, or the CR of an empty line */
	HTTP_GUARD_START_LF, /* after the CR of the empty line before the request */
	HTTP_GUARD_METHOD,
	HTTP_GUARD_TARGET_FIRST,
	HTTP_GUARD_ASTERISK,  /* after a target that is "*" */
	HTTP_GUARD_SCHEME,    /* within "http://" or "https://" */
	HTTP_GUARD_AUTHORITY, /* after the scheme */
	HTTP_GUARD_PATH,
	HTTP_GUARD_QUERY,
	HTTP_GUARD_VERSION,
	HTTP_GUARD_LINE_LF, /* after the CR of the request line or a field */

	/* field lines, of the head and after the last chunk */
	HTTP_GUARD_FIELD_FIRST, /* a name, or the CR of the empty line */
	HTTP_GUARD_NAME,
	HTTP_GUARD_VALUE,
	HTTP_GUARD_HEAD_LF, /* after the CR of the empty line */

	/* body */
	HTTP_GUARD_LENGTH_DATA,
	HTTP_GUARD_CHUNK_SIZE,
	HTTP_GUARD_EXTENSION_FIRST, /* after the ";" */
	HTTP_GUARD_EXTENSION_NAME,
	HTTP_GUARD_EXTENSION_VALUE_FIRST, /* after the "=" */
	HTTP_GUARD_EXTENSION_VALUE,
	HTTP_GUARD_EXTENSION_QUOTED,
	HTTP_GUARD_EXTENSION_END, /* after the closing quotation mark */
	HTTP_GUARD_CHUNK_SIZE_LF,
	HTTP_GUARD_CHUNK_DATA,
	HTTP_GUARD_CHUNK_DATA_CR,
	HTTP_GUARD_CHUNK_DATA_LF,

	HTTP_GUARD_END,   /* the message is complete */
	HTTP_GUARD_FAILED /* refused; error and reason say why */
} HttpGuardState;

typedef enum HttpGuardField
{
	HTTP_GUARD_OTHER,
	HTTP_GUARD_HOST,
	HTTP_GUARD_CONTENT_LENGTH,
	HTTP_GUARD_TRANSFER_ENCODING,
	HTTP_GUARD_EXPECT
} HttpGuardField;

typedef enum HttpGuardResult
{
	HTTP_GUARD_MORE,   /* all bytes were read; the message is not complete */
	HTTP_GUARD_HEAD,   /* read up to the end of the head; a body follows */
	HTTP_GUARD_DONE,   /* read up to the end of the message */
	HTTP_GUARD_REFUSED /* answer with guard->error, and close */
} HttpGuardResult;

/* The position of a header field in the guard's text. */
typedef struct HttpSpan
{
	uint32_t name;  /* in lower case, followed by a NUL */
	uint32_t value; /* without white space at its ends, followed by a NUL */
	uint32_t name_len;
	uint32_t value_len;
} HttpSpan;

typedef struct HttpGuard
{
	HttpGuardState state;
	size_t head_len; /* bytes of the head so far, or of the trailer while that is read */
	int n_fields;    /* of head and trailer together */

	/* the head; text contains the target and the fields, with a NUL after each part */
	HttpMethod method;
	Buffer text;
	size_t authority_at; /* where the host begins in "http://host/path", else 0 */
	size_t path_at;
	size_t path_len;
	size_t query_at;
	size_t query_len;
	size_t n_spans;

	/* what the head says about the body */
	bool has_host;
	bool has_length;
	bool chunked;
	bool has_expect;
	bool bad_expect; /* an expectation other than 100-continue: 417 */
	uint64_t content_length;

	/* the body; its maximum is HTTP_BODY_MAX, unless the user sets less after the head */
	Buffer body;
	uint64_t remaining; /* bytes of the body or chunk that are still to come */
	int chunk_digits;
	size_t extension_len; /* of all chunks so far */
	bool trailing;        /* the last chunk has come, and the trailer follows */

	/* when refused */
	HttpErrorKind error;
	const char *reason; /* a constant, safe to show and to log */

	/* the part that is arriving: a field; a method, scheme, version or trailer field's name */
	HttpGuardField field;
	size_t word_len;
	char word[HTTP_GUARD_WORD_MAX];

	HttpSpan spans[HTTP_FIELDS_MAX]; /* the fields of the head, in order */
} HttpGuard;

/* Makes the guard ready for one message. */
extern void http_guard_init(HttpGuard *guard);

/* Wipes and frees what it has read. */
extern void http_guard_free(HttpGuard *guard);

/*
 * Reads up to len bytes and sets *used to the number that it has read.  After HTTP_GUARD_HEAD
 * the caller calls it again with the remaining bytes.
 */
extern HttpGuardResult
http_guard_feed(HttpGuard *guard, const char *data, size_t len, size_t *used);

#endif
