/*
 * ready.c
 *		Reads the transaction status that answers a Sync; see ready.h.
 *
 * A line of the trace is "B", the length, the message's name and its values, with tabs
 * between them:
 *
 *	B	5	ReadyForQuery	 I
 *
 * Texts in a message are printed unchanged.  So a line that does not have this form is the
 * rest of a text.  A text can also contain a line that looks like a message, and thereby
 * forge one.  But it cannot hide a real one, because the first status other than I is kept.
 */
#include "db/ready.h"

#include <stdio.h>
#include <string.h>

#define READY_FOR_QUERY "ReadyForQuery"

/*
 * Messages that may come before ReadyForQuery: an error of the commit, and unrequested ones.
 * Other files check them.
 */
static const char *const allowed[] = {
	"ErrorResponse",
	"NoticeResponse",
	"NotificationResponse",
	"ParameterStatus",
};

static bool
is_allowed(const char *name)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (strcmp(name, allowed[i]) == 0)
			return true;
	return false;
}

static void
take_message(Ready *ready, const char *name, const char *values)
{
	if (strcmp(name, READY_FOR_QUERY) == 0)
	{
		char status = '?';

		if (values[0] == ' ')
			status = values[1];

		if (ready->status == 0 || ready->status == 'I')
			ready->status = status;
	}
	else if (!is_allowed(name) && ready->message[0] == '\0')
	{
		snprintf(ready->message, sizeof(ready->message), "%s",
				 name[0] == '\0' ? "an unknown message" : name);
	}
}

static void
take_line(Ready *ready)
{
	char *name;
	char *values;

	ready->line[ready->len] = '\0';
	ready->len = 0;
	if (strncmp(ready->line, "B\t", 2) != 0)
		return;
	name = ready->line + 2 + strspn(ready->line + 2, "0123456789");
	if (*name != '\t')
		return;
	name++;
	values = name + strcspn(name, "\t");
	if (*values == '\t')
		*values++ = '\0';
	take_message(ready, name, values);
}

static ssize_t
on_write(void *cookie, const char *bytes, size_t len)
{
	Ready *ready = cookie;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] == '\n')
			take_line(ready);
		else if (ready->len < READY_LINE_MAX - 1)
			ready->line[ready->len++] = bytes[i];
	return (ssize_t) len;
}

bool
ready_open(Ready *ready)
{
	const cookie_io_functions_t functions = {.write = on_write};

	memset(ready, 0, sizeof(*ready));
	ready->stream = fopencookie(ready, "w", functions);
	return ready->stream != NULL &&
		   setvbuf(ready->stream, ready->buffer, _IOFBF, sizeof(ready->buffer)) == 0;
}

void
ready_close(Ready *ready)
{
	if (ready->stream != NULL)
		fclose(ready->stream);
	ready->stream = NULL;
}

void
ready_begin(Ready *ready)
{
	ready->len = 0;
	ready->message[0] = '\0';
	ready->status = 0;
}

bool
ready_is_busy(Ready *ready, PGconn *pg)
{
	bool busy;

	PQtrace(pg, ready->stream);
	PQsetTraceFlags(pg, PQTRACE_SUPPRESS_TIMESTAMPS);
	busy = PQisBusy(pg) != 0;
	PQuntrace(pg);
	return busy;
}

const char *
ready_problem(const Ready *ready)
{
	if (ready->message[0] != '\0')
		return ready->message;
	switch (ready->status)
	{
		case 'I':
			return NULL;
		case 'T':
			return "an open transaction";
		case 'E':
			return "a failed transaction";
		default:
			return "no transaction status";
	}
}
