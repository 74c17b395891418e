/*
 * attachment.c
 *		Calls whose JSON body has a file in it; see attachment.h.
 *
 *	BEGINNING --> NOTING --> SENDING
 *	    |           |
 *	    |           the file is stored, and its row is written
 *	    all of the call is checked, also whether it is a repeated one
 *
 * Each is a request to the database.  The first has the body as it was sent, so that the database
 * alone decides what is right in it; what it finds right is stored in between, as an upload is
 * (upload.c).  The last has the file's id in the place of the file.  If it is refused, the file is
 * an upload that no message carries.
 */
#include "api/attachment.h"

#include <stdlib.h>
#include <string.h>

#include "api/params.h"
#include "api/upload.h"
#include "src/common/file_text.h"
#include "src/common/typeid.h"

typedef enum AttachmentStage
{
	ATTACHMENT_BEGINNING, /* nothing of it is stored, and the call may be wrong */
	ATTACHMENT_NOTING,    /* it is being stored, or has no row yet */
	ATTACHMENT_SENDING    /* it has a row */
} AttachmentStage;

struct Attachment
{
	AttachmentStage stage;
	const JsonValue *media; /* the member of the body */
	const char *field;      /* the name of its file, for a problem */
	const char *text;       /* the file, in the body */
	size_t len;
	uint8_t request_digest[MEDIA_DIGEST_SIZE];
	uint8_t id[DB_UUID_SIZE]; /* with ATTACHMENT_SENDING */
};

/* Finds the text of a file in "data", or in "url" if that is a data: URL. */
static bool
find_text(Attachment *attachment)
{
	const char *text;
	size_t len;

	if (json_read_string(json_read_member(attachment->media, "data"), &text, &len))
		attachment->field = "media.data";
	else if (json_read_string(json_read_member(attachment->media, "url"), &text, &len) &&
			 wak_is_data_url(text, len))
		attachment->field = "media.url";
	else
		return false;
	attachment->text = text;
	attachment->len = len;
	return true;
}

bool
call_find_attachment(Call *call)
{
	const char *member = call->route->endpoint->attachment;
	Attachment found = {.stage = ATTACHMENT_BEGINNING};

	if (call->attachment != NULL || member == NULL || call->api->media == NULL)
		return true;
	found.media = json_read_member(call->body, member);
	if (!find_text(&found))
		return true;
	call->attachment = malloc(sizeof(found));
	if (call->attachment == NULL)
		return false;
	*call->attachment = found;
	return true;
}

int
call_next_statement(const Call *call)
{
	if (call->attachment == NULL)
		return call->route->statement;
	switch (call->attachment->stage)
	{
		case ATTACHMENT_BEGINNING:
			return call->api->message_file_begin;
		case ATTACHMENT_NOTING:
			return call->api->media_create;
		default:
			return call->api->message_file_send;
	}
}

bool
call_add_next_params(Call *call)
{
	const Attachment *attachment = call->attachment;

	if (attachment != NULL && attachment->stage == ATTACHMENT_NOTING)
		return call_add_upload(call, PARAM_UPLOAD_DIGEST) &&
			   call_add_upload(call, PARAM_UPLOAD_SIZE) &&
			   call_add_upload(call, PARAM_UPLOAD_TYPE) &&
			   call_add_upload(call, PARAM_UPLOAD_NAME) &&
			   call_add_upload(call, PARAM_UPLOAD_BEGUN);
	return call_add_params(call) &&
		   (attachment == NULL || attachment->stage != ATTACHMENT_SENDING ||
			db_param_bytes(call->db, attachment->request_digest, MEDIA_DIGEST_SIZE));
}

bool
call_has_more_statements(const Call *call)
{
	return call->attachment != NULL && call->attachment->stage != ATTACHMENT_SENDING;
}

bool
call_was_repeated(const Call *call, const DbResult *result)
{
	bool repeated = false;

	return call->attachment != NULL && call->attachment->stage == ATTACHMENT_BEGINNING &&
		   db_bool(result, 0, db_column(result, "replayed", 0), &repeated) && repeated;
}

/* Writes the file in binary; NULL: memory is out, or the text is wrong, which is noted. */
static uint8_t *
decode(Call *call, size_t *size)
{
	const Attachment *attachment = call->attachment;
	uint8_t *bytes = malloc(attachment->len + 1);
	WakFileText file;

	if (bytes == NULL)
		return NULL;
	if (wak_file_text_read(attachment->text, attachment->len, bytes, &file))
	{
		*size = file.len;
		return bytes;
	}
	call_problem(call, attachment->field, "%s", file.problem);
	free(bytes);
	return NULL;
}

/* Stores the file, which the database has found right. */
static void
store(Call *call, const DbResult *result, void (*next)(Call *call), void (*end)(Call *call))
{
	Attachment *attachment = call->attachment;
	DbCell digest = db_cell(result, 0, db_column(result, "request_digest", 0));
	UploadedFile file = {.field = attachment->field};
	size_t len;

	attachment->stage = ATTACHMENT_NOTING;
	file.bytes = decode(call, &file.size);
	if (digest.len == MEDIA_DIGEST_SIZE)
		memcpy(attachment->request_digest, digest.bytes, MEDIA_DIGEST_SIZE);
	json_read_string(json_read_member(attachment->media, "filename"), &file.name, &len);
	call_store_file(call, result, &file, next, end);
}

void
call_take_attachment(Call *call, const DbResult *result, void (*next)(Call *call),
					 void (*end)(Call *call))
{
	Attachment *attachment = call->attachment;

	if (attachment->stage == ATTACHMENT_BEGINNING)
	{
		store(call, result, next, end);
		return;
	}
	attachment->stage = ATTACHMENT_SENDING;
	db_uuid(result, 0, db_column(result, "id", 0), attachment->id);
	next(call);
}

bool
call_is_attachment_stored(const Call *call, const char *name)
{
	return call->attachment != NULL && call->attachment->stage == ATTACHMENT_SENDING &&
		   strcmp(name, call->route->endpoint->attachment) == 0;
}

void
call_write_attachment(const Call *call, JsonWriter *writer)
{
	char id[WAK_TYPEID_MAX + 1];

	wak_typeid_encode("med", call->attachment->id, id);
	json_write_object_begin(writer);
	json_write_name(writer, "id");
	json_write_text(writer, id);
	json_write_object_end(writer);
}

void
call_free_attachment(Call *call)
{
	free(call->attachment);
	call->attachment = NULL;
}
