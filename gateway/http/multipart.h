/*
 * multipart.h
 *		Reads a multipart body (RFC 2046, 5.1), as a form sends it (RFC 7578), while it arrives.
 *
 *	--BOUNDARY CRLF
 *	Content-Disposition: form-data; name="file"; filename="view.png" CRLF
 *	Content-Type: image/png CRLF
 *	CRLF
 *	...bytes...
 *	CRLF --BOUNDARY-- CRLF
 *
 * Only the head of one part is in memory.  The bytes of a part are handed on as they come, but
 * for those at the end of a piece that may begin a delimiter.  What stands in front of the first
 * delimiter and behind the last one means nothing.
 *
 * A reader is a struct of the caller's.  It allocates nothing.
 */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "http/http.h"

/* RFC 2046 allows a boundary 70 characters. */
#define MULTIPART_BOUNDARY_MAX 70

/* Bytes of the head of a part, and the number of its fields. */
#define MULTIPART_HEAD_MAX 8192
#define MULTIPART_FIELDS_MAX 8

/*
 * Each returns false to stop the reader, which is then not used any more: the function may have
 * freed it.
 */
typedef struct MultipartEvents
{
	/*
	 * The head of a part is complete.  Names are in lower case; values are without white space
	 * at either end, and have a NUL behind them.  All of it is valid until this returns.
	 */
	bool (*head)(void *context, const HttpField *fields, size_t count);

	/* The next bytes of that part. */
	bool (*bytes)(void *context, const char *bytes, size_t len);

	/* That part has ended. */
	bool (*end)(void *context);
} MultipartEvents;

typedef enum MultipartState
{
	MULTIPART_PREAMBLE,  /* what stands in front of the first delimiter */
	MULTIPART_HEAD,      /* the fields of a part */
	MULTIPART_BYTES,     /* and its bytes */
	MULTIPART_DELIMITED, /* behind a delimiter: another part, or "--" */
	MULTIPART_PADDING,   /* white space behind it, up to the end of the line */
	MULTIPART_LINE,      /* the CR was read */
	MULTIPART_DASH,      /* the first "-" was read */
	MULTIPART_EPILOGUE   /* the last delimiter was read */
} MultipartState;

typedef struct Multipart
{
	const MultipartEvents *events;
	void *context;
	MultipartState state;
	char delimiter[4 + MULTIPART_BOUNDARY_MAX + 1]; /* CR LF "--" and the boundary */
	size_t delimiter_len;
	size_t matched; /* bytes of the delimiter that were read and not handed on */
	size_t head_len;
	char head[MULTIPART_HEAD_MAX];
} Multipart;

typedef enum MultipartResult
{
	MULTIPART_MORE,     /* all was read */
	MULTIPART_STOPPED,  /* an event has returned false */
	MULTIPART_MALFORMED /* this is no such body, or a head is too large */
} MultipartResult;

/*
 * Begins to read a body of this media type, in the normal form of wak_media_type_read().  The
 * events are borrowed.  False: it names no boundary that RFC 2046 allows.
 */
extern bool
multipart_begin(Multipart *reader, const char *type, const MultipartEvents *events, void *context);

/* Reads the next bytes of the body. */
extern MultipartResult multipart_read(Multipart *reader, const char *bytes, size_t len);

/* Whether the last delimiter was read.  If the body ends before, it was cut off. */
extern bool multipart_is_complete(const Multipart *reader);

#endif
