/*-------------------------------------------------------------------------
 *
 * redact.c
 *		Credentials never reach the server log.
 *
 * wa.secret prints itself masked, which covers bind parameters that the server
 * logs from their values.  Two ways remain by which a credential's text can
 * get into a log line: as a literal in a statement that is logged whole, and
 * as a text-format parameter that the server quotes before or without
 * converting it (log_parameter_max_length_on_error).  This hook overwrites the
 * random part of anything that looks like a credential, in place, in every
 * line that is about to be logged.
 *
 * It works on the message's own memory and changes no length, so that it
 * cannot fail, not even while the server reports that it is out of memory.
 * The statement that accompanies an error is not part of the message and
 * cannot be overwritten: it is left out of the log when it holds a credential.
 * What is logged is also what the client is told.
 *
 * Imported keys have no checksum and any length, so what looks like a
 * credential is judged by its shape: a prefix that begins a word, and behind it
 * a long run of a credential's characters with a digit or a capital in it,
 * which identifiers in messages do not have.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "tcop/tcopprot.h"
#include "utils/elog.h"

#include "common/key_format.h"
#include "src/redact.h"


static emit_log_hook_type next_emit_log_hook = NULL;

static bool
is_secret_character(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		   c == '-';
}

/* The length of a credential's prefix at text, or 0. */
static size_t
credential_prefix(const char *text)
{
	for (WakKind kind = WAK_API_KEY; kind < WAK_IMPORTED_KEY; kind++)
	{
		const char *prefix = wak_kind_prefix(kind);

		if (strncmp(text, prefix, strlen(prefix)) == 0)
			return strlen(prefix);
	}
	return 0;
}

/* The length of the secret at text, or 0 when it does not look like one. */
static size_t
secret_length(const char *text)
{
	size_t length = 0;
	bool random = false;

	for (; is_secret_character(text[length]); length++)
		random |= (text[length] >= '0' && text[length] <= '9') ||
				  (text[length] >= 'A' && text[length] <= 'Z');
	return random && length >= WAK_SECRET_MIN ? length : 0;
}

/*
 * Find the next credential at or after *text.  Returns its length behind the
 * prefix and moves *text there, or returns 0.
 */
static size_t
next_credential(char **text)
{
	bool begins_word = true;

	for (char *at = *text; *at != '\0'; at++)
	{
		size_t prefix = begins_word ? credential_prefix(at) : 0;
		size_t length = prefix > 0 ? secret_length(at + prefix) : 0;

		if (length > 0)
		{
			*text = at + prefix;
			return length;
		}
		begins_word = !is_secret_character(*at);
	}
	return 0;
}

static void
redact(char *text)
{
	size_t length;

	if (text == NULL)
		return;
	while ((length = next_credential(&text)) > 0)
	{
		memset(text + WAK_SHOWN_DIGITS, '*', length - WAK_SHOWN_DIGITS);
		text += length;
	}
}

static bool
holds_credential(const char *text)
{
	char *at = unconstify(char *, text);

	return text != NULL && next_credential(&at) > 0;
}

static void
redact_log(ErrorData *edata)
{
	redact(edata->message);
	redact(edata->detail);
	redact(edata->detail_log);
	redact(edata->hint);
	redact(edata->context);
	redact(edata->internalquery);
	if (holds_credential(debug_query_string))
		edata->hide_stmt = true;
	if (next_emit_log_hook)
		next_emit_log_hook(edata);
}

void
wa_redact_init(void)
{
	next_emit_log_hook = emit_log_hook;
	emit_log_hook = redact_log;
}
