/*
 * program.c
 *		What every program does at its start; see program.h.
 */
#include "program/program.h"

#include <stdio.h>
#include <sys/random.h>

#include "db/preflight.h"
#include "lib/log.h"
#include "lib/process.h"

/* Counts the signals to stop until the program's loop handles them. */
static volatile sig_atomic_t stops;

static void
on_stop_signal(int number)
{
	(void) number;
	stops++;
}

static int
cannot_start(const char *reason)
{
	log_line(LOG_LEVEL_ERROR, "cannot_start", log_text("reason", reason));
	return CONFIG_EXIT_FAILED;
}

/* Generates a random name: two processes with the same name would take each other's leases. */
static bool
make_up_owner(const Program *program)
{
	static char owner[64];
	unsigned char random[8];

	if (program->owner == NULL ||
		(program->settings->owner != NULL && program->settings->owner[0] != '\0'))
		return true;
	if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random))
		return false;
	snprintf(owner, sizeof(owner), "%s-%02x%02x%02x%02x%02x%02x%02x%02x", program->owner, random[0],
			 random[1], random[2], random[3], random[4], random[5], random[6], random[7]);
	program->settings->owner = owner;
	return true;
}

static int
run(const Program *program)
{
	const struct sigaction stop = {.sa_handler = on_stop_signal};
	const DbConfig config = program->database();
	int64_t wait_s = program->settings->database_wait_s;

	if (!log_start())
		return CONFIG_EXIT_FAILED;
	process_report();
	if (!make_up_owner(program))
		return cannot_start("could not generate random values");
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	if (db_preflight(&config, program->needs, (int) wait_s, &stops))
		return program->run(&stops);
	if (wait_s != PROGRAM_WAITS || stops == 0)
		return CONFIG_EXIT_FAILED;
	log_line(LOG_LEVEL_INFO, "stopped");
	return 0;
}

static bool
check(const Program *program, char *problem, size_t size)
{
	return db_conninfo_valid(program->settings->database, problem, size) &&
		   (program->check == NULL || program->check(problem, size));
}

int
program_main(const Program *program, int argc, char **argv)
{
	ConfigResult result;
	char problem[256];
	LogLevel level;
	int status;

	process_confine();
	if (!program->listens)
		process_close_ports();
	result = config_read(&program->config, argc, argv);
	if (result == CONFIG_DONE || result == CONFIG_USAGE)
		return result == CONFIG_DONE ? 0 : CONFIG_EXIT_USAGE;
	if (log_level_from_text(program->settings->log_level, &level))
		log_set_level(level);
	if (program->instead != NULL && (status = program->instead()) >= 0)
		return status;
	if (!check(program, problem, sizeof(problem)))
		return cannot_start(problem);
	if (result == CONFIG_CHECK_ONLY)
	{
		printf("the configuration is valid\n");
		return 0;
	}
	return run(program);
}
