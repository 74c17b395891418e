/*
 * log.h
 *		Structured log lines on standard error.
 *
 * One event is one line of key=value pairs ("logfmt"), never mixed with lines of other
 * processes:
 *
 *	time=2026-01-02T03:04:05.678Z level=info pid=42 event=listening port=8080
 *
 * Values are quoted when they have to be, control characters are escaped, a
 * value is cut at LOG_VALUE_MAX bytes.  Nothing that is passed in is trusted:
 * whatever looks like a credential (one of our prefixes and a tail of
 * WAK_SECRET_MIN or more) is masked, as the last of several lines of defence.
 *
 * Whoever logs never waits for whoever reads: from log_start() on a thread writes.  What it
 * cannot write in time is lost, counted, and told of by event=log_lines_lost when lines
 * can be written again (log_output.h).
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

/* The names of the levels, by LogLevel; NULL ends them, so that they can be a setting's choices. */
extern const char *const log_level_names[];

typedef enum LogFieldKind
{
	LOG_FIELD_END,   /* closes a list of fields */
	LOG_FIELD_FIRST, /* opens one, so that it may be empty */
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
 * From here on nobody waits for the log.  Once in each process that goes on to serve, a fork
 * too, behind process_confine(); false: could not, and that is logged.
 */
extern bool log_start(void);

/* Waits a moment for what is not yet written.  exit() does; before _exit() it has to be called. */
extern void log_end(void);

/* Lines that this process has lost so far. */
extern uint64_t log_lost(void);

/*
 * Between log_collect(true) and log_collect(false), lines of level info and debug may stay
 * with us until log_flush() or a graver line.  A loop that flushes at the end of each turn
 * wakes the log's thread once for all requests of that turn; what a crash can take with it
 * are the lines of that turn.
 */
extern void log_collect(bool collect);
extern void log_flush(void);

/* Whether a line of this level would be written. */
extern bool log_enabled(LogLevel level);

/* The threshold; LOG_LEVEL_INFO at start. */
extern void log_set_level(LogLevel level);

/* "debug", "info", "warning" or "error"; false for anything else. */
extern bool log_level_from_text(const char *text, LogLevel *level);

/* Builds the line (with its newline) without writing it; log_fields() and the tests. */
extern void
log_format(Buffer *out, int64_t wall_ms, LogLevel level, const char *event, const LogField *fields);

#endif
