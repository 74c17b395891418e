/*
 * log.c
 *		Structured log lines on standard error; see log.h.
 *
 * A line is built in one buffer and handed to log_output.c, which writes it from a thread of
 * its own, so that a log that nobody reads does not stop the service.
 */
#include "lib/log.h"

#include <ctype.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "src/common/key_format.h"
#include "lib/clock.h"
#include "lib/log_output.h"
#include "lib/utf8.h"

static LogLevel threshold = LOG_LEVEL_INFO;

const char *const log_level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_INFO] = "info",    [LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_ERROR + 1] = NULL,
};

void
log_set_level(LogLevel level)
{
	threshold = level;
}

bool
log_enabled(LogLevel level)
{
	return level >= threshold;
}

bool
log_level_from_text(const char *text, LogLevel *level)
{
	for (int i = 0; log_level_names[i] != NULL; i++)
	{
		if (strcmp(text, log_level_names[i]) == 0)
		{
			*level = (LogLevel) i;
			return true;
		}
	}
	return false;
}

LogField
log_text(const char *key, const char *text)
{
	return log_bytes(key, text, text != NULL ? strlen(text) : 0);
}

LogField
log_bytes(const char *key, const char *text, size_t len)
{
	return (LogField){.kind = LOG_FIELD_TEXT, .key = key, .text = text, .len = len};
}

LogField
log_int(const char *key, int64_t number)
{
	return (LogField){.kind = LOG_FIELD_INT, .key = key, .number = number};
}

/*
 * The length of the credential prefix that text begins with, or 0.  The underscore may be
 * percent-encoded, as in a pasted URL.
 */
static size_t
credential_prefix(const char *text, size_t len)
{
	if (text[0] != 'w' && text[0] != 'r')
		return 0;
	for (WakKind kind = WAK_API_KEY; kind <= WAK_IMPORTED_KEY; kind++)
	{
		const char *prefix = wak_kind_prefix(kind);
		size_t word = strlen(prefix) - 1;

		if (len <= word || memcmp(text, prefix, word) != 0)
			continue;
		if (text[word] == '_')
			return word + 1;
		if (len > word + 2 && text[word] == '%' && text[word + 1] == '5' &&
			(text[word + 2] | 0x20) == 'f')
			return word + 3;
	}
	return 0;
}

/*
 * If text begins with something that looks like a credential, the length of its prefix and
 * tail together, else 0.  *shown is the number of characters that may be shown.
 */
static size_t
credential_len(const char *text, size_t len, size_t *shown)
{
	size_t prefix = credential_prefix(text, len);
	size_t tail = 0;

	if (prefix == 0)
		return 0;
	while (prefix + tail < len)
	{
		unsigned char c = (unsigned char) text[prefix + tail];

		if (!isalnum(c) && c != '_' && c != '-' && c != '%')
			break;
		tail++;
	}
	*shown = prefix + WAK_SHOWN_DIGITS;
	if (prefix + tail >= WAK_TEST_KEY_LENGTH &&
		memcmp(text, wak_kind_prefix(WAK_TEST_KEY), strlen(wak_kind_prefix(WAK_TEST_KEY))) == 0)
		*shown = wak_shown_length(WAK_TEST_KEY);
	return tail >= WAK_SECRET_MIN ? prefix + tail : 0;
}

static bool
needs_quotes(const char *text, size_t len)
{
	if (len == 0)
		return true;
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7F)
			return true;
	}
	return false;
}

/* Appends one character of a quoted value; returns how many bytes of text it took. */
static size_t
append_character(Buffer *out, const char *text, size_t len)
{
	size_t size = utf8_character(text, len);
	unsigned char c = (unsigned char) *text;

	if (c == '"' || c == '\\')
		buffer_printf(out, "\\%c", c);
	else if (c == '\n')
		buffer_append(out, "\\n", 2);
	else if (c < ' ' || c == 0x7F || size == 0)
		buffer_printf(out, "\\x%02x", c);
	else if (size == 2 && c == 0xC2 && (unsigned char) text[1] < 0xA0)
		buffer_printf(out, "\\x%02x\\x%02x", c, (unsigned char) text[1]); /* C1 controls */
	else
		buffer_append(out, text, size);
	return size > 0 ? size : 1;
}

/* The number of bytes at the start of text that need no escape and cannot begin a credential. */
static size_t
plain_run(const char *text, size_t len)
{
	size_t run = 0;

	while (run < len && text[run] >= ' ' && text[run] < 0x7F && text[run] != '"' &&
		   text[run] != '\\' && text[run] != 'w' && text[run] != 'r')
		run++;
	return run;
}

static void
append_value(Buffer *out, const char *text, size_t len)
{
	size_t all = len;
	bool quotes;

	if (len > LOG_VALUE_MAX)
		len = LOG_VALUE_MAX;
	quotes = needs_quotes(text, len) || len < all;
	if (quotes)
		buffer_append_char(out, '"');
	for (size_t i = 0; i < len;)
	{
		size_t run = plain_run(text + i, len - i);
		size_t shown;
		size_t secret;

		buffer_append(out, text + i, run);
		i += run;
		if (i == len)
			break;

		/* Looks past the cut, so that a credential that is cut is still recognised. */
		secret = credential_len(text + i, all - i, &shown);
		if (secret > 0)
		{
			buffer_append(out, text + i, shown);
			buffer_append_text(out, "…");
			i += secret;
		}
		else
			i += append_character(out, text + i, len - i);
	}
	if (len < all)
		buffer_append_text(out, "…");
	if (quotes)
		buffer_append_char(out, '"');
}

/* Formats each second only once, because a busy log has thousands of lines a second. */
static void
append_time(Buffer *out, int64_t wall_ms)
{
	static _Thread_local time_t shown = -1;
	static _Thread_local char text[32];
	time_t second = (time_t) (wall_ms / 1000);
	int ms = (int) (wall_ms % 1000);
	char fraction[] = {'.', (char) ('0' + ms / 100), (char) ('0' + ms / 10 % 10),
					   (char) ('0' + ms % 10), 'Z'};

	if (second != shown)
	{
		struct tm parts;

		gmtime_r(&second, &parts);
		strftime(text, sizeof(text), "time=%Y-%m-%dT%H:%M:%S", &parts);
		shown = second;
	}
	buffer_append_text(out, text);
	buffer_append(out, fraction, sizeof(fraction));
}

static pid_t own_pid;

static void
forget_pid(void)
{
	own_pid = 0;
}

/* The process's id; asks the kernel once, and again after a fork. */
static pid_t
pid_of_now(void)
{
	static bool watching;

	if (own_pid == 0)
	{
		own_pid = getpid();
		if (!watching)
			watching = pthread_atfork(NULL, NULL, forget_pid) == 0;
	}
	return own_pid;
}

static void
append_key(Buffer *out, const char *key)
{
	buffer_append_char(out, ' ');
	buffer_append_text(out, key);
	buffer_append_char(out, '=');
}

void
log_format(Buffer *out, int64_t wall_ms, LogLevel level, const char *event, const LogField *fields)
{
	append_time(out, wall_ms);
	append_key(out, "level");
	buffer_append_text(out, log_level_names[level]);
	append_key(out, "pid");
	buffer_append_int64(out, pid_of_now());
	append_key(out, "event");
	buffer_append_text(out, event);
	for (const LogField *field = fields; field->kind != LOG_FIELD_END; field++)
	{
		if (field->kind == LOG_FIELD_INT)
		{
			append_key(out, field->key);
			buffer_append_int64(out, field->number);
		}
		else if (field->kind == LOG_FIELD_TEXT && field->text != NULL)
		{
			append_key(out, field->key);
			append_value(out, field->text, field->len);
		}
	}

	/* A line that did not fit is cut and still ends with a newline. */
	out->failed = false;
	if (out->len == out->max)
		out->len--;
	buffer_append_char(out, '\n');
}

static bool collecting;

/* Ignores the threshold, because the reader has to know that lines are missing. */
static void
tell_of_lost(Buffer *out, uint64_t lines)
{
	const LogField fields[] = {log_int("lines", (int64_t) lines), {.kind = LOG_FIELD_END}};

	log_format(out, clock_wall_ms(), LOG_LEVEL_WARNING, "log_lines_lost", fields);
}

/* Without this libevent would write to standard error itself, and wait for it. */
static void
on_libevent(int severity, const char *message)
{
	static const LogLevel levels[] = {
		[EVENT_LOG_DEBUG] = LOG_LEVEL_DEBUG,
		[EVENT_LOG_MSG] = LOG_LEVEL_INFO,
		[EVENT_LOG_WARN] = LOG_LEVEL_WARNING,
		[EVENT_LOG_ERR] = LOG_LEVEL_ERROR,
	};

	log_line(levels[severity & 3], "libevent", log_text("message", message));
}

bool
log_start(void)
{
	bool ok = log_output_start(tell_of_lost);

	event_set_log_callback(on_libevent);

	if (!ok)
		log_line(LOG_LEVEL_ERROR, "cannot_start",
				 log_text("reason", "could not start the thread that writes the log"));
	return ok;
}

void
log_end(void)
{
	log_output_end();
}

uint64_t
log_lost(void)
{
	return log_output_lost();
}

void
log_flush(void)
{
	log_output_wake();
}

void
log_collect(bool collect)
{
	log_flush();
	collecting = collect;
}

void
log_fields(LogLevel level, const char *event, const LogField *fields)
{
	static Buffer line;

	if (!log_enabled(level))
		return;
	if (line.max == 0)
		buffer_init(&line, LOG_LINE_MAX);
	buffer_clear(&line);
	log_format(&line, clock_wall_ms(), level, event, fields);
	log_output_line(line.data, line.len);
	if (!collecting || level > LOG_LEVEL_INFO)
		log_flush();
}
