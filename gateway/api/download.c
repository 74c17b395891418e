/*
 * download.c
 *		Calls that send the bytes of a file; see download.h.
 *
 *	OPENING --> answered --> SENDING --> freed
 *
 * While the store opens the file, the download holds the request.  After that the bytes go from
 * the store to the connection, a piece each time that the one before has left.  All the time
 * the credential is looked up again: a download ends when it does.
 *
 * A file is sent so that it can do no harm in a browser: as a download, unless it is a picture,
 * sound or video of a common type, which were checked when they were stored; never as another
 * type; and without scripts.
 */
#include "api/download.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/credential_check.h"
#include "api/disposition.h"
#include "src/common/media_type.h"
#include "db/result.h"
#include "http/range.h"
#include "media/name.h"
#include "media/store.h"

/* Bytes of an ETag: the digest in hexadecimal digits, in quotation marks, with the NUL. */
#define ETAG_MAX (MEDIA_DIGITS_MAX + 2)

#define HEADERS_MAX 6

/* NOLINTNEXTLINE(misc-redundant-expression): the two numbers are of different floors */
_Static_assert(MEDIA_PIECE_MAX <= HTTP_STREAM_PIECE, "a piece of a file is a piece of an answer");

/* What a row says about a file that is stored. */
typedef struct Described
{
	uint8_t org[DB_UUID_SIZE];
	uint8_t digest[MEDIA_DIGEST_SIZE];
	int64_t size;
	char type[WAK_MEDIA_TYPE_WRITTEN_MAX + 1];
	const char *name; /* NULL: it has none */
	size_t name_len;
} Described;

typedef struct Download
{
	HttpRequest *request; /* until it is answered */
	MediaRead *read;
	CredentialCheck check;
	HttpStream *stream;    /* NULL: no piece was asked for yet */
	bool answered;         /* the request must not be used any more */
	HttpRangeResult range; /* the whole or a part */
	uint64_t size;         /* of the whole file */
	uint64_t first;        /* of what is sent */
	uint64_t length;
	char etag[ETAG_MAX];
	char type[WAK_MEDIA_TYPE_WRITTEN_MAX + 1];
	char disposition[DISPOSITION_HEADER_MAX];
} Download;

/* The types that a browser may show itself; all of them were checked when they were stored. */
static bool
may_be_shown(const char *type)
{
	static const char *const shown[] = {"image/jpeg", "image/png", "image/gif",  "image/webp",
										"audio/aac",  "audio/amr", "audio/mpeg", "audio/mp4",
										"audio/ogg",  "video/mp4", "video/3gpp"};
	size_t len = strcspn(type, ";");

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (strlen(shown[i]) == len && strncmp(shown[i], type, len) == 0)
			return true;
	return false;
}

/* The columns of media_get.sql and message_media.sql. */
enum
{
	COLUMN_ORG,
	COLUMN_STATE,
	COLUMN_DIGEST,
	COLUMN_SIZE,
	COLUMN_TYPE,
	COLUMN_NAME
};

static bool
read_row(const DbResult *result, Described *file)
{
	DbCell digest = db_cell(result, 0, db_column(result, "sha256", COLUMN_DIGEST));

	if (digest.bytes == NULL || digest.len != MEDIA_DIGEST_SIZE)
		return false;
	memcpy(file->digest, digest.bytes, MEDIA_DIGEST_SIZE);
	file->name = NULL;
	file->name_len = 0;
	db_text(result, 0, db_column(result, "filename", COLUMN_NAME), &file->name, &file->name_len);
	return db_uuid(result, 0, db_column(result, "org_id", COLUMN_ORG), file->org) &&
		   db_int(result, 0, db_column(result, "size", COLUMN_SIZE), &file->size) &&
		   db_text_copy(result, 0, db_column(result, "mimetype", COLUMN_TYPE), file->type,
						sizeof(file->type));
}

static void
write_etag(const Described *file, char etag[ETAG_MAX])
{
	char digits[MEDIA_DIGITS_MAX];

	media_write_digits(file->digest, MEDIA_DIGEST_SIZE, digits);
	snprintf(etag, ETAG_MAX, "\"%s\"", digits);
}

static void
answer_error(HttpRequest *request, HttpErrorKind kind)
{
	http_respond_error(request, http_error(kind), NULL, 0, NULL, 0);
}

static void
free_download(Download *download)
{
	if (download->read != NULL)
		media_read_end(download->read);
	credential_check_stop(&download->check);
	free(download);
}

/* ---- while it is sent ---- */

static void
on_next(void *context, HttpStream *stream)
{
	Download *download = context;

	download->stream = stream;
	media_read_next(download->read);
}

static void
on_end(void *context)
{
	free_download(context);
}

static void
on_bytes(void *context, const void *bytes, size_t len)
{
	http_stream_give(((Download *) context)->stream, bytes, len);
}

static void
on_failed(void *context)
{
	http_stream_break(((Download *) context)->stream, "file could not be read");
}

/* Sends the part that the request asks for. */
static void
send_file(Download *download)
{
	static const HttpSource source = {.next = on_next, .end = on_end};
	char content_range[HTTP_CONTENT_RANGE_MAX];
	bool part = download->range == HTTP_RANGE_PART;
	const HttpHeader headers[HEADERS_MAX] = {
		{"ETag", download->etag},
		{"Accept-Ranges", "bytes"},
		{"Cache-Control", "private, no-cache"},
		{"Content-Disposition", download->disposition},
		{"Content-Security-Policy", "sandbox; default-src 'none'"},
		{"Content-Range", content_range},
	};

	download->answered = true;
	http_content_range(content_range, download->first, download->length, download->size);
	http_respond_stream(download->request, part ? 206 : 200, headers,
						part ? HEADERS_MAX : HEADERS_MAX - 1, download->type, download->length,
						&source, download);
}

/* ---- while it is opened ---- */

static void
on_opened(void *context, MediaFound found)
{
	static const HttpErrorKind errors[] = {[MEDIA_GONE] = HTTP_ERROR_MEDIA_GONE,
										   [MEDIA_DAMAGED] = HTTP_ERROR_INTERNAL,
										   [MEDIA_UNREACHABLE] = HTTP_ERROR_UNAVAILABLE};
	Download *download = context;
	HttpRequest *request = download->request;

	if (found == MEDIA_FOUND)
	{
		send_file(download);
		return;
	}
	free_download(download);
	answer_error(request, errors[found]);
}

static void
on_gone(HttpRequest *request, void *context)
{
	free_download(context);
	answer_error(request, HTTP_ERROR_UNAVAILABLE);
}

/* Before the first piece was asked for there is nothing to break, and the next check is soon. */
static void
on_refused(void *context)
{
	Download *download = context;
	HttpRequest *request = download->request;

	if (download->stream != NULL)
		http_stream_break(download->stream, "credential is not valid any more");
	else if (!download->answered)
	{
		free_download(download);
		answer_error(request, HTTP_ERROR_UNAUTHORIZED);
	}
}

/* Takes the request. */
static void
open_file(MediaStore *store, Download *download, const Described *file)
{
	static const MediaReadEvents events = {
		.opened = on_opened, .bytes = on_bytes, .failed = on_failed};
	HttpRequest *request = download->request;
	MediaWanted wanted = {
		.size = download->size,
		.first = download->first,
		.length = request->method == HTTP_METHOD_HEAD ? 0 : download->length,
	};

	memcpy(wanted.org, file->org, MEDIA_ORG_SIZE);
	memcpy(wanted.digest, file->digest, MEDIA_DIGEST_SIZE);
	download->read = media_store_read(store, &wanted, &events, download);
	if (download->read != NULL)
	{
		http_request_on_gone(request, on_gone, download);
		return;
	}
	free_download(download);
	answer_error(request, HTTP_ERROR_UNAVAILABLE);
}

static void
refuse_range(HttpRequest *request, uint64_t size)
{
	char content_range[HTTP_CONTENT_RANGE_MAX];
	const HttpHeader header = {"Content-Range", content_range};

	http_content_range(content_range, 0, 0, size);
	http_respond_error(request, http_error(HTTP_ERROR_RANGE), NULL, 0, &header, 1);
}

/* Begins to send the part that the request asks for. */
static void
begin(const Call *call, const Described *file, const char *etag)
{
	Download *download = calloc(1, sizeof(*download));
	uint64_t size = (uint64_t) file->size;

	if (download == NULL)
	{
		answer_error(call->http, HTTP_ERROR_UNAVAILABLE);
		return;
	}
	download->request = call->http;
	download->size = size;
	download->range = http_range(call->http, etag, size, &download->first, &download->length);
	memcpy(download->etag, etag, ETAG_MAX);
	memcpy(download->type, file->type, sizeof(download->type));
	disposition_write(may_be_shown(file->type), file->name, file->name_len, download->disposition);
	if (download->range != HTTP_RANGE_NONE &&
		!credential_check_start(&download->check, call, on_refused, download))
	{
		free_download(download);
		answer_error(call->http, HTTP_ERROR_UNAVAILABLE);
	}
	else if (download->range != HTTP_RANGE_NONE)
		open_file(call->api->media, download, file);
	else
	{
		free_download(download);
		refuse_range(call->http, size);
	}
}

/* A received file is "stored" only after its connector has fetched it, or else it never is. */
static bool
is_state(const DbResult *result, const char *state)
{
	char text[16];

	return db_text_copy(result, 0, db_column(result, "state", COLUMN_STATE), text, sizeof(text)) &&
		   strcmp(text, state) == 0;
}

static void
answer_not_stored(const Call *call, const DbResult *result)
{
	HttpError pending = *http_error(HTTP_ERROR_CONFLICT);

	pending.message = "the file is still being fetched";
	if (is_state(result, "pending"))
		http_respond_error(call->http, &pending, NULL, 0, NULL, 0);
	else
		answer_error(call->http, HTTP_ERROR_MEDIA_GONE);
}

void
call_answer_file(const Call *call, const DbResult *result)
{
	HttpError stores_none = *http_error(HTTP_ERROR_NOT_IMPLEMENTED);
	Described file;
	char etag[ETAG_MAX];
	const HttpHeader headers[] = {{"ETag", etag}, {"Cache-Control", "private, no-cache"}};

	if (result->rows == 0)
	{
		answer_error(call->http, HTTP_ERROR_NOT_FOUND);
		return;
	}
	if (!is_state(result, "stored"))
	{
		answer_not_stored(call, result);
		return;
	}
	if (!read_row(result, &file))
	{
		answer_error(call->http, HTTP_ERROR_INTERNAL);
		return;
	}
	if (call->api->media == NULL)
	{
		stores_none.message = "this gateway stores no files";
		http_respond_error(call->http, &stores_none, NULL, 0, NULL, 0);
		return;
	}
	write_etag(&file, etag);
	if (http_request_has_current(call->http, etag))
		http_respond(call->http, 304, headers, 2, NULL, NULL);
	else
		begin(call, &file, etag);
}
