/*
 * media.c
 *		Calls that take the bytes of a file; see media.h.
 *
 * An upload is two requests to the database: the first says whether the caller may upload and
 * for which organization, before a byte is taken; the second writes the row, when the bytes are
 * durable.  A file whose row could not be written stays in the store, and nobody sees it.
 */
#include "api/media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/body.h"
#include "api/disposition.h"
#include "api/upload_check.h"
#include "src/common/media_type.h"
#include "db/result.h"
#include "media/store.h"

struct Upload
{
	MediaUpload *upload; /* NULL: it has ended */
	UploadPlace place;
	UploadCheck check;
	void (*next)(Call *call);
	void (*end)(Call *call);
	uint64_t bytes; /* that have come */
	bool stored;
	uint8_t digest[MEDIA_DIGEST_SIZE];
	uint64_t size;
	char said[WAK_MEDIA_TYPE_WRITTEN_MAX + 1]; /* empty: no type was said */
	char type[WAK_MEDIA_TYPE_WRITTEN_MAX + 1];
	char name[DISPOSITION_NAME_MAX]; /* empty: none was given */
};

/* Types that a client sends when it does not send the file itself, or knows no better. */
static bool
is_form(const char *type)
{
	return strncmp(type, "multipart/", 10) == 0 ||
		   strcmp(type, "application/x-www-form-urlencoded") == 0;
}

static void
read_type(Call *call, char said[WAK_MEDIA_TYPE_WRITTEN_MAX + 1])
{
	size_t count;
	const HttpText *type = http_request_header(call->http, "content-type", &count);

	said[0] = '\0';
	if (type == NULL)
		return;
	if (count != 1 || !wak_media_type_read(type->data, type->len, said))
		call_problem(call, "Content-Type", "must be a media type such as image/png");
	else if (is_form(said))
		call_refuse(call, HTTP_ERROR_UNSUPPORTED_MEDIA_TYPE,
					"the body has to be the file itself, with its media type as Content-Type");
}

bool
call_begin_upload(Call *call)
{
	Upload *upload = call->upload = calloc(1, sizeof(*upload));

	if (upload == NULL)
		return false;
	read_type(call, upload->said);
	if (!disposition_read(call->http, upload->name))
		call_problem(call, "Content-Disposition", "must have a file name as RFC 6266 writes it");
	call_check_plain(call);
	call_check_query(call);
	if (call->api->media == NULL)
		call_refuse(call, HTTP_ERROR_NOT_IMPLEMENTED, "this gateway stores no files");
	return true;
}

/* NULL for an empty text. */
static bool
add_text(DbRequest *request, const char *text)
{
	return text[0] == '\0' ? db_param_null(request) : db_param_text(request, text, strlen(text));
}

bool
call_add_begin_upload(Call *call)
{
	return add_text(call->db, call->upload->said) && add_text(call->db, call->upload->name);
}

static void
on_gone(HttpRequest *request, void *context)
{
	Call *call = context;

	if (call->upload->upload != NULL)
		media_upload_cancel(call->upload->upload);
	call->upload->end(call);
	http_respond_error(request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
}

static void
answer_unavailable(Call *call)
{
	HttpRequest *request = call->http;

	call->upload->end(call);
	http_respond_error(request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
}

/* Ends an upload in the middle. */
static void
break_off(Call *call, const HttpError *error, const HttpDetail *detail)
{
	HttpRequest *request = call->http;

	if (call->upload->upload != NULL)
		media_upload_cancel(call->upload->upload);
	call->upload->end(call);
	http_respond_error(request, error, detail, detail == NULL ? 0 : 1, NULL, 0);
}

static void
on_refused(Call *call)
{
	break_off(call, http_error(HTTP_ERROR_UNAUTHORIZED), NULL);
}

/* The organization has more uploads under way than others leave to it. */
static void
refuse_crowded(Call *call)
{
	HttpError error = *http_error(HTTP_ERROR_RATE_LIMITED);
	const HttpDetail detail = {.name = "limit", .text = "uploads"};

	error.message = "too many uploads of this organization are under way";
	break_off(call, &error, &detail);
}

static bool
on_part(void *context, const char *bytes, size_t len)
{
	Upload *upload = ((Call *) context)->upload;

	upload_check_tick(&upload->check);
	upload->bytes += len;
	return media_upload_add(upload->upload, bytes, len);
}

static void
on_end(void *context)
{
	Call *call = context;
	Upload *upload = call->upload;

	upload_check_stop(&upload->check);
	if (upload->bytes > 0)
	{
		media_upload_end(upload->upload);
		return;
	}
	media_upload_cancel(upload->upload);
	upload->upload = NULL;
	call_problem(call, "body", "must not be empty");
	upload->next(call);
}

static void
on_room(void *context)
{
	http_body_resume(((Call *) context)->http);
}

static void
on_moving(void *context)
{
	http_request_keep(((Call *) context)->http);
}

static void
refuse_type(Call *call, const MediaStored *stored)
{
	call_refuse(call, HTTP_ERROR_UNSUPPORTED_MEDIA_TYPE,
				"the file is not of the type that Content-Type says");
	call_problem(call, "Content-Type", "is %s, but the file is %s", call->upload->said,
				 stored->found);
}

static void
on_done(void *context, const MediaStored *stored)
{
	Call *call = context;
	Upload *upload = call->upload;

	upload->upload = NULL;
	upload_place_leave(&call->api->uploads, &upload->place);
	if (stored->outcome == MEDIA_FAILED)
	{
		answer_unavailable(call);
		return;
	}
	if (stored->outcome == MEDIA_REFUSED)
		refuse_type(call, stored);
	else
	{
		upload->stored = true;
		upload->size = stored->size;
		memcpy(upload->digest, stored->digest, MEDIA_DIGEST_SIZE);
		snprintf(upload->type, sizeof(upload->type), "%s", stored->type);
	}
	upload->next(call);
}

/* Takes a place for the upload, maybe from another one.  False: the call was answered. */
static bool
take_place(Call *call, const uint8_t org[DB_UUID_SIZE])
{
	void *loser;
	UploadPlaceResult result =
		upload_place_take(&call->api->uploads, &call->upload->place, org, call, &loser);

	if (loser != NULL)
		refuse_crowded(loser);
	if (result == UPLOAD_PLACE_TOO_MANY)
		refuse_crowded(call);
	else if (result == UPLOAD_PLACE_FULL)
		answer_unavailable(call);
	return result == UPLOAD_PLACE_TAKEN;
}

/* Begins to take the body.  False: the call was answered. */
static bool
begin(Call *call, const DbResult *result)
{
	static const MediaUploadEvents events = {.room = on_room, .done = on_done, .moving = on_moving};
	Upload *upload = call->upload;
	uint8_t org[DB_UUID_SIZE];

	if (!db_uuid(result, 0, db_column(result, "org_id", 0), org))
	{
		answer_unavailable(call);
		return false;
	}
	if (!take_place(call, org))
		return false;
	upload->upload = media_upload_begin(
		call->api->media, org, upload->said[0] == '\0' ? NULL : upload->said, &events, call);
	if (upload->upload == NULL)
		answer_unavailable(call);
	else
		upload_check_start(&upload->check, call, on_refused);
	return upload->upload != NULL;
}

void
call_take_upload(Call *call, const DbResult *result, void (*next)(Call *call),
				 void (*end)(Call *call))
{
	static HttpBodySink sink = {.part = on_part, .end = on_end};

	call->upload->next = next;
	call->upload->end = end;
	if (!begin(call, result))
		return;
	sink.max = call->api->media_max;
	http_request_on_gone(call->http, on_gone, call);
	http_body_take(call->http, &sink, call);
}

bool
call_add_upload(Call *call, ParamSource source)
{
	const Upload *upload = call->upload;

	if (upload == NULL || !upload->stored)
		return db_param_null(call->db);
	switch (source)
	{
		case PARAM_UPLOAD_DIGEST:
			return db_param_bytes(call->db, upload->digest, MEDIA_DIGEST_SIZE);
		case PARAM_UPLOAD_SIZE:
			return db_param_int64(call->db, (int64_t) upload->size);
		case PARAM_UPLOAD_TYPE:
			return add_text(call->db, upload->type);
		default:
			return add_text(call->db, upload->name);
	}
}

void
call_free_upload(Call *call)
{
	Upload *upload = call->upload;

	if (upload == NULL)
		return;
	upload_place_leave(&call->api->uploads, &upload->place);
	upload_check_stop(&upload->check);
	free(upload);
	call->upload = NULL;
}
