/*
 * work.c
 *		Reads what was claimed; see work.h.
 */
#include "cloud/work.h"

#include <stdlib.h>
#include <string.h>

#include "db/result.h"

/* The columns of claim.sql and actions.sql; those that both have come first. */
enum
{
	COLUMN_ORG,
	COLUMN_ID,
	COLUMN_SESSION,
	MESSAGE_CHAT = 3,
	MESSAGE_TYPE,
	MESSAGE_BODY,
	COLUMN_MAYBE_SENT,
	COLUMN_ATTEMPT,
	MESSAGE_CONTENT = 13,
	MESSAGE_MENTIONS,
	MESSAGE_QUOTED,
	ACTION_TYPE = 3,
	ACTION_TO,
	ACTION_COPY,
	ACTION_CHAT = 8,
	ACTION_TARGET,
	ACTION_EMOJI = 12,
	ACTION_MESSAGE_TYPE = 14,
	ACTION_BODY,
	ACTION_CONTENT
};

/* Copies a text that the work owns.  False: memory is out. */
static bool
take_text(const DbResult *result, int row, int column, const char **copy)
{
	const char *text;
	size_t len;

	if (!db_text(result, row, column, &text, &len))
		return true;
	*copy = strndup(text, len);
	return *copy != NULL;
}

/* Content that cannot be read is none: the message fails for it. */
static void
take_content(Work *work, const DbResult *result, int row, int column)
{
	JsonReadError error;
	const char *json;
	size_t len;

	if (db_jsonb(result, row, column, &json, &len))
		work->content = json_read(json, len, &error);
	work->outgoing.content = work->content;
}

static bool
read_message(Work *work, const DbResult *result, int row)
{
	Outgoing *outgoing = &work->outgoing;
	DbArray mentions;

	work->deed = WORK_SEND;
	memcpy(work->opaque, work->id.text, sizeof(work->opaque));
	take_content(work, result, row, MESSAGE_CONTENT);
	outgoing->has_mentions =
		db_array(result, row, MESSAGE_MENTIONS, &mentions) && mentions.left > 0;
	return take_text(result, row, MESSAGE_CHAT, &outgoing->to) &&
		   take_text(result, row, MESSAGE_TYPE, &outgoing->type) &&
		   take_text(result, row, MESSAGE_BODY, &outgoing->body) &&
		   take_text(result, row, MESSAGE_QUOTED, &outgoing->quoted);
}

static bool
read_forward(Work *work, const DbResult *result, int row)
{
	Outgoing *outgoing = &work->outgoing;

	work->deed = WORK_SEND;
	take_content(work, result, row, ACTION_CONTENT);
	return db_text_copy(result, row, ACTION_COPY, work->opaque, sizeof(work->opaque)) &&
		   take_text(result, row, ACTION_TO, &outgoing->to) &&
		   take_text(result, row, ACTION_MESSAGE_TYPE, &outgoing->type) &&
		   take_text(result, row, ACTION_BODY, &outgoing->body);
}

/* What comes back in a status of a reaction is the id of the action. */
static bool
read_reaction(Work *work, const DbResult *result, int row)
{
	Outgoing *outgoing = &work->outgoing;

	work->deed = WORK_REACT;
	outgoing->type = strdup("reaction");
	memcpy(work->opaque, work->id.text, sizeof(work->opaque));
	return outgoing->type != NULL && take_text(result, row, ACTION_CHAT, &outgoing->to) &&
		   take_text(result, row, ACTION_TARGET, &outgoing->target) &&
		   take_text(result, row, ACTION_EMOJI, &outgoing->emoji);
}

static bool
read_action(Work *work, const DbResult *result, int row)
{
	char type[16] = "";

	db_text_copy(result, row, ACTION_TYPE, type, sizeof(type));
	if (strcmp(type, "forward") == 0)
		return read_forward(work, result, row);
	if (strcmp(type, "react") == 0)
		return read_reaction(work, result, row);
	work->deed = strcmp(type, "read") == 0 ? WORK_READ : WORK_IMPOSSIBLE;
	return take_text(result, row, ACTION_CHAT, &work->outgoing.to) &&
		   take_text(result, row, ACTION_TARGET, &work->outgoing.target);
}

bool
work_read(Work *work, WorkKind kind, const DbResult *result, int row)
{
	bool ok;

	*work = (Work){.kind = kind};
	ok = connector_read_id(result, row, COLUMN_ORG, &work->org) &&
		 connector_read_id(result, row, COLUMN_ID, &work->id) &&
		 connector_read_id(result, row, COLUMN_SESSION, &work->session) &&
		 db_int(result, row, COLUMN_ATTEMPT, &work->attempt) &&
		 (kind == WORK_MESSAGE ? read_message : read_action)(work, result, row) &&
		 work->outgoing.to != NULL;
	work->outgoing.id = work->opaque;
	db_bool(result, row, COLUMN_MAYBE_SENT, &work->maybe_sent);
	if (!ok)
		work_free(work);
	return ok;
}

void
work_free(Work *work)
{
	Outgoing *outgoing = &work->outgoing;
	const char **texts[] = {&outgoing->to,     &outgoing->type,   &outgoing->body,
							&outgoing->quoted, &outgoing->target, &outgoing->emoji};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		free((char *) *texts[i]);
		*texts[i] = NULL;
	}
	json_read_free(work->content);
	work->content = NULL;
}
