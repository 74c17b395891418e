/*
 * main.c
 *		wa-gateway: the HTTP interface in front of PostgreSQL with wa_apikeys.
 *
 * Starting goes in this order, and the first step that fails ends it with a line that
 * says why: settings (settings.c), the checks of the database, the listening socket.  With
 * --workers 1 this process serves (service.c); with more it only watches those that do
 * (processes.c).  The checks are made once, before any fork.
 *
 * SIGTERM and SIGINT stop it gently: no new connections, what is under way is answered,
 * then exit 0.  A second signal cuts what is left.
 */
#include <signal.h>
#include <stdio.h>

#include "api/api.h"
#include "db/preflight.h"
#include "lib/log.h"
#include "lib/process.h"
#include "serve/service.h"
#include "serve/metrics.h"
#include "serve/settings.h"
#include "serve/processes.h"

/* Bytes of the table of endpoints as JSON. */
#define ENDPOINTS_JSON_MAX (1024 * 1024)

/* Signals that asked to stop, until something else listens for them. */
static volatile sig_atomic_t stops;

static void
on_stop_signal(int number)
{
	(void) number;
	stops++;
}

/*
 * What --endpoints asks for; needs neither database nor socket.
 */
static int
print_endpoints(void)
{
	Buffer json;
	bool ok;

	buffer_init(&json, ENDPOINTS_JSON_MAX);
	ok = api_print_endpoints(&json) && printf("%s\n", json.data) > 0 && fflush(stdout) == 0;
	buffer_free(&json);
	return ok ? 0 : CONFIG_EXIT_FAILED;
}

static int
run(const Settings *settings)
{
	struct sigaction stop = {.sa_handler = on_stop_signal};
	DbConfig db = settings_db(settings);
	Metrics *metrics;
	int status;

	if (!log_start())
		return CONFIG_EXIT_FAILED;
	process_report();
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	if (!db_preflight(&db, API_NEEDS_EXTENSION, (int) settings->database_wait_s, &stops))
		return CONFIG_EXIT_FAILED;
	if (!service_metrics_open(settings, &metrics))
	{
		log_line(LOG_LEVEL_ERROR, "cannot_start", log_text("reason", "out of memory"));
		return CONFIG_EXIT_FAILED;
	}
	status = settings->workers > 1 ? processes_run(settings, metrics, &stops)
								   : service_run(settings, settings->listen, metrics, &stops);
	metrics_close(metrics);
	return status;
}

int
main(int argc, char **argv)
{
	const Settings *settings;
	ConfigResult result;
	char problem[256];
	LogLevel level;

	process_confine();
	result = settings_read(argc, argv, &settings);
	if (result == CONFIG_DONE || result == CONFIG_USAGE)
		return result == CONFIG_DONE ? 0 : CONFIG_EXIT_USAGE;
	if (log_level_from_text(settings->log_level, &level))
		log_set_level(level);
	if (settings->endpoints)
		return print_endpoints();
	if (!settings_check(settings, problem, sizeof(problem)))
	{
		log_line(LOG_LEVEL_ERROR, "cannot_start", log_text("reason", problem));
		return CONFIG_EXIT_FAILED;
	}
	if (result == CONFIG_CHECK_ONLY)
	{
		printf("the configuration is valid\n");
		return 0;
	}
	return run(settings);
}
