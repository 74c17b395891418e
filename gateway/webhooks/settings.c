/*
 * settings.c
 *		The settings of wa-worker.
 */
#include "webhooks/settings.h"

#include "program/metrics.h"

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
	EGRESS_OPTIONS("WA_WORKER", "WA_ALLOW_TARGET", worker_settings.egress, "webhooks",
				   "receivers'"),
	MEDIA_STORE_OPTIONS(worker_settings.media,
						"folder of the gateways' files; without it unused ones stay",
						"bucket of the gateways' files; --media-dir may be any folder then"),
	PROGRAM_OPTION_METRICS("WA_WORKER_METRICS", worker_settings.program),
	PROGRAM_OPTION_LOG_LEVEL(worker_settings.program),
	{.flag = NULL},
};

bool
worker_settings_check(char *problem, size_t size)
{
	return egress_settings_check(&worker_settings.egress, problem, size) &&
		   media_settings_check(&worker_settings.media, "wa-worker", problem, size) &&
		   program_metrics_check(worker_settings.program.metrics, problem, size);
}
