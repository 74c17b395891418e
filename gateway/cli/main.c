/*
 * main.c
 *		wa: administration of wa_apikeys on the command line.
 *
 * A command is one transaction, unless it follows something (follow.h) or works over HTTP
 * (remote.h).  Its answer is written to standard output after the commit.  If the answer has a
 * secret, it is written before: nobody could get it again, so a change whose secret could not be
 * written is rolled back.
 *
 * The exit status is 0; 1 if something was refused or failed, or "check" found something; 2 for
 * a command line that cannot be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/answer.h"
#include "cli/ask.h"
#include "cli/help.h"
#include "cli/follow.h"
#include "cli/input.h"
#include "cli/invocation.h"
#include "cli/output.h"
#include "cli/remote.h"
#include "cli/server.h"
#include "lib/process.h"
#include "program/version.h"
#include "src/common/key_format.h"
#include "src/common/memory.h"

#define EXIT_REFUSED 1
#define EXIT_USAGE 2

static int
refuse(const Invocation *invocation, const char *problem)
{
	const char *name = invocation->command != NULL ? invocation->command->name : invocation->group;

	fprintf(stderr, "wa: %s\nTry \"wa%s%s --help\" for more information.\n", problem,
			name != NULL ? " " : "", name != NULL ? name : "");
	return EXIT_USAGE;
}

/* ---- secrets that are no arguments ---- */

static bool
is_whole_key(const char *text)
{
	WakKind kind;

	return wak_check(text, strlen(text), &kind) == WAK_OK &&
		   (kind == WAK_API_KEY || kind == WAK_TEST_KEY);
}

/* Asks for what the command line leaves to be asked for.  Sets a problem if that fails. */
static bool
ask_secrets(Invocation *invocation, char line[ASK_LINE_MAX + 1])
{
	const Parameter *parameters = invocation->command->parameters;

	for (int i = 0; parameters[i].kind != PARAMETER_END; i++)
	{
		const char **value = &invocation->values[i];
		bool asks = parameters[i].kind == PARAMETER_PASSWORD
						? *value != NULL
						: parameters[i].kind == PARAMETER_SECRET_WORD && strcmp(*value, "-") == 0;

		if (asks &&
			!ask_line(parameters[i].kind == PARAMETER_PASSWORD ? "Password: " : "Key: ", line))
		{
			snprintf(invocation->problem, sizeof(invocation->problem), "%s was not given",
					 parameters[i].kind == PARAMETER_PASSWORD ? "the password" : "the text");
			return false;
		}
		if (asks)
			*value = line;
		else if (parameters[i].kind == PARAMETER_SECRET_WORD && is_whole_key(*value))
		{
			snprintf(invocation->problem, sizeof(invocation->problem),
					 "a whole key is no argument, because others can see it there: give it on "
					 "standard input, with - in its place");
			return false;
		}
	}
	return true;
}

/* ---- files ---- */

/* Reads the file that a parameter names.  Sets a problem if that fails. */
static bool
read_files(Invocation *invocation, Buffer *file)
{
	const Parameter *parameters = invocation->command->parameters;

	for (int i = 0; parameters[i].kind != PARAMETER_END; i++)
	{
		const char *problem;

		if (parameters[i].kind != PARAMETER_FILE)
			continue;
		problem = input_read(invocation->values[i], file);
		if (problem != NULL)
		{
			snprintf(invocation->problem, sizeof(invocation->problem), "cannot read %s: %s",
					 parameters[i].name, problem);
			return false;
		}
		invocation->values[i] = file->data;
	}
	return true;
}

/* ---- running a command ---- */

static bool
is_there(PGconn *connection, const Invocation *invocation)
{
	const Command *command = invocation->command;
	PGresult *result;
	bool found;

	if (command->requires == NULL)
		return true;
	result = server_run(connection, command->requires, 1, invocation->values);
	found = result != NULL && PQntuples(result) > 0;
	if (result != NULL && !found)
		fprintf(stderr, "wa: %s\n", command->absent);
	PQclear(result);
	return found;
}

/* The row that Command.show says, of what the first column of the answer names. */
static PGresult *
show_changed(PGconn *connection, const Command *command, const PGresult *rows)
{
	const char *id = PQgetvalue(rows, 0, 0);

	return server_run(connection, command->show, 1, &id);
}

static bool
write_answer(const Answer *answer, const Invocation *invocation)
{
	return output_write_answer(answer, invocation) == OUTPUT_WRITTEN;
}

static bool
has_failed(const Command *command, const Answer *answer)
{
	return (command->shape == COMMAND_CHECKS && answer_has_findings(answer)) ||
		   (command->failure != NULL && answer_has_result(answer, command->failure));
}

/* Ends the transaction and writes the answer, in the order that a secret needs. */
static int
finish(PGconn *connection, const Answer *answer, const Invocation *invocation)
{
	const Command *command = invocation->command;

	if (command->has_secret && !write_answer(answer, invocation))
	{
		fprintf(stderr, "wa: nothing was changed, because the secret could not be written\n");
		return EXIT_REFUSED;
	}
	if (!server_do(connection, "COMMIT"))
	{
		if (command->has_secret)
			fprintf(stderr, "wa: the secret above is not valid\n");
		return EXIT_REFUSED;
	}
	if (!command->has_secret && !write_answer(answer, invocation))
		return EXIT_REFUSED;
	return has_failed(command, answer) ? EXIT_REFUSED : 0;
}

static int
run_transaction(PGconn *connection, const Invocation *invocation)
{
	const Command *command = invocation->command;
	PGresult *rows = NULL;
	PGresult *shown = NULL;
	Answer answer = {.values = NULL};
	int status = EXIT_REFUSED;

	if (server_do(connection, "BEGIN") && is_there(connection, invocation))
		rows = server_run(connection, command->statement, command_count_parameters(command),
						  invocation->values);
	if (rows != NULL && command->show != NULL)
		shown = show_changed(connection, command, rows);
	if (rows != NULL && (command->show == NULL || shown != NULL) &&
		server_answer(rows, shown, &answer))
		status = finish(connection, &answer, invocation);
	answer_free(&answer);
	PQclear(rows);
	PQclear(shown);
	return status;
}

static int
run_connected(const Invocation *invocation)
{
	PGconn *connection = server_connect(invocation->database);
	int status = EXIT_REFUSED;

	if (connection != NULL && invocation->command->shape == COMMAND_FOLLOW)
		status = follow_run(connection, invocation) ? 0 : EXIT_REFUSED;
	else if (connection != NULL)
		status = run_transaction(connection, invocation);
	PQfinish(connection);
	return status;
}

static int
run_over_http(Invocation *invocation)
{
	switch (remote_run(invocation))
	{
		case REMOTE_DONE:
			return 0;
		case REMOTE_REFUSED:
			return EXIT_REFUSED;
		case REMOTE_WRONG:
			break;
	}
	return refuse(invocation, invocation->problem);
}

/* "line" is for a secret that is asked for, and is wiped. */
static int
run_command(Invocation *invocation, char line[ASK_LINE_MAX + 1])
{
	Buffer file;
	int status;

	if (server_has_password(invocation->database))
		return refuse(invocation, "a password is no part of --database, because others can see it "
								  "there: use PGPASSFILE, or type it when it is asked for");
	if (!ask_secrets(invocation, line))
		return refuse(invocation, invocation->problem);
	buffer_init(&file, INPUT_MAX);
	status = read_files(invocation, &file) ? run_connected(invocation)
										   : refuse(invocation, invocation->problem);
	buffer_free(&file);
	wak_wipe(line, ASK_LINE_MAX + 1);
	return status;
}

static int
print_text(const Invocation *invocation, bool (*print)(Buffer *out))
{
	Buffer out;
	bool ok;

	buffer_init(&out, OUTPUT_MAX);
	if (print != NULL)
		print(&out);
	else
		help_print(invocation, &out);
	ok = output_write(&out) == OUTPUT_WRITTEN;
	buffer_free(&out);
	return ok ? 0 : EXIT_REFUSED;
}

static int
make(const Invocation *invocation)
{
	Buffer out;
	bool ok;

	buffer_init(&out, OUTPUT_MAX);
	ok = invocation->command->make(invocation->values, &out);
	if (ok)
		ok = output_write(&out) == OUTPUT_WRITTEN;
	else
		fprintf(stderr, "wa: %s\n", out.data);
	buffer_free(&out);
	return ok ? 0 : EXIT_REFUSED;
}

int
main(int argc, char **argv)
{
	Invocation invocation;
	char line[ASK_LINE_MAX + 1] = "";

	/* Keys and passwords pass through its memory. */
	process_hide();
	/* If standard output is closed, the answer must not go to the database; to write it fails. */
	close(process_fill_standard(O_RDONLY));
	/* Texts are UTF-8, whatever the environment says. */
	setlocale(LC_CTYPE, "C.UTF-8");
	/* A write to a pipe that is closed fails then, and what it is for can be undone. */
	signal(SIGPIPE, SIG_IGN);
	switch (invocation_read(&invocation, argc, argv))
	{
		case INVOCATION_HELP:
			return print_text(&invocation, NULL);
		case INVOCATION_VERSION:
			return printf("wa %s\n", PROGRAM_VERSION) > 0 && fflush(stdout) == 0 ? 0 : EXIT_REFUSED;
		case INVOCATION_WRONG:
			return refuse(&invocation, invocation.problem);
		case INVOCATION_RUN:
			break;
	}
	if (invocation.command->print != NULL)
		return print_text(&invocation, invocation.command->print);
	if (invocation.command->make != NULL)
		return make(&invocation);
	return invocation.over_http ? run_over_http(&invocation) : run_command(&invocation, line);
}
