/*
 * log.h
 *		Structured log lines on standard error.
 *
 * One event is one line of key=value pairs ("logfmt").  Lines of several processes never mix:
 *
 *	time=2026-01-02T03:04:05.678Z level=info pid=42 event=listening port=8080
 *
 * Values are quoted when they need it, control characters are escaped, and a value is cut
 * at LOG_VALUE_MAX bytes.  Values are not trusted: text that looks like a credential (one of
 * our prefixes and at least WAK_SECRET_MIN characters after it) is masked.  That is the last
 * of several protections.
 *
 * Logging never waits for the reader of the log: after log_start() a thread does the writing.
 * Lines that it cannot write in time are lost and counted.  When it can write again,
 * event=log_lines_lost says how many were lost (log_output.h).
 *
 *	log_line(LOG_LEVEL_INFO, "listening",
 *			 log_text("address", address), log_int("port", port));
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"

#define LOG_VALUE_MAX 1024 /* bytes of one value that are shown */
#define LOG_LINE_MAX 8192  /* bytes of one line */

typedef enum LogLevel
{
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR
} LogLevel;

/* The names of the levels, by LogLevel; a NULL ends them, as ConfigOption.choices needs. */
extern const char *const log_level_names[];

typedef enum LogFieldKind
{
	LOG_FIELD_END,   /* closes a list of fields */
	LOG_FIELD_FIRST, /* opens one, so that log_line() can have no fields */
	LOG_FIELD_TEXT,
	LOG_FIELD_INT
} LogFieldKind;

typedef struct LogField
{
	LogFieldKind kind;
	const char *key;
	const char *text; /* LOG_FIELD_TEXT; NULL leaves the field out */
	size_t len;
	int64_t number; /* LOG_FIELD_INT */
} LogField;

/* The fields of a line; text is borrowed until log_line() returns. */
extern LogField log_text(const char *key, const char *text);
extern LogField log_bytes(const char *key, const char *text, size_t len);
extern LogField log_int(const char *key, int64_t number);

/* Writes one line, or nothing when the level is below the threshold. */
#define log_line(level, event, ...) \
	log_fields(                     \
		(level), (event),           \
		(const LogField[]){{.kind = LOG_FIELD_FIRST}, ##__VA_ARGS__, {.kind = LOG_FIELD_END}})

extern void log_fields(LogLevel level, const char *event, const LogField *fields);

/*
 * Starts the thread that writes, so that no caller waits for the log any more.  Each process
 * that serves calls this once, also a forked one, and after process_confine().  False: it
 * could not start, and that is logged.
 */
extern bool log_start(void);

/* Waits up to LOG_OUTPUT_END_MS for unwritten lines.  exit() calls it; call it before _exit(). */
extern void log_end(void);

/* The number of lines that this process has lost so far. */
extern uint64_t log_lost(void);

/*
 * Between log_collect(true) and log_collect(false), lines of level info and debug may wait
 * until log_flush() or until a line of a higher level.  An event loop that flushes after each
 * iteration wakes the log's thread once for all requests of that iteration.  A crash can lose
 * only the lines of the current iteration.
 */
extern void log_collect(bool collect);
extern void log_flush(void);

/* Whether a line of this level would be written. */
extern bool log_enabled(LogLevel level);

/* The threshold; LOG_LEVEL_INFO at start. */
extern void log_set_level(LogLevel level);

/* "debug", "info", "warning" or "error"; false for anything else. */
extern bool log_level_from_text(const char *text, LogLevel *level);

/* Builds the line, with its newline, without writing it; for log_fields() and the tests. */
extern void
log_format(Buffer *out, int64_t wall_ms, LogLevel level, const char *event, const LogField *fields);

#endif
