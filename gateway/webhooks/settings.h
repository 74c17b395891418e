/*
 * settings.h
 *		The settings of wa-worker.
 */
#ifndef WEBHOOKS_SETTINGS_H
#define WEBHOOKS_SETTINGS_H

#include "program/options.h"
#include "client/egress_settings.h"
#include "media/settings.h"

/* All texts are borrowed from argv and the environment. */
typedef struct WorkerSettings
{
	ProgramSettings program;
	int64_t connections;
	int64_t timeout_ms;
	int64_t lease_s;
	int64_t housekeeping_s;
	EgressSettings egress;
	MediaSettings media; /* without a folder, no bytes are removed from a store */
} WorkerSettings;

extern WorkerSettings worker_settings;
extern const ConfigOption worker_options[];

/*
 * Fills in rules, and checks what can be checked without a database and without listening.
 * Returns false when something is wrong; problem (of size bytes) then says what.
 */
extern bool worker_settings_check(char *problem, size_t size);

#endif
