/*
 * settings.h
 *		What wa-worker can be told.
 */
#ifndef WEBHOOKS_SETTINGS_H
#define WEBHOOKS_SETTINGS_H

#include "lib/config.h"
#include "webhooks/egress.h"

#define WORKER_VERSION "1.0"

/* All texts are borrowed from argv and the environment. */
typedef struct WorkerSettings
{
	const char *database;
	const char *owner; /* NULL: made up */
	int64_t connections;
	int64_t timeout_ms;
	int64_t lease_s;
	int64_t database_wait_s;
	int64_t drain_s;
	int64_t housekeeping_s;
	ConfigList allowed;
	const char *resolver; /* NULL: the system's */
	const char *ca_file;  /* NULL: the system's */
	const char *metrics;  /* NULL: no listener */
	const char *log_level;
	EgressRules rules; /* what "allowed" means */
} WorkerSettings;

extern ConfigResult worker_settings_read(int argc, char **argv, WorkerSettings *settings);

/*
 * Fills in rules, and says what can be said without a database and without listening.
 * False: problem (of size bytes) says why.
 */
extern bool worker_settings_check(WorkerSettings *settings, char *problem, size_t size);

#endif
