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
 * What is logged is also what the client is told.
 *
 * The statement that accompanies an error is not part of the message, and the
 * server may still be reading it: when it holds a credential, a redacted copy is
 * logged in its place.  It is not left out, or whoever tries something would keep
 * it out of the log by a comment that looks like a key.
 *
 * A password looks like nothing.  Where one was read in, the context is left out
 * of what is reported until the transaction ends (password.c), and the statement
 * is shown up to its first literal only; so it is where an error about a credential
 * asks for it to be hidden.  A sealed login's statements are shown whole all the
 * same: those that it may run hold no literal of anybody's, so that what stands in
 * others are the secrets of whoever tries them.
 *
 * What looks like a credential is judged by its shape, in two ways:
 * - a prefix that begins a word, and behind it a run of a credential's characters
 *	 with a digit or a capital in it, which identifiers in messages do not have;
 * - a long run of letters of both cases and digits, whatever stands before it:
 *	 behind an escape or another word the prefix begins no word, and where the
 *	 server quotes the middle of a text it cuts the prefix off.
 *
 * Out of reach are other spellings of a secret (bytea in hexadecimal, Unicode
 * escapes) and what is no part of the message: log_line_prefix shows the names
 * of user, database and application as they are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "tcop/tcopprot.h"
#include "utils/elog.h"

#include "src/common/key_format.h"
#include "src/password.h"
#include "src/redact.h"


/* A run of this many mixed characters is taken for a secret without a prefix. */
#define RANDOM_RUN_MIN 40

/* Bytes of a statement that are shown when it has to be redacted; memory that was never used costs nothing. */
#define SHOWN_MAX (1024 * 1024)

/* What Standard Webhooks begins secrets with. */
#define WEBHOOK_PREFIX "whsec_"

static emit_log_hook_type next_emit_log_hook = NULL;

/* Whether this is a sealed login's session. */
static bool shows_statements = false;

/* The statement as it is logged, when that differs from what was sent. */
static char shown[SHOWN_MAX];

static bool
is_base62(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_secret_character(char c)
{
	return is_base62(c) || c == '_' || c == '-';
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
secret_len(const char *text)
{
	size_t len = 0;
	bool random = false;

	for (; is_secret_character(text[len]); len++)
		random |= (text[len] >= '0' && text[len] <= '9') || (text[len] >= 'A' && text[len] <= 'Z');
	return random && len >= WAK_SECRET_MIN ? len : 0;
}

/* The length of the random run at text, or 0 when it is too short or too plain. */
static size_t
random_run_length(const char *text)
{
	size_t len = 0;
	bool digit = false;
	bool lower = false;
	bool upper = false;

	for (; is_base62(text[len]); len++)
	{
		digit |= text[len] <= '9';
		upper |= text[len] >= 'A' && text[len] <= 'Z';
		lower |= text[len] >= 'a';
	}
	return digit && lower && upper && len >= RANDOM_RUN_MIN ? len : 0;
}

/* The length of a webhook's secret (base64) at text, or 0. */
static size_t
webhook_secret_length(const char *text)
{
	size_t len = 0;

	while (is_base62(text[len]) || (text[len] != '\0' && strchr("+/=", text[len])))
		len++;
	return len >= WAK_SECRET_MIN ? len : 0;
}

/*
 * Find the next secret at or after *text.  Returns its length, without a
 * prefix, and moves *text there, or returns 0.
 */
static size_t
next_secret(char **text)
{
	char before = ' ';

	for (char *at = *text; *at != '\0'; before = *at++)
	{
		size_t prefix = is_secret_character(before) ? 0 : credential_prefix(at);
		size_t len = prefix > 0 ? secret_len(at + prefix) : 0;

		if (strncmp(at, WEBHOOK_PREFIX, strlen(WEBHOOK_PREFIX)) == 0)
		{
			prefix = strlen(WEBHOOK_PREFIX);
			len = webhook_secret_length(at + prefix);
		}

		if (len == 0 && !is_base62(before))
		{
			prefix = 0;
			len = random_run_length(at);
		}
		if (len > 0)
		{
			*text = at + prefix;
			return len;
		}
	}
	return 0;
}

static void
redact(char *text)
{
	size_t len;

	if (text == NULL)
		return;
	while ((len = next_secret(&text)) > 0)
	{
		memset(text + WAK_SHOWN_DIGITS, '*', len - WAK_SHOWN_DIGITS);
		text += len;
	}
}

bool
wa_holds_secret(const char *text)
{
	char *at = unconstify(char *, text);

	return text != NULL && next_secret(&at) > 0;
}

/*
 * Log a redacted copy of the statement.  From now on the server reports that one, for
 * as long as the statement runs; what it executes is another's to hold.
 */
static void
show_redacted(void)
{
	size_t len = strnlen(debug_query_string, SHOWN_MAX);

	if (debug_query_string == shown)
		return;
	memcpy(shown, debug_query_string, Min(len, SHOWN_MAX - 1));
	shown[Min(len, SHOWN_MAX - 1)] = '\0';
	redact(shown);
	/* what may be the beginning of a credential that was cut off */
	if (len == SHOWN_MAX)
		for (size_t end = SHOWN_MAX - 1; end > 0 && !isspace((unsigned char) shown[end - 1]); end--)
			shown[end - 1] = '*';
	debug_query_string = shown;
}

/* ... that ends where its first literal begins. */
static void
show_beginning(void)
{
	size_t len;

	show_redacted();
	len = strcspn(shown, "'$0123456789");
	strlcpy(shown + len, "...", SHOWN_MAX - len);
}

static void
redact_statement(ErrorData *edata)
{
	bool secret = wa_password_is_near() || (edata->hide_stmt && edata->elevel >= ERROR);

	if (debug_query_string == NULL || (!secret && !wa_holds_secret(debug_query_string)))
		return;
	if (secret)
		edata->hide_stmt = edata->elevel < ERROR && edata->hide_stmt;
	if (secret && !shows_statements)
		show_beginning();
	else
		show_redacted();
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
	if (wa_password_is_near())
	{
		edata->context = NULL;
		edata->internalquery = NULL;
	}
	redact_statement(edata);
	if (next_emit_log_hook)
		next_emit_log_hook(edata);
}

void
wa_redact_show_statements(void)
{
	shows_statements = true;
}

void
wa_redact_init(void)
{
	next_emit_log_hook = emit_log_hook;
	emit_log_hook = redact_log;
}
