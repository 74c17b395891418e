/*-------------------------------------------------------------------------
 *
 * client.c
 *		Loads PostgreSQL as the gateway does, and measures how long each transaction takes.
 *
 * pgbench cannot do this: a sealed login may run a statement only under the name that its
 * text begins with, and pgbench gives names of its own.  So this client prepares the
 * statements as the gateway does.
 *
 * A *script* is a file with one line for each statement: the statement's name, then its
 * parameters.  A statement's text is NAME.sql in one of the folders of -s, with its name as a
 * comment in front, as scripts/statements puts it.  A parameter is one of
 *
 *		word		the word itself
 *		null		NULL
 *		:WORD		the value of the environment variable WORD (other accounts can see
 *					arguments, and keys are among the values)
 *		:count		a number that no other transaction of this run gets
 *
 * If the value of a variable begins with "@", the rest is the name of a file, and each
 * connection takes one of its lines: the first takes the first, and so on in a circle.
 *
 * A script is sent as one pipeline with a Sync at its end, which makes it one transaction, as
 * the gateway sends a request.  Its time is that from the sending to the last answer.  What
 * comes before a line "sync" is a transaction of its own, which only prepares: the client
 * waits for its end, and then the time begins.  Each connection has one script under way, and
 * picks the next at random, so that a disturbance affects all scripts alike.  The run goes on
 * beyond its time until each script has ended once.
 *
 * The output is one line for each script:
 *
 *		SCRIPT COUNT PER_SECOND MEAN P50 P99 LONGEST ROWS
 *
 * Times are microseconds.  The mean leaves out the slowest 5 %, during which something else
 * ran.  ROWS is the mean number of rows in a script's last answer.  An error ends the run.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <getopt.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECTIONS_MAX 1000
#define SCRIPTS_MAX 32
#define STEPS_MAX 8
#define PARAMETERS_MAX 16
#define FOLDERS_MAX 4
#define LINE_MAX_LENGTH 4096
#define SLOWEST_PERCENT 5

typedef struct Step
{
	char *name;
	char *text;
	char *parameters[PARAMETERS_MAX];
	int count;
} Step;

typedef struct Script
{
	char *name;
	Step steps[STEPS_MAX];
	int count;
	double *times; /* microseconds of each run */
	size_t done;
	size_t room;
	uint64_t rows;
} Script;

typedef struct Connection
{
	PGconn *pg;
	int number;
	Script *script;                                      /* that is under way, or NULL */
	int next;                                            /* its step to be sent next */
	double since;                                        /* when it was sent */
	int rows;                                            /* of the last answer so far */
	char *lines[SCRIPTS_MAX][STEPS_MAX][PARAMETERS_MAX]; /* values of variables */
} Connection;

static const char *const usage =
	"usage: client [-c CONNECTIONS] [-t SECONDS | -n SCRIPTS] [-w SECONDS]\n"
	"              [-d CONNECTION STRING] -s FOLDER ... SCRIPT ...\n"
	"\n"
	"  -c  connections, each with one script under way (1)\n"
	"  -t  seconds to measure (1)\n"
	"  -n  scripts to measure instead\n"
	"  -w  seconds of the same load before, which are not counted (0.1)\n"
	"  -d  where to connect; what is missing comes from the environment (PGHOST ...)\n"
	"  -s  folder with statements, NAME.sql\n";

static const char *folders[FOLDERS_MAX];
static int folder_count = 0;
static Script scripts[SCRIPTS_MAX];
static int script_count = 0;
static Connection *connections;
static int connection_count = 1;
static const char *where = "";
static double seconds = 1;
static double warm_seconds = 0.1;
static uint64_t most = 0; /* scripts to measure, or 0 for a time */

static double measured_since;
static double measured_until;
static uint64_t sent = 0;     /* transactions */
static uint64_t measured = 0; /* scripts */

__attribute__((noreturn, format(printf, 1, 2))) static void
die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("client: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

static void *
not_null(void *memory)
{
	if (memory == NULL)
		die("out of memory");
	return memory;
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

/* ---- Scripts ---- */

/* The text of a file without the newlines at its end, or NULL if there is no such file. */
static char *
read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;
	ssize_t len;

	if (file == NULL)
		return NULL;
	len = getdelim(&text, &room, '\0', file);
	fclose(file);
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	return len > 0 ? text : NULL;
}

/* The text of a statement as it is registered. */
static char *
statement_text(const char *name)
{
	char *whole = NULL;

	for (int i = 0; i < folder_count && whole == NULL; i++)
	{
		char path[LINE_MAX_LENGTH];
		char *text;

		snprintf(path, sizeof(path), "%s/%s.sql", folders[i], name);
		text = read_text(path);
		if (text != NULL && asprintf(&whole, "/* %s */\n%s", name, text) < 0)
			die("out of memory");
		free(text);
	}
	if (whole == NULL)
		die("no statement \"%s\" in the folders", name);
	return whole;
}

static bool
is_sync(const Step *step)
{
	return strcmp(step->name, "sync") == 0;
}

static void
read_step(Script *script, char *line)
{
	char *rest = NULL;
	char *word = strtok_r(line, " \t\n", &rest);
	Step *step = &script->steps[script->count];

	if (word == NULL || word[0] == '#')
		return;
	if (script->count == STEPS_MAX)
		die("%s: more than %d statements", script->name, STEPS_MAX);
	script->count++;
	step->name = not_null(strdup(word));
	if (is_sync(step))
		return;
	step->text = statement_text(word);
	while ((word = strtok_r(NULL, " \t\n", &rest)) != NULL)
	{
		if (step->count == PARAMETERS_MAX)
			die("%s: more than %d parameters", script->name, PARAMETERS_MAX);
		step->parameters[step->count++] = not_null(strdup(word));
	}
}

/* A script's name is that of its file. */
static void
read_script(const char *path)
{
	Script *script = &scripts[script_count++];
	char line[LINE_MAX_LENGTH];
	const char *slash = strrchr(path, '/');
	FILE *file = fopen(path, "r");

	if (file == NULL)
		die("could not open \"%s\": %s", path, strerror(errno));
	script->name = not_null(strdup(slash == NULL ? path : slash + 1));
	while (fgets(line, sizeof(line), file) != NULL)
		read_step(script, line);
	fclose(file);
	if (script->count == 0)
		die("%s: no statement", path);
}

/* Line number AT of a file, in a circle. */
static char *
line_of_file(const char *path, int at)
{
	char *text = read_text(path);
	char *line;
	char *end;
	int count = 1;

	if (text == NULL)
		die("could not read \"%s\"", path);
	for (line = text; *line != '\0'; line++)
		count += *line == '\n';
	line = text;
	for (at %= count; at > 0; at--)
		line = strchr(line, '\n') + 1;
	end = strchrnul(line, '\n');
	line = not_null(strndup(line, (size_t) (end - line)));
	free(text);
	return line;
}

static char *
value_of_variable(const char *name, int number)
{
	char *value = getenv(name);

	if (value == NULL)
		die("no variable \"%s\" in the environment", name);
	return value[0] == '@' ? line_of_file(value + 1, number) : value;
}

/* ---- Connections ---- */

static void
prepare(Connection *connection, const Step *step)
{
	PGresult *result = PQprepare(connection->pg, step->name, step->text, 0, NULL);

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		die("%s: %s", step->name, PQresultErrorMessage(result));
	PQclear(result);
}

/* Whether a statement of this name comes before in the scripts: it is prepared already. */
static bool
comes_before(const Step *step)
{
	for (int i = 0; i < script_count; i++)
		for (int k = 0; k < scripts[i].count; k++)
		{
			if (&scripts[i].steps[k] == step)
				return false;
			if (strcmp(scripts[i].steps[k].name, step->name) == 0)
				return true;
		}
	return false;
}

static void
prepare_script(Connection *connection, int at)
{
	for (int k = 0; k < scripts[at].count; k++)
	{
		const Step *step = &scripts[at].steps[k];

		if (!is_sync(step) && !comes_before(step))
			prepare(connection, step);
		for (int p = 0; p < step->count; p++)
			if (step->parameters[p][0] == ':' && strcmp(step->parameters[p], ":count") != 0)
				connection->lines[at][k][p] =
					value_of_variable(step->parameters[p] + 1, connection->number);
	}
}

static void
open_connection(Connection *connection, int number)
{
	connection->number = number;
	connection->pg = PQconnectdb(where);
	if (PQstatus(connection->pg) != CONNECTION_OK)
		die("%s", PQerrorMessage(connection->pg));
	for (int i = 0; i < script_count; i++)
		prepare_script(connection, i);
	if (PQsetnonblocking(connection->pg, 1) != 0 || PQenterPipelineMode(connection->pg) != 1)
		die("%s", PQerrorMessage(connection->pg));
}

/* ---- Transactions ---- */

/* Puts the parameters of a step into VALUES.  COUNT is the value of :count. */
static void
fill_parameters(const Connection *connection, int at, int k, const char *count, const char **values)
{
	const Step *step = &scripts[at].steps[k];

	for (int p = 0; p < step->count; p++)
		if (connection->lines[at][k][p] != NULL)
			values[p] = connection->lines[at][k][p];
		else if (strcmp(step->parameters[p], ":count") == 0)
			values[p] = count;
		else if (strcmp(step->parameters[p], "null") == 0)
			values[p] = NULL;
		else
			values[p] = step->parameters[p];
}

static void
send_step(Connection *connection, int k, const char *count)
{
	int at = (int) (connection->script - scripts);
	const Step *step = &scripts[at].steps[k];
	const char *values[PARAMETERS_MAX];

	fill_parameters(connection, at, k, count, values);
	if (PQsendQueryPrepared(connection->pg, step->name, step->count, values, NULL, NULL, 0) != 1)
		die("%s", PQerrorMessage(connection->pg));
}

/* Sends the script's next transaction. */
static void
send_transaction(Connection *connection)
{
	const Script *script = connection->script;
	char count[24];

	snprintf(count, sizeof(count), "%llu", (unsigned long long) sent++);
	connection->since = now();
	for (; connection->next < script->count; connection->next++)
	{
		if (is_sync(&script->steps[connection->next]))
		{
			connection->next++;
			break;
		}
		send_step(connection, connection->next, count);
	}
	if (PQpipelineSync(connection->pg) != 1)
		die("%s", PQerrorMessage(connection->pg));
}

static void
start_script(Connection *connection)
{
	connection->script = &scripts[random() % script_count];
	connection->next = 0;
	send_transaction(connection);
}

static void
add_time(Script *script, double time)
{
	if (script->done == script->room)
	{
		script->room = script->room == 0 ? 1024 : script->room * 2;
		script->times = not_null(realloc(script->times, script->room * sizeof(double)));
	}
	script->times[script->done++] = time;
}

static void
end_script(Connection *connection)
{
	double end = now();
	Script *script = connection->script;

	connection->script = NULL;
	if (connection->since < measured_since || (end > measured_until && script->done > 0))
		return;
	measured++;
	script->rows += (uint64_t) connection->rows;
	add_time(script, (end - connection->since) * 1e6);
}

/* Takes one result.  Returns whether it was the last one of the transaction. */
static bool
take_result(Connection *connection, const PGresult *result)
{
	switch (PQresultStatus(result))
	{
		case PGRES_PIPELINE_SYNC:
			return true;
		case PGRES_TUPLES_OK:
		case PGRES_COMMAND_OK:
			connection->rows = PQntuples(result);
			return false;
		default:
			die("%s: %s", connection->script->name, PQresultErrorMessage(result));
	}
}

/* Reads what has come.  NULL separates the results of the statements. */
static void
read_answer(Connection *connection)
{
	bool ended = false;

	if (PQconsumeInput(connection->pg) != 1)
		die("%s", PQerrorMessage(connection->pg));
	while (!ended && PQisBusy(connection->pg) == 0)
	{
		PGresult *result = PQgetResult(connection->pg);

		if (result != NULL)
			ended = take_result(connection, result);
		PQclear(result);
	}
	if (!ended)
		return;
	if (connection->next < connection->script->count)
		send_transaction(connection);
	else
		end_script(connection);
}

static bool
is_over(void)
{
	for (int i = 0; i < script_count; i++)
		if (scripts[i].done == 0)
			return false;
	return most > 0 ? measured >= most : now() >= measured_until;
}

static void
run(void)
{
	struct pollfd *polled = not_null(calloc((size_t) connection_count, sizeof(*polled)));

	measured_since = now() + warm_seconds;
	measured_until = most > 0 ? measured_since + 1e9 : measured_since + seconds;
	while (!is_over())
	{
		for (int i = 0; i < connection_count; i++)
		{
			if (connections[i].script == NULL)
				start_script(&connections[i]);
			polled[i].fd = PQsocket(connections[i].pg);
			polled[i].events = POLLIN | (PQflush(connections[i].pg) == 1 ? POLLOUT : 0);
		}
		if (poll(polled, (nfds_t) connection_count, 100) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		for (int i = 0; i < connection_count; i++)
			if ((polled[i].revents & ~POLLOUT) != 0)
				read_answer(&connections[i]);
	}
	free(polled);
}

/* ---- Results ---- */

static int
compare_times(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
percentile(const Script *script, double share)
{
	return script->times[(size_t) ((double) (script->done - 1) * share)];
}

static double
mean_time(const Script *script)
{
	size_t taken = script->done - script->done * SLOWEST_PERCENT / 100;
	double sum = 0;

	for (size_t i = 0; i < taken; i++)
		sum += script->times[i];
	return sum / (double) taken;
}

static void
print_script(Script *script, double elapsed)
{
	qsort(script->times, script->done, sizeof(double), compare_times);
	printf("%s %zu %.1f %.2f %.2f %.2f %.2f %.1f\n", script->name, script->done,
		   (double) script->done / elapsed, mean_time(script), percentile(script, 0.5),
		   percentile(script, 0.99), percentile(script, 1),
		   (double) script->rows / (double) script->done);
}

static double
number(const char *text, double least, double greatest)
{
	char *end;
	double value = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || value < least || value > greatest)
		die("not a number from %g to %g: \"%s\"", least, greatest, text);
	return value;
}

static void
read_option(int option)
{
	switch (option)
	{
		case 'c':
			connection_count = (int) number(optarg, 1, CONNECTIONS_MAX);
			break;
		case 't':
			seconds = number(optarg, 0.01, 3600);
			break;
		case 'n':
			most = (uint64_t) number(optarg, 1, 1e9);
			break;
		case 'w':
			warm_seconds = number(optarg, 0, 60);
			break;
		case 'd':
			where = optarg;
			break;
		case 's':
			if (folder_count == FOLDERS_MAX)
				die("more than %d folders", FOLDERS_MAX);
			folders[folder_count++] = optarg;
			break;
		default:
			fputs(usage, option == 'h' ? stdout : stderr);
			exit(option == 'h' ? 0 : 2);
	}
}

int
main(int argc, char **argv)
{
	int option;
	double elapsed;

	while ((option = getopt(argc, argv, "c:t:n:w:d:s:h")) != -1)
		read_option(option);
	if (optind == argc || argc - optind > SCRIPTS_MAX)
		read_option('?');
	for (int i = optind; i < argc; i++)
		read_script(argv[i]);

	connections = not_null(calloc((size_t) connection_count, sizeof(*connections)));
	for (int i = 0; i < connection_count; i++)
		open_connection(&connections[i], i);
	run();
	elapsed = now() - measured_since;
	for (int i = 0; i < connection_count; i++)
		PQfinish(connections[i].pg);
	for (int i = 0; i < script_count; i++)
		print_script(&scripts[i], elapsed);
	return 0;
}
