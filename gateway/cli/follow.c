/*
 * follow.c
 *		Runs a command that prints what happens, as it happens; see follow.h.
 */
#include "cli/follow.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/answer.h"
#include "cli/output.h"
#include "cli/server.h"

#define PAUSE_MS 1000
#define PLACE_MAX 64
#define PLACE_PARAMETER 1

/* Before the first row of all: what is written from now on is behind it. */
#define NOWHERE "00000000-0000-0000-0000-000000000000"

typedef enum Pause
{
	PAUSE_OVER,   /* ask again */
	PAUSE_UNREAD, /* nobody reads the output any more */
	PAUSE_BROKEN  /* the connection is lost, and has said so */
} Pause;

/*
 * Waits until it is time to ask again.  The server sends nothing between statements but that
 * it ends the connection, or what libpq handles.
 */
static Pause
wait_for_more(PGconn *connection)
{
	struct pollfd watched[] = {{.fd = STDOUT_FILENO},
							   {.fd = PQsocket(connection), .events = POLLIN}};
	int ready = poll(watched, 2, PAUSE_MS);

	if (ready < 0 && errno != EINTR)
	{
		fprintf(stderr, "wa: cannot wait: %s\n", strerror(errno));
		return PAUSE_BROKEN;
	}
	if (ready > 0 && watched[0].revents != 0)
		return PAUSE_UNREAD;
	if (ready > 0 && !server_is_alive(connection))
		return PAUSE_BROKEN;
	return PAUSE_OVER;
}

/* Notes behind which row to go on. */
static void
note_place(const Answer *answer, char place[PLACE_MAX])
{
	const char *latest = answer_latest_id(answer);

	if (latest != NULL)
		snprintf(place, PLACE_MAX, "%s", latest);
}

bool
follow_run(PGconn *connection, const Invocation *invocation)
{
	const Command *command = invocation->command;
	const char *values[COMMAND_PARAMETERS_MAX];
	char place[PLACE_MAX] = NOWHERE;
	OutputResult written = OUTPUT_WRITTEN;
	Pause pause = PAUSE_OVER;

	memcpy(values, invocation->values, sizeof(values));
	while (written == OUTPUT_WRITTEN && pause == PAUSE_OVER)
	{
		PGresult *rows =
			server_run(connection, command->statement, command_count_parameters(command), values);
		Answer answer;
		bool more;

		if (rows == NULL || !server_answer(rows, NULL, &answer))
		{
			PQclear(rows);
			return false;
		}
		more = answer.row_count > 0;
		written = output_write_answer(&answer, invocation);
		note_place(&answer, place);
		answer_free(&answer);
		PQclear(rows);
		if (more || values[PLACE_PARAMETER] == NULL)
			values[PLACE_PARAMETER] = place;
		if (written == OUTPUT_WRITTEN && !more)
			pause = wait_for_more(connection);
	}
	return written == OUTPUT_UNREAD || pause == PAUSE_UNREAD;
}
