/*-------------------------------------------------------------------------
 *
 * message_state.c
 *		What the columns of messages, chats and deliveries may say:
 *		wa.is_message_state(), wa.is_chat_state(), wa.is_delivery_status(), and
 *		wa.plain_text().
 *
 * The first three are the CHECK constraints of wa.message, wa.chat and
 * wa.delivery.  The server reads a constraint from its text for each statement
 * that writes a row, which took an eighth of a send when the lists of values
 * were in the text.  So each of these tables has one constraint.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "src/compatibility.h"

PG_FUNCTION_INFO_V1(wa_is_message_state);
PG_FUNCTION_INFO_V1(wa_is_chat_state);
PG_FUNCTION_INFO_V1(wa_is_delivery_status);
PG_FUNCTION_INFO_V1(wa_plain_text);

/* The most characters of a text, as wa.read_content() allows. */
#define TEXT_MAX 65536

/* Lists end with NULL. */
static const char *const message_types[] = {
	"text", "image", "video", "audio", "document", "sticker", "location", "contact", "poll", NULL,
};
/* What nobody sends with the API, but people send and the owner of a number on a phone. */
static const char *const received_types[] = {"order", "system", "unsupported", NULL};
/* The way of a message that is sent, and the part of it that one that was received takes. */
static const char *const sent_states[] = {
	"queued", "sending", "sent", "delivered", "read", "played", "failed", NULL,
};
static const char *const received_states[] = {"delivered", "read", "played", NULL};
static const char *const delivery_statuses[] = {"pending", "delivered", "failed", "dead", NULL};
static const char *const chat_types[] = {"dm", "group", "newsletter", "broadcast", "status", NULL};

static bool
is_text(const text *value, const char *wanted)
{
	size_t len = strlen(wanted);

	return VARSIZE_ANY_EXHDR(value) == len && memcmp(VARDATA_ANY(value), wanted, len) == 0;
}

static bool
is_one_of(const text *value, const char *const *list)
{
	for (; *list != NULL; list++)
		if (is_text(value, *list))
			return true;
	return false;
}

/* wa.is_message_state(direction, type, status) */
Datum
wa_is_message_state(PG_FUNCTION_ARGS)
{
	const text *direction = PG_GETARG_TEXT_PP(0);
	const text *type = PG_GETARG_TEXT_PP(1);
	const text *status = PG_GETARG_TEXT_PP(2);

	if (!is_one_of(type, message_types) && !is_one_of(type, received_types))
		PG_RETURN_BOOL(false);
	if (is_text(direction, "out"))
		PG_RETURN_BOOL(is_one_of(status, sent_states));
	PG_RETURN_BOOL(is_text(direction, "in") && is_one_of(status, received_states));
}

/* wa.is_chat_state(type, unread_count) */
Datum
wa_is_chat_state(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_one_of(PG_GETARG_TEXT_PP(0), chat_types) && PG_GETARG_INT32(1) >= 0);
}

/* wa.is_delivery_status(status) */
Datum
wa_is_delivery_status(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_one_of(PG_GETARG_TEXT_PP(0), delivery_statuses));
}

/*
 * wa.plain_text(type, content): the text of an object that has nothing but a text of a length
 * that is allowed; NULL for anything else.
 */
Datum
wa_plain_text(PG_FUNCTION_ARGS)
{
	Jsonb *content = PG_GETARG_JSONB_P(1);
	JsonbValue found;
	int characters;

	if (!is_text(PG_GETARG_TEXT_PP(0), "text") || !JB_ROOT_IS_OBJECT(content) ||
		JB_ROOT_COUNT(content) != 1 ||
		getKeyJsonValueFromContainer(&content->root, "text", strlen("text"), &found) == NULL ||
		found.type != jbvString)
		PG_RETURN_NULL();
	characters = pg_mbstrlen_with_len(found.val.string.val, found.val.string.len);
	if (characters < 1 || characters > TEXT_MAX)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(found.val.string.val, found.val.string.len));
}
