/*-------------------------------------------------------------------------
 *
 * redact.c
 *		Credentials never reach the server log.
 *
 * wa.secret prints itself masked, which covers bind parameters that the server
 * logs from their values.  A credential's text can still get into a log line in
 * two ways: as a literal in a statement that is logged whole, and as a
 * text-format parameter that the server quotes without converting it or before
 * it does (log_parameter_max_length_on_error).  This hook overwrites the random
 * part of everything that looks like a credential, in place, in every line that
 * is about to be logged.
 *
 * It works on the message's own memory and changes no length.  So it cannot
 * fail, not even while the server reports that it is out of memory.  The client
 * gets the same text as the log.
 *
 * The statement that accompanies an error is not part of the message, and the
 * server may still be reading it.  If the statement contains a credential, a
 * redacted copy is logged in its place.  The statement is not left out:
 * otherwise an attacker could keep a statement out of the log with a comment
 * that looks like a key.
 *
 * A password cannot be recognized by its shape.  If a transaction has read one,
 * then until its end the context of its messages is left out (password.c) and
 * its statements are shown only up to their first literal.  An error about a
 * credential that asks for its statement to be hidden is treated in the same
 * way.  The statements of a sealed login are still shown whole.  Those that it
 * may run contain no secret literals, so literals in other statements are the
 * secrets of whoever tries them.
 *
 * A text looks like a credential if it has one of these two shapes:
 * - a prefix at the beginning of a word, followed by a run of a credential's
 *   characters with a digit or a capital among them, which identifiers in
 *   messages do not have;
 * - a long run of letters of both cases and digits, whatever stands before it.
 *   This covers a prefix behind an escape or another word, and a prefix that
 *   the server has cut off because it quotes the middle of a text.
 *
 * Not covered are other spellings of a secret (bytea in hexadecimal, Unicode
 * escapes) and text that is not part of the message: log_line_prefix shows the
 * names of user, database and application as they are.
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


/* A run of at least this many mixed characters is treated as a secret without a prefix. */
#define RANDOM_RUN_MIN 40

/*
 * The most bytes of a redacted statement that are shown.  Memory that is never used costs
 * nothing.
 */
#define SHOWN_MAX (1024 * 1024)

/* The prefix of secrets in Standard Webhooks. */
#define WEBHOOK_PREFIX "whsec_"

static emit_log_hook_type next_emit_log_hook = NULL;

/* Whether this session's login is sealed. */
static bool shows_statements = false;

/* The statement as it is logged, if that differs from the one that was sent. */
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

/* The length of the secret at "text", or 0 if it does not look like one. */
static size_t
secret_len(const char *text)
{
	size_t len = 0;
	bool random = false;

	for (; is_secret_character(text[len]); len++)
		random |= (text[len] >= '0' && text[len] <= '9') || (text[len] >= 'A' && text[len] <= 'Z');
	return random && len >= WAK_SECRET_MIN ? len : 0;
}

/*
 * The length of a credential's prefix at "text", or 0.  Of a shorter text that begins like a
 * test key less is shown: it may be a key of another system.
 */
static size_t
credential_prefix(const char *text)
{
	for (WakKind kind = WAK_TEST_KEY; kind < WAK_IMPORTED_KEY; kind++)
	{
		const char *prefix = wak_kind_prefix(kind);
		size_t len = strlen(prefix);

		if (strncmp(text, prefix, len) != 0)
			continue;
		if (kind != WAK_TEST_KEY || len + secret_len(text + len) >= WAK_TEST_KEY_LENGTH)
			return len;
	}
	return 0;
}

/* The length of the random run at "text", or 0 if it is too short or not mixed. */
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

/* The length of a webhook's secret (base64) at "text", or 0. */
static size_t
webhook_secret_length(const char *text)
{
	size_t len = 0;

	while (is_base62(text[len]) || (text[len] != '\0' && strchr("+/=", text[len])))
		len++;
	return len >= WAK_SECRET_MIN ? len : 0;
}

/*
 * Finds the next secret at or after *text, moves *text behind its prefix and returns its
 * length.  Returns 0 if there is none.
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
 * Logs a redacted copy of the statement.  The server reports this copy from now on, for as long
 * as the statement runs.  The text that it executes is kept elsewhere.
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
	/* The end may be the beginning of a credential that was cut off. */
	if (len == SHOWN_MAX)
		for (size_t end = SHOWN_MAX - 1; end > 0 && !isspace((unsigned char) shown[end - 1]); end--)
			shown[end - 1] = '*';
	debug_query_string = shown;
}

/* Logs the statement up to its first literal. */
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
