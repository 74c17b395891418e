/*
 * settings.c
 *		The settings of wa-worker.
 */
#include "webhooks/settings.h"

#include <stdio.h>
#include <unistd.h>

#include "program/metrics.h"
#include "webhooks/resolve.h"

WorkerSettings worker_settings;

const ConfigOption worker_options[] = {
	PROGRAM_OPTION_DATABASE("WA_WORKER_DATABASE", worker_settings.program),
	{.flag = "db-connections",
	 .environment = "WA_WORKER_DB_CONNECTIONS",
	 .argument = "N",
	 .fallback = "2",
	 .kind = CONFIG_INTEGER,
	 .target = &worker_settings.connections,
	 .min = 1,
	 .max = 64,
	 .help = "database connections, besides the one that waits for events"},
	PROGRAM_OPTION_DATABASE_WAIT(worker_settings.program),
	PROGRAM_OPTION_OWNER("WA_WORKER_OWNER", worker_settings.program),
	{.flag = "timeout",
	 .environment = "WA_WORKER_TIMEOUT",
	 .argument = "MS",
	 .fallback = "10000",
	 .kind = CONFIG_INTEGER,
	 .target = &worker_settings.timeout_ms,
	 .min = 100,
	 .max = 10000,
	 .help = "milliseconds in which a receiver has to answer"},
	{.flag = "lease",
	 .environment = "WA_WORKER_LEASE",
	 .argument = "SECONDS",
	 .fallback = "30",
	 .kind = CONFIG_INTEGER,
	 .target = &worker_settings.lease_s,
	 .min = 2,
	 .max = 600,
	 .help = "after so long another worker takes over what a dead one has held"},
	PROGRAM_OPTION_DRAIN_TIMEOUT("15", "deliveries", worker_settings.program),
	{.flag = "housekeeping",
	 .environment = "WA_WORKER_HOUSEKEEPING",
	 .argument = "SECONDS",
	 .fallback = "30",
	 .kind = CONFIG_INTEGER,
	 .target = &worker_settings.housekeeping_s,
	 .min = 1,
	 .max = 3600,
	 .help = "about how often expired rows are looked for"},
	{.flag = "allow-target",
	 .environment = "WA_ALLOW_TARGET",
	 .argument = "CIDR",
	 .kind = CONFIG_LIST,
	 .target = &worker_settings.allowed,
	 .help = "webhooks may lead to these addresses besides the Internet's (every tenant's may)"},
	{.flag = "resolver",
	 .environment = "WA_WORKER_RESOLVER",
	 .argument = "ADDR:PORT",
	 .kind = CONFIG_TEXT,
	 .target = &worker_settings.resolver,
	 .help = "name server to ask, and nothing else (default: /etc/resolv.conf and /etc/hosts)"},
	{.flag = "ca-file",
	 .environment = "WA_WORKER_CA_FILE",
	 .argument = "FILE",
	 .kind = CONFIG_TEXT,
	 .target = &worker_settings.ca_file,
	 .help =
		 "authorities (PEM) that receivers' certificates are verified by (default: the system's)"},
	PROGRAM_OPTION_METRICS("WA_WORKER_METRICS", worker_settings.program),
	PROGRAM_OPTION_LOG_LEVEL(worker_settings.program),
	{.flag = NULL},
};

bool
worker_settings_check(char *problem, size_t size)
{
	WorkerSettings *settings = &worker_settings;

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
	return program_metrics_check(settings->program.metrics, problem, size);
}
