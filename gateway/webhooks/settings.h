/*
 * settings.h
 *		What wa-worker can be told.
 */
#ifndef WEBHOOKS_SETTINGS_H
#define WEBHOOKS_SETTINGS_H

#include "program/options.h"
#include "webhooks/egress.h"

/* All texts are borrowed from argv and the environment. */
typedef struct WorkerSettings
{
	ProgramSettings program;
	int64_t connections;
	int64_t timeout_ms;
	int64_t lease_s;
	int64_t housekeeping_s;
	ConfigList allowed;
	const char *resolver; /* NULL: the system's */
	const char *ca_file;  /* NULL: the system's */
	EgressRules rules;    /* what "allowed" means */
} WorkerSettings;

extern WorkerSettings worker_settings;
extern const ConfigOption worker_options[];

/*
 * Fills in rules, and says what can be said without a database and without listening.
 * False: problem (of size bytes) says why.
 */
extern bool worker_settings_check(char *problem, size_t size);

#endif
