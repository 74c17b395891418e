/*
 * options.h
 *		Options that several programs have, as rows for their option tables (lib/config.h).
 *
 * A program lists those that it needs among its own options.  The macro parameter "settings"
 * is the ProgramSettings that a row fills in.
 */
#ifndef PROGRAM_OPTIONS_H
#define PROGRAM_OPTIONS_H

#include "lib/config.h"
#include "lib/log.h"

/* For database_wait_s: wait without a limit; being stopped while waiting is no failure. */
#define PROGRAM_WAITS (-1)

/* The values of these options; texts are borrowed from argv and the environment. */
typedef struct ProgramSettings
{
	const char *database;
	int64_t database_wait_s; /* or PROGRAM_WAITS */
	int64_t drain_s;
	const char *owner;   /* NULL: a random name is generated */
	const char *metrics; /* NULL: no metrics listener */
	const char *log_level;
} ProgramSettings;

/* clang-format off */
#define PROGRAM_OPTION_DATABASE(variable, settings) \
	{.flag = "database", .environment = (variable), .argument = "CONNINFO", .fallback = "", \
	 .kind = CONFIG_TEXT, .target = &(settings).database, \
	 .help = "libpq connection string; what it leaves out comes from PGHOST and so on"}

#define PROGRAM_OPTION_DATABASE_WAIT(settings) \
	{.flag = "database-wait", .environment = "WA_DATABASE_WAIT", .argument = "SECONDS", .fallback = "30", \
	 .kind = CONFIG_INTEGER, .target = &(settings).database_wait_s, .min = 0, .max = 3600, \
	 .help = "how long to try to reach the database at start"}

/* "what" names the work that may still finish, in the plural */
#define PROGRAM_OPTION_DRAIN_TIMEOUT(seconds, what, settings) \
	{.flag = "drain-timeout", .environment = "WA_DRAIN_TIMEOUT", .argument = "SECONDS", .fallback = (seconds), \
	 .kind = CONFIG_INTEGER, .target = &(settings).drain_s, .min = 0, .max = 3600, \
	 .help = "how long " what " may finish after SIGTERM"}

#define PROGRAM_OPTION_OWNER(variable, settings) \
	{.flag = "owner", .environment = (variable), .argument = "NAME", \
	 .kind = CONFIG_TEXT, .target = &(settings).owner, \
	 .help = "name under which leases are held, one a process (default: made up at each start)"}

#define PROGRAM_OPTION_METRICS(variable, settings) \
	{.flag = "metrics", .environment = (variable), .argument = "ADDR:PORT", \
	 .kind = CONFIG_TEXT, .target = &(settings).metrics, \
	 .help = "address to serve GET /metrics on (Prometheus), without a credential; default: none"}

#define PROGRAM_OPTION_LOG_LEVEL(settings) \
	{.flag = "log-level", .environment = "WA_LOG_LEVEL", .argument = "LEVEL", .fallback = "info", \
	 .kind = CONFIG_CHOICE, .target = &(settings).log_level, .choices = log_level_names, \
	 .help = "least level that is logged: debug, info, warning or error"}
/* clang-format on */

#endif
