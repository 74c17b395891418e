/*
 * settings.c
 *		What wa-worker can be told.
 */
#include "webhooks/settings.h"

#include <stdio.h>
#include <unistd.h>

#include "db/preflight.h"
#include "http/metrics.h"
#include "lib/log.h"
#include "webhooks/resolve.h"

ConfigResult
worker_settings_read(int argc, char **argv, WorkerSettings *settings)
{
	const ConfigOption options[] = {
		{.flag = "database",
		 .environment = "WA_WORKER_DATABASE",
		 .argument = "CONNINFO",
		 .fallback = "",
		 .kind = CONFIG_TEXT,
		 .target = &settings->database,
		 .help = "libpq connection string; what it leaves out comes from PGHOST and so on"},
		{.flag = "db-connections",
		 .environment = "WA_WORKER_DB_CONNECTIONS",
		 .argument = "N",
		 .fallback = "2",
		 .kind = CONFIG_INTEGER,
		 .target = &settings->connections,
		 .min = 1,
		 .max = 64,
		 .help = "database connections, besides the one that waits for events"},
		{.flag = "database-wait",
		 .environment = "WA_DATABASE_WAIT",
		 .argument = "SECONDS",
		 .fallback = "30",
		 .kind = CONFIG_INTEGER,
		 .target = &settings->database_wait_s,
		 .min = 0,
		 .max = 3600,
		 .help = "how long to try to reach the database at start"},
		{.flag = "owner",
		 .environment = "WA_WORKER_OWNER",
		 .argument = "NAME",
		 .kind = CONFIG_TEXT,
		 .target = &settings->owner,
		 .help =
			 "name under which leases are held, one a process (default: made up at each start)"},
		{.flag = "timeout",
		 .environment = "WA_WORKER_TIMEOUT",
		 .argument = "MS",
		 .fallback = "10000",
		 .kind = CONFIG_INTEGER,
		 .target = &settings->timeout_ms,
		 .min = 100,
		 .max = 10000,
		 .help = "milliseconds in which a receiver has to answer"},
		{.flag = "lease",
		 .environment = "WA_WORKER_LEASE",
		 .argument = "SECONDS",
		 .fallback = "30",
		 .kind = CONFIG_INTEGER,
		 .target = &settings->lease_s,
		 .min = 2,
		 .max = 600,
		 .help = "after so long another worker takes over what a dead one has held"},
		{.flag = "drain-timeout",
		 .environment = "WA_DRAIN_TIMEOUT",
		 .argument = "SECONDS",
		 .fallback = "15",
		 .kind = CONFIG_INTEGER,
		 .target = &settings->drain_s,
		 .min = 0,
		 .max = 3600,
		 .help = "how long deliveries may finish after SIGTERM"},
		{.flag = "housekeeping",
		 .environment = "WA_WORKER_HOUSEKEEPING",
		 .argument = "SECONDS",
		 .fallback = "30",
		 .kind = CONFIG_INTEGER,
		 .target = &settings->housekeeping_s,
		 .min = 1,
		 .max = 3600,
		 .help = "about how often expired rows are looked for"},
		{.flag = "allow-target",
		 .environment = "WA_ALLOW_TARGET",
		 .argument = "CIDR",
		 .kind = CONFIG_LIST,
		 .target = &settings->allowed,
		 .help =
			 "webhooks may lead to these addresses besides the Internet's (every tenant's may)"},
		{.flag = "resolver",
		 .environment = "WA_WORKER_RESOLVER",
		 .argument = "ADDR:PORT",
		 .kind = CONFIG_TEXT,
		 .target = &settings->resolver,
		 .help = "name server to ask, and nothing else (default: /etc/resolv.conf and /etc/hosts)"},
		{.flag = "ca-file",
		 .environment = "WA_WORKER_CA_FILE",
		 .argument = "FILE",
		 .kind = CONFIG_TEXT,
		 .target = &settings->ca_file,
		 .help =
			 "authorities (PEM) that receivers' certificates are verified by (default: the system's)"},
		{.flag = "metrics",
		 .environment = "WA_WORKER_METRICS",
		 .argument = "ADDR:PORT",
		 .kind = CONFIG_TEXT,
		 .target = &settings->metrics,
		 .help =
			 "address to serve GET /metrics on (Prometheus), without a credential; default: none"},
		{.flag = "log-level",
		 .environment = "WA_LOG_LEVEL",
		 .argument = "LEVEL",
		 .fallback = "info",
		 .kind = CONFIG_CHOICE,
		 .target = &settings->log_level,
		 .choices = log_level_names,
		 .help = "least level that is logged: debug, info, warning or error"},
		{.flag = NULL}};
	const ConfigProgram program = {.name = "wa-worker",
								   .version = WORKER_VERSION,
								   .summary = "delivers webhooks and takes away what has expired",
								   .options = options};

	return config_read(&program, argc, argv);
}

bool
worker_settings_check(WorkerSettings *settings, char *problem, size_t size)
{
	for (size_t i = 0; i < settings->allowed.count; i++)
	{
		if (!egress_allow(&settings->rules, settings->allowed.texts[i]))
		{
			snprintf(problem, size, "--allow-target takes addresses and ranges like 10.0.0.0/8");
			return false;
		}
	}
	if (settings->resolver != NULL && !resolver_is_server(settings->resolver))
	{
		snprintf(problem, size, "--resolver takes an address and a port");
		return false;
	}
	if (settings->ca_file != NULL && access(settings->ca_file, R_OK) != 0)
	{
		snprintf(problem, size, "the file of --ca-file cannot be read");
		return false;
	}
	return db_conninfo_valid(settings->database, problem, size) &&
		   (settings->metrics == NULL || http_metrics_check(settings->metrics, problem, size));
}
