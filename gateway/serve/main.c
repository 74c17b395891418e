/*
 * main.c
 *		wa-gateway: the HTTP interface in front of PostgreSQL with wa_apikeys.
 *
 * With --workers 1 this process serves (service.c).  With more workers it starts processes
 * that serve and watches them (processes.c).  The database is checked once, before any fork.
 *
 * SIGTERM or SIGINT stops the gateway gracefully: it accepts no new connections, answers the
 * requests that have begun and exits with 0.  A second signal ends the remaining ones at once.
 */
#include <stdio.h>

#include "api/api.h"
#include "lib/log.h"
#include "program/program.h"
#include "serve/metrics.h"
#include "serve/processes.h"
#include "serve/service.h"
#include "serve/settings.h"

/* Bytes of the table of endpoints as JSON. */
#define ENDPOINTS_JSON_MAX (1024 * 1024)

/* Does what --endpoints asks for; needs neither database nor socket. */
static int
print_endpoints(void)
{
	Buffer json;
	bool ok;

	if (!gateway_settings.endpoints)
		return -1;
	buffer_init(&json, ENDPOINTS_JSON_MAX);
	ok = api_print_endpoints(&json) && printf("%s\n", json.data) > 0 && fflush(stdout) == 0;
	buffer_free(&json);
	return ok ? 0 : CONFIG_EXIT_FAILED;
}

static int
run(const volatile sig_atomic_t *stops)
{
	Metrics *metrics;
	int status;

	if (!service_metrics_open(&metrics))
	{
		log_line(LOG_LEVEL_ERROR, "cannot_start", log_text("reason", "out of memory"));
		return CONFIG_EXIT_FAILED;
	}
	status = gateway_settings.workers > 1 ? processes_run(metrics, stops)
										  : service_run(gateway_settings.listen, metrics, stops);
	metrics_close(metrics);
	return status;
}

int
main(int argc, char **argv)
{
	static const Program program = {
		.config = {.name = "wa-gateway",
				   .version = PROGRAM_VERSION,
				   .summary = "the HTTP interface in front of PostgreSQL with wa_apikeys",
				   .options = gateway_options},
		.settings = &gateway_settings.program,
		.listens = true,
		.needs = API_NEEDS_EXTENSION,
		.instead = print_endpoints,
		.check = settings_check,
		.database = settings_db,
		.run = run,
	};

	return program_main(&program, argc, argv);
}
