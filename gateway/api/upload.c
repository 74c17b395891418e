/*
 * upload.c
 *		Calls that take the bytes of a file; see upload.h.
 *
 * An upload is two requests to the database: the first says whether the caller may upload and
 * for which organization, before a byte is taken; the second writes the row, when the bytes are
 * durable.  A file whose row could not be written stays in the store, and nobody sees it.  The
 * first also says the time, which the second repeats: it is refused when a worker has removed the
 * same bytes from the store since then (schema/92-media-removal.sql), and the answer is a 503.
 *
 * In a form, the name and the type of a file come with its bytes, and a body in chunks does not
 * say its length.  Then the first question is asked once more when all is known, before the file
 * is kept.  Of a file in memory (attachment.c) all is known from the start.
 */
#include "api/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/body.h"
#include "api/credential_check.h"
#include "api/disposition.h"
#include "api/form.h"
#include "src/common/media_type.h"
#include "db/result.h"
#include "media/store.h"

/* NOLINTNEXTLINE(misc-redundant-expression): the two numbers are of different floors */
_Static_assert(HTTP_PART_MAX <= MEDIA_PART_MAX, "a part of a body is a part of a file");

struct Upload
{
	MediaUpload *upload; /* NULL: it has not begun, or has ended */
	Place place;
	CredentialCheck check;
	void (*next)(Call *call);
	void (*end)(Call *call);
	Form *form;        /* NULL: the body is the file itself */
	UploadedFile file; /* with a field: the file is in memory, until the store has all of it */
	uint8_t org[DB_UUID_SIZE];
	int64_t begun_ms; /* by the clock of the database; the file is stored after that */
	uint64_t bytes;   /* of the file that have come, or were given to the store */
	bool room;        /* the store has room for more */
	bool size_told;   /* the database was told how many bytes there are before they came */
	bool asking;      /* the database is asked once more */
	bool failed;      /* meanwhile the store has failed */
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

static bool
is_form_with_file(const char *type)
{
	static const char wanted[] = "multipart/form-data";

	return strncmp(type, wanted, sizeof(wanted) - 1) == 0 &&
		   (type[sizeof(wanted) - 1] == ';' || type[sizeof(wanted) - 1] == '\0');
}

/* Reads a media type that is said; false, and notes why, if it is none. */
static bool
read_type(Call *call, const HttpText *type, char said[WAK_MEDIA_TYPE_WRITTEN_MAX + 1])
{
	said[0] = '\0';
	if (type == NULL || wak_media_type_read(type->data, type->len, said))
		return true;
	said[0] = '\0';
	call_problem(call, "Content-Type", "must be a media type such as image/png");
	return false;
}

/* A form of another kind cannot be a file, which is sent as it is. */
static bool
check_no_form(Call *call, const char *said)
{
	if (!is_form(said))
		return true;
	call_refuse(call, HTTP_ERROR_UNSUPPORTED_MEDIA_TYPE,
				"a file is sent as the body, with its media type as Content-Type, "
				"or as \"file\" in multipart/form-data");
	return false;
}

static bool begin_file(Call *call, const HttpText *type, const char *name);
static bool add(Call *call, const char *bytes, size_t len);

/* Reads the Content-Type of the request, which may be that of a form; false: out of memory. */
static bool
read_head_type(Call *call)
{
	static const FormEvents events = {.file = begin_file, .bytes = add};
	Upload *upload = call->upload;
	size_t count;
	const HttpText *type = http_request_header(call->http, "content-type", &count);

	if (type != NULL && count != 1)
		call_problem(call, "Content-Type", "must be given once");
	else if (!read_type(call, type, upload->said))
		return true;
	else if (!is_form_with_file(upload->said))
		check_no_form(call, upload->said);
	else
	{
		upload->form = form_begin(call, upload->said, &events);
		upload->said[0] = '\0';
		return upload->form != NULL || call->refused;
	}
	return true;
}

bool
call_begin_upload(Call *call)
{
	Upload *upload = call->upload = calloc(1, sizeof(*upload));

	if (upload == NULL || !read_head_type(call))
		return false;
	upload->room = true;
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

/*
 * The bytes of the file, if they are known: when they have come, or by the length of a body that
 * is the file.  0: they are not known, or too many, which is refused later.
 */
static int64_t
known_size(const Call *call)
{
	const HttpText *length = http_request_header(call->http, "content-length", NULL);
	uint64_t size = call->upload->bytes;

	if (size == 0 && call->upload->form == NULL && length != NULL)
		size = strtoull(length->data, NULL, 10);
	return size <= call->api->media_max ? (int64_t) size : 0;
}

bool
call_add_begin_upload(Call *call)
{
	int64_t size = known_size(call);

	call->upload->size_told = size != 0;
	return add_text(call->db, call->upload->said) && add_text(call->db, call->upload->name) &&
		   (size == 0 ? db_param_null(call->db) : db_param_int64(call->db, size));
}

static void
answer_unavailable(Call *call)
{
	HttpRequest *request = call->http;

	call->upload->end(call);
	http_respond_error(request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
}

/* Ends an upload in the middle, also while the database is asked once more. */
static void
break_off(Call *call, const HttpError *error, const HttpDetail *detail)
{
	HttpRequest *request = call->http;

	if (call->upload->asking)
		db_abandon(call->db);
	call->upload->end(call);
	http_respond_error(request, error, detail, detail == NULL ? 0 : 1, NULL, 0);
}

static void
on_refused(void *context)
{
	break_off(context, http_error(HTTP_ERROR_UNAUTHORIZED), NULL);
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

/* The client has left.  Answering frees the request; nothing is sent. */
static void
on_gone(HttpRequest *request, void *context)
{
	(void) request;
	answer_unavailable(context);
}

/* Gives the store what it has room for of a file in memory. */
static void
add_from_memory(Call *call)
{
	Upload *upload = call->upload;

	while (upload->room && upload->bytes < upload->file.size)
	{
		size_t left = upload->file.size - upload->bytes;

		add(call, (const char *) upload->file.bytes + upload->bytes,
			left < MEDIA_PART_MAX ? left : MEDIA_PART_MAX);
	}
	if (upload->bytes < upload->file.size)
		return;
	free(upload->file.bytes);
	upload->file.bytes = NULL;
	credential_check_stop(&upload->check);
	media_upload_end(upload->upload);
}

static void
on_room(void *context)
{
	Call *call = context;

	call->upload->room = true;
	if (call->upload->file.field != NULL)
		add_from_memory(call);
	else
		http_body_resume(call->http);
}

static void
on_moving(void *context)
{
	http_request_keep(((Call *) context)->http);
}

/* The Content-Type of a file in memory is that of the body around it. */
static void
refuse_type(Call *call, const MediaStored *stored)
{
	const Upload *upload = call->upload;

	if (upload->file.field != NULL)
	{
		call_problem(call, upload->file.field, "is said to be %s, but is %s", upload->said,
					 stored->found);
		return;
	}
	call_refuse(call, HTTP_ERROR_UNSUPPORTED_MEDIA_TYPE,
				"the file is not of the type that Content-Type says");
	call_problem(call, "Content-Type", "is %s, but the file is %s", upload->said, stored->found);
}

static void
on_done(void *context, const MediaStored *stored)
{
	Call *call = context;
	Upload *upload = call->upload;

	upload->upload = NULL;
	upload->failed = stored->outcome == MEDIA_FAILED;
	if (upload->asking)
		return;
	place_leave(&call->api->uploads, &upload->place);
	if (upload->failed)
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

/* Begins to store the file.  False: there is no room for it now. */
static bool
begin_storing(Call *call)
{
	static const MediaUploadEvents events = {.room = on_room, .done = on_done, .moving = on_moving};
	Upload *upload = call->upload;

	upload->upload =
		media_upload_begin(call->api->media, upload->org,
						   upload->said[0] == '\0' ? NULL : upload->said, &events, call);
	return upload->upload != NULL;
}

/* The file in a form begins. */
static bool
begin_file(Call *call, const HttpText *type, const char *name)
{
	Upload *upload = call->upload;

	snprintf(upload->name, sizeof(upload->name), "%s", name);
	return read_type(call, type, upload->said) && check_no_form(call, upload->said) &&
		   begin_storing(call);
}

/* The next bytes of the file.  A form may have more bytes than a file, so they are counted. */
static bool
add(Call *call, const char *bytes, size_t len)
{
	Upload *upload = call->upload;

	upload->bytes += len;
	if (upload->bytes > call->api->media_max)
	{
		call_refuse(call, HTTP_ERROR_PAYLOAD_TOO_LARGE, NULL);
		return false;
	}
	upload->room = media_upload_add(upload->upload, bytes, len);
	return true;
}

/* Gives up the file: the call is refused, or else there was no room. */
static void
give_up(Call *call)
{
	Upload *upload = call->upload;

	if (upload->upload != NULL)
		media_upload_cancel(upload->upload);
	upload->upload = NULL;
	credential_check_stop(&upload->check);
	place_leave(&call->api->uploads, &upload->place);
	if (call->refused)
		upload->next(call);
	else
		answer_unavailable(call);
}

static bool
on_part(void *context, const char *bytes, size_t len)
{
	Call *call = context;
	Upload *upload = call->upload;

	if (upload->form == NULL ? add(call, bytes, len) : form_read(upload->form, bytes, len))
		return upload->room;
	give_up(call);
	return false;
}

static void
on_end(void *context)
{
	Call *call = context;
	Upload *upload = call->upload;

	if (call->refused) /* and the answer is on its way */
		return;
	credential_check_stop(&upload->check);
	if (upload->form == NULL || form_end(upload->form))
		if (upload->bytes == 0)
			call_problem(call, upload->form == NULL ? "body" : "file", "must not be empty");
	if (call->refused)
		give_up(call);
	else if (upload->size_told)
		media_upload_end(upload->upload);
	else
	{
		upload->asking = true;
		call->asks = true;
		upload->next(call);
	}
}

/* The database was asked once more, and the file can be kept. */
static void
keep_file(Call *call)
{
	call->upload->asking = false;
	if (call->upload->failed)
	{
		answer_unavailable(call);
		return;
	}
	http_request_on_gone(call->http, on_gone, call);
	media_upload_end(call->upload->upload);
}

/* Takes a place for the upload, maybe from another one.  False: the call was answered. */
static bool
take_place(Call *call)
{
	void *loser;
	PlaceResult result =
		place_take(&call->api->uploads, &call->upload->place, call->upload->org, call, &loser);

	if (loser != NULL)
		refuse_crowded(loser);
	if (result == PLACE_TOO_MANY)
		refuse_crowded(call);
	else if (result == PLACE_FULL)
		answer_unavailable(call);
	return result == PLACE_TAKEN;
}

/* Begins to take the body.  False: the call was answered. */
static bool
begin(Call *call, const DbResult *result)
{
	Upload *upload = call->upload;

	if (!db_uuid(result, 0, db_column(result, "org_id", 0), upload->org) ||
		!db_int(result, 0, db_column(result, "begun_ms", 1), &upload->begun_ms))
	{
		answer_unavailable(call);
		return false;
	}
	if (!take_place(call))
		return false;
	if (upload->form == NULL && !begin_storing(call))
	{
		answer_unavailable(call);
		return false;
	}
	if (credential_check_start(&upload->check, call, on_refused, call))
		return true;
	answer_unavailable(call);
	return false;
}

void
call_take_upload(Call *call, const DbResult *result, void (*next)(Call *call),
				 void (*end)(Call *call))
{
	static HttpBodySink sink = {.part = on_part, .end = on_end};
	Upload *upload = call->upload;

	if (upload->asking)
	{
		keep_file(call);
		return;
	}
	upload->next = next;
	upload->end = end;
	if (!begin(call, result))
		return;
	sink.max = call->api->media_max + (upload->form == NULL ? 0 : FORM_BYTES_MAX);
	http_request_on_gone(call->http, on_gone, call);
	http_body_take(call->http, &sink, call);
}

/* Begins to store a file in memory.  False: the call was answered, or goes on without it. */
static bool
begin_from_memory(Call *call, const DbResult *result)
{
	Upload *upload = call->upload;

	db_text_copy(result, 0, db_column(result, "mimetype", 0), upload->said, sizeof(upload->said));
	snprintf(upload->name, sizeof(upload->name), "%s",
			 upload->file.name == NULL ? "" : upload->file.name);
	if (upload->file.size > call->api->media_max)
		call_refuse(call, HTTP_ERROR_PAYLOAD_TOO_LARGE, NULL);
	if (!call->refused)
		return begin(call, result);
	upload->next(call);
	return false;
}

void
call_store_file(Call *call, const DbResult *result, const UploadedFile *file,
				void (*next)(Call *call), void (*end)(Call *call))
{
	HttpRequest *request = call->http;
	Upload *upload = call->upload = calloc(1, sizeof(*upload));

	if (upload == NULL || (file->bytes == NULL && !call->refused))
	{
		free(file->bytes);
		end(call);
		http_respond_error(request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
		return;
	}
	upload->next = next;
	upload->end = end;
	upload->room = true;
	upload->file = *file;
	if (!begin_from_memory(call, result))
		return;
	http_request_on_gone(request, on_gone, call);
	add_from_memory(call);
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
		case PARAM_UPLOAD_BEGUN:
			return db_param_int64(call->db, upload->begun_ms);
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
	if (upload->upload != NULL)
		media_upload_cancel(upload->upload);
	place_leave(&call->api->uploads, &upload->place);
	credential_check_stop(&upload->check);
	free(upload->form);
	free(upload->file.bytes);
	free(upload);
	call->upload = NULL;
}
