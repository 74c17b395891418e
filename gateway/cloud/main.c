/*
 * main.c
 *		wa-cloud: a connector to WhatsApp, by Meta's Cloud API.
 *
 * It leases sessions whose connector is "cloud", opens their credentials with its key files, and
 * connects their phone numbers.  It claims their messages and message actions, sends them, and
 * reports the results.
 *
 * On SIGTERM or SIGINT it claims nothing new, and gives back what waits.  What is being sent may
 * finish within DRAIN_MS; then the leases are given back.
 */
#include "client/exchange.h"
#include "cloud/cloud.h"
#include "cloud/jobs.h"
#include "cloud/sessions.h"
#include "lib/log.h"
#include "program/loop.h"
#include "program/program.h"

#include <stdio.h>
#include <string.h>

#define LEASE_MS 30000   /* of a session */
#define AGENT "wa-cloud" /* what Meta sees as User-Agent */
#define DRAIN_MS 5000

/* The most requests that wait for the connection: one for each session and job, and those that look. */
#define REQUESTS_MAX (SESSIONS_MAX + JOBS_MAX + 8)

typedef struct Running
{
	ProgramLoop *loop;
	Cloud cloud;
	Sessions *sessions;
	Jobs *jobs;
	Timer deadline; /* of the jobs, while draining */
	int begun;      /* the number of jobs when draining began */
	bool releasing;
} Running;

static struct
{
	ProgramSettings program;
	ConfigList key_files;
	const char *graph_url;
	const char *graph_version;
	const char *ca_file;
	int64_t poll_ms;
	int64_t health_s;
	int64_t timeout_ms;
	int64_t status_wait_s;
	int64_t rate;
	CloudKeys keys;
} settings;

static const ConfigOption options[] = {
	PROGRAM_OPTION_DATABASE("WA_CLOUD_DATABASE", settings.program),
	PROGRAM_OPTION_OWNER("WA_CLOUD_OWNER", settings.program),
	{.flag = "key-file",
	 .environment = "WA_CLOUD_KEY_FILE",
	 .argument = "FILE",
	 .kind = CONFIG_LIST,
	 .target = &settings.key_files,
	 .help = "secret key that opens credentials; several, while some are sealed to earlier keys"},
	{.flag = "graph-url",
	 .environment = "WA_CLOUD_GRAPH_URL",
	 .argument = "URL",
	 .fallback = "https://graph.facebook.com",
	 .kind = CONFIG_TEXT,
	 .target = &settings.graph_url,
	 .help = "Meta's Graph API; http:// only on this machine"},
	{.flag = "graph-version",
	 .environment = "WA_CLOUD_GRAPH_VERSION",
	 .argument = "VERSION",
	 .fallback = "v25.0",
	 .kind = CONFIG_TEXT,
	 .target = &settings.graph_version,
	 .help = "version of the Graph API for sessions whose credentials name none"},
	{.flag = "graph-ca-file",
	 .environment = "WA_CLOUD_GRAPH_CA_FILE",
	 .argument = "FILE",
	 .kind = CONFIG_TEXT,
	 .target = &settings.ca_file,
	 .help = "certificate authorities (PEM) of the Graph API; default: the system's"},
	{.flag = "graph-timeout",
	 .environment = "WA_CLOUD_GRAPH_TIMEOUT",
	 .argument = "MS",
	 .fallback = "30000",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.timeout_ms,
	 .min = 100,
	 .max = 120000,
	 .help = "milliseconds for one call of the Graph API"},
	{.flag = "health-interval",
	 .environment = "WA_CLOUD_HEALTH_INTERVAL",
	 .argument = "SECONDS",
	 .fallback = "600",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.health_s,
	 .min = 1,
	 .max = 86400,
	 .help = "time between two looks whether a phone number still works"},
	{.flag = "status-wait",
	 .environment = "WA_CLOUD_STATUS_WAIT",
	 .argument = "SECONDS",
	 .fallback = "120",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.status_wait_s,
	 .min = 1,
	 .max = 3600,
	 .help = "how long a webhook may tell that Meta has taken a message whose answer was lost"},
	{.flag = "number-rate",
	 .environment = "WA_CLOUD_NUMBER_RATE",
	 .argument = "N",
	 .fallback = "75",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.rate,
	 .min = 1,
	 .max = 1000,
	 .help = "messages of one phone number in a second; Meta takes 80"},
	{.flag = "poll-ms",
	 .environment = "WA_CLOUD_POLL_MS",
	 .argument = "MS",
	 .fallback = "250",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.poll_ms,
	 .min = 10,
	 .max = 5000,
	 .help = "time between two looks for new messages"},
	PROGRAM_OPTION_LOG_LEVEL(settings.program),
	{.flag = NULL},
};

/* One connection: its answers come in order (sessions.c). */
static DbConfig
db_config(void)
{
	return (DbConfig){.conninfo = settings.program.database,
					  .application_name = "wa-cloud",
					  .role = CLOUD_ROLE,
					  .connections = 1,
					  .in_flight = CLOUD_IN_FLIGHT,
					  .queue = REQUESTS_MAX};
}

/* ---- settings ---- */

static bool
is_version(const char *text)
{
	size_t major = text[0] == 'v' ? strspn(text + 1, "0123456789") : 0;
	const char *point = text + 1 + major;

	return major > 0 && strlen(text) <= CLOUD_VERSION_MAX && point[0] == '.' && point[1] != '\0' &&
		   strspn(point + 1, "0123456789") == strlen(point + 1);
}

static bool
check_url(char *problem, size_t size)
{
	const char *wrong = exchange_problem(settings.graph_url);
	size_t len = strlen(settings.graph_url);

	if (wrong == NULL && len > 0 && settings.graph_url[len - 1] == '/')
		wrong = "it must not end with a slash";
	if (wrong != NULL)
		snprintf(problem, size, "--graph-url: %s", wrong);
	return wrong == NULL;
}

static bool
check(char *problem, size_t size)
{
	if (!check_url(problem, size))
		return false;
	if (!is_version(settings.graph_version))
	{
		snprintf(problem, size, "--graph-version must be a version such as v25.0");
		return false;
	}
	if (settings.key_files.count == 0)
	{
		snprintf(problem, size, "--key-file is needed: without a key no credentials can be opened");
		return false;
	}
	for (size_t i = 0; i < settings.key_files.count; i++)
		if (!cloud_keys_read(&settings.keys, settings.key_files.texts[i], problem, size))
			return false;
	return true;
}

/* ---- stopping ---- */

static void
on_released(void *context)
{
	const Running *work = context;

	program_loop_drained(work->loop);
}

/* The jobs are finished, or their time is over. */
static void
release(void *context)
{
	Running *work = context;

	if (work->releasing)
		return;
	work->releasing = true;
	sessions_stop(work->sessions);
	sessions_release(work->sessions, on_released, work);
}

static void
drain(void *context)
{
	Running *work = context;

	work->begun = jobs_count(work->jobs);
	timer_start(&work->deadline, DRAIN_MS);
	jobs_drain(work->jobs, release, work);
}

static void
log_stopped(void *context)
{
	const Running *work = context;
	int left = jobs_count(work->jobs);

	log_line(LOG_LEVEL_INFO, "stopped", log_int("finished", work->begun - left),
			 log_int("left", left));
}

/* ---- starting ---- */

/* Sessions may be there before the jobs are. */
static void
on_sessions_changed(void *context)
{
	Running *work = context;

	if (work->jobs != NULL)
		jobs_look(work->jobs);
}

static bool
open_work(void *context, ProgramLoop *loop, char *error, size_t size)
{
	Running *work = context;
	Cloud *cloud = &work->cloud;
	const DbConfig config = db_config();

	work->loop = loop;
	if (!statements_find(&cloud_statements, error, size))
		return false;
	*cloud = (Cloud){.base = loop->base,
					 .db = db_open(loop->base, &config),
					 .owner = settings.program.owner,
					 .keys = &settings.keys,
					 .graph = {.service = service_open(loop->base, settings.ca_file, AGENT),
							   .url = settings.graph_url,
							   .version = settings.graph_version,
							   .timeout_ms = (int) settings.timeout_ms},
					 .poll_ms = (int) settings.poll_ms,
					 .lease_ms = LEASE_MS,
					 .health_ms = (int) settings.health_s * 1000,
					 .status_wait_ms = (int) settings.status_wait_s * 1000,
					 .number_rate = {.per_minute = (int32_t) settings.rate * 60,
									 .burst = (int32_t) settings.rate}};
	if (cloud->db == NULL || cloud->graph.service == NULL ||
		!timer_open(&work->deadline, loop->base, release, work))
		return false;
	work->sessions = sessions_start(cloud, on_sessions_changed, work);
	if (work->sessions != NULL)
		work->jobs = jobs_start(cloud, work->sessions);
	return work->jobs != NULL;
}

/* Runs after the checks at start, which have connected to the database. */
static void
begin(void *context)
{
	const Running *work = context;

	log_line(LOG_LEVEL_INFO, "started", log_text("owner", work->cloud.owner),
			 log_text("graph_url", work->cloud.graph.url),
			 log_int("keys", work->cloud.keys->count));
	log_line(LOG_LEVEL_INFO, "database_connected");
}

static void
close_work(void *context)
{
	Running *work = context;

	jobs_free(work->jobs);
	sessions_free(work->sessions);
	timer_close(&work->deadline);
	service_close(work->cloud.graph.service);
	db_close(work->cloud.db);
	cloud_keys_wipe(&settings.keys);
}

static int
run(const volatile sig_atomic_t *stops)
{
	static const ProgramWork hooks = {.open = open_work,
									  .begin = begin,
									  .drain = drain,
									  .close = close_work,
									  .stopped = log_stopped};
	Running work = {0};
	ProgramLoop loop = {.work = &hooks, .context = &work};

	return program_loop_run(&loop, stops);
}

int
main(int argc, char **argv)
{
	static const Program program = {
		.config = {.name = "wa-cloud",
				   .version = PROGRAM_VERSION,
				   .summary = "A connector to WhatsApp, by Meta's Cloud API.",
				   .options = options},
		.settings = &settings.program,
		.owner = "cloud",
		.check = check,
		.database = db_config,
		.run = run,
	};

	settings.program.database_wait_s = PROGRAM_WAITS;
	return program_main(&program, argc, argv);
}
