/*
 * main.c
 *		wa-sandbox: a connector that invents WhatsApp.
 *
 * It uses the connector functions as every connector does: it leases sessions, pairs them,
 * claims their messages and message actions, reports the results, and stores what arrives.
 * It also plays the phones at the other end.  They scan every QR code, enter every pairing
 * code, read every message, react to texts that contain "react", and repeat every text.
 * With --media-dir it stores the files whose URL a message has, and they also send files: a picture, a voice note or a document to whoever asks
 * for one, and a file whose caption contains "send it back" (files.h).
 * Only the number 15550000000 has no phone, so that failures can be tried.
 *
 * On SIGTERM or SIGINT it claims nothing new.  Jobs that are on their way are finished
 * without delays within DRAIN_MS, and the leases are given back.
 */
#include "client/egress_settings.h"
#include "connector/fetches.h"
#include "lib/log.h"
#include "lib/timer.h"
#include "media/store.h"
#include "program/loop.h"
#include "program/program.h"
#include "sandbox/jobs.h"
#include "sandbox/received.h"
#include "sandbox/sessions.h"

#define LEASE_MIN_MS 15000
#define AGENT "wa-sandbox" /* what servers of files see as User-Agent */
#define DRAIN_MS 5000

/*
 * The most requests that wait for the connection: one for each job, session and file, and those
 * that claim.
 */
#define REQUESTS_MAX (JOBS_MAX + SESSIONS_MAX + FETCHES_MAX + 5)

typedef struct Work
{
	ProgramLoop *loop;
	Sandbox sandbox;
	Sessions *sessions;
	Jobs *jobs;
	Fetches *fetches;
	Timer deadline; /* of the jobs, while draining */
	int begun;      /* the number of jobs when draining began */
	bool releasing;
} Work;

static struct
{
	ProgramSettings program;
	int64_t step_ms;
	int64_t poll_ms;
	int64_t reports_max;
	MediaStoreConfig media; /* without a folder, files are neither sent nor fetched */
	int64_t media_max_bytes;
	int64_t fetch_timeout_ms;
	EgressSettings egress;
} settings;

static const ConfigOption options[] = {
	PROGRAM_OPTION_DATABASE("WA_SANDBOX_DATABASE", settings.program),
	PROGRAM_OPTION_OWNER("WA_SANDBOX_OWNER", settings.program),
	{.flag = "step-ms",
	 .environment = "WA_SANDBOX_STEP_MS",
	 .argument = "MS",
	 .fallback = "300",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.step_ms,
	 .min = 0,
	 .max = 60000,
	 .help = "delay between two states of a session or message"},
	{.flag = "poll-ms",
	 .environment = "WA_SANDBOX_POLL_MS",
	 .argument = "MS",
	 .fallback = "250",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.poll_ms,
	 .min = 10,
	 .max = 5000,
	 .help = "time between two looks for new messages"},
	{.flag = "reports-max",
	 .environment = "WA_OUTBOX_REPORTS_MAX",
	 .argument = "N",
	 .fallback = "100",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.reports_max,
	 .min = 1,
	 .max = OUTBOX_REPORTS_MAX,
	 .help = "most reports in one statement and commit"},
	{.flag = "media-dir",
	 .environment = "WA_MEDIA_DIR",
	 .argument = "FOLDER",
	 .kind = CONFIG_TEXT,
	 .target = &settings.media.folder,
	 .help = "folder of the gateway for files; without it no files are sent or received"},
	{.flag = "media-max-bytes",
	 .environment = "WA_MEDIA_MAX_BYTES",
	 .argument = "BYTES",
	 .fallback = "104857600",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.media_max_bytes,
	 .min = 1,
	 .max = 2147483648,
	 .help = "bytes of one file that is fetched from a URL"},
	{.flag = "fetch-timeout",
	 .environment = "WA_SANDBOX_FETCH_TIMEOUT",
	 .argument = "MS",
	 .fallback = "30000",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.fetch_timeout_ms,
	 .min = 100,
	 .max = 600000,
	 .help = "milliseconds in which a file has to come from its URL"},
	EGRESS_OPTIONS("WA_SANDBOX", "WA_SANDBOX_ALLOW_TARGET", settings.egress, "URLs of files",
				   "servers'"),
	PROGRAM_OPTION_LOG_LEVEL(settings.program),
	{.flag = NULL},
};

static DbConfig
db_config(void)
{
	return (DbConfig){.conninfo = settings.program.database,
					  .application_name = "wa-sandbox",
					  .role = SANDBOX_ROLE,
					  .connections = 1,
					  .in_flight = SANDBOX_IN_FLIGHT,
					  .queue = REQUESTS_MAX};
}

/* ---- stopping ---- */

static void
on_released(void *context)
{
	const Work *work = context;

	program_loop_drained(work->loop);
}

/* The jobs are finished, or their time is over. */
static void
release(void *context)
{
	Work *work = context;

	if (work->releasing)
		return;
	work->releasing = true;
	sessions_release(work->sessions, on_released, work);
}

/* Finishes the jobs: no other process can before the leases expire. */
static void
drain(void *context)
{
	Work *work = context;

	work->begun = jobs_count(work->jobs);
	sessions_stop(work->sessions);
	fetches_stop(work->fetches);
	timer_start(&work->deadline, DRAIN_MS);
	jobs_drain(work->jobs);
}

static void
log_stopped(void *context)
{
	const Work *work = context;
	int left = jobs_count(work->jobs);

	log_line(LOG_LEVEL_INFO, "stopped", log_int("finished", work->begun - left),
			 log_int("left", left));
}

/* ---- starting ---- */

static void
forget(void *context)
{
	const Work *work = context;

	jobs_forget(work->jobs, work->sessions);
}

static bool
open_downloads(Sandbox *sandbox, char *error, size_t size)
{
	const EgressSettings *egress = &settings.egress;
	DownloadSetup *downloads = &sandbox->downloads;

	downloads->destination =
		(DestinationSetup){.base = sandbox->base,
						   .resolver = resolver_open(sandbox->base, egress->resolver, FETCHES_MAX),
						   .rules = &egress->rules};
	downloads->transfers = transfers_open(sandbox->base, &egress->rules, egress->ca_file, AGENT);
	downloads->timeout_ms = (int) settings.fetch_timeout_ms;
	downloads->bytes_max = settings.media_max_bytes;
	if (downloads->destination.resolver == NULL)
		snprintf(error, size, "no name server is known");
	return downloads->destination.resolver != NULL && downloads->transfers != NULL;
}

static bool
start_fetches(Work *work)
{
	Sandbox *sandbox = &work->sandbox;
	const FetchesSetup setup = {.base = sandbox->base,
								.db = sandbox->db,
								.statements = &sandbox_statements,
								.claim = SANDBOX_MEDIA,
								.stored = SANDBOX_MEDIA_STORED,
								.failed = SANDBOX_MEDIA_FAILED,
								.connector = SANDBOX_CONNECTOR,
								.owner = sandbox->owner,
								.media = sandbox->media,
								.downloads = &sandbox->downloads,
								.poll_ms = (int) settings.poll_ms,
								.lease_ms = sandbox->lease_ms,
								.source = &sandbox_received,
								.context = sandbox};

	work->fetches = fetches_start(&setup);
	return work->fetches != NULL;
}

/* Without a store every file that is to be fetched fails. */
static bool
open_media(Work *work, char *error, size_t size)
{
	Sandbox *sandbox = &work->sandbox;

	if (settings.media.folder != NULL)
	{
		sandbox->media = media_store_open(sandbox->base, &settings.media, error, size);
		if (sandbox->media == NULL || !open_downloads(sandbox, error, size))
			return false;
	}
	return start_fetches(work);
}

static bool
check(char *problem, size_t size)
{
	return egress_settings_check(&settings.egress, problem, size) &&
		   media_store_check(&settings.media, problem, size);
}

static bool
open_work(void *context, ProgramLoop *loop, char *error, size_t size)
{
	Work *work = context;
	const DbConfig config = db_config();
	int step_ms = (int) settings.step_ms;

	work->loop = loop;
	if (!statements_find(&sandbox_statements, error, size))
		return false;
	work->sandbox = (Sandbox){.base = loop->base,
							  .db = db_open(loop->base, &config),
							  .owner = settings.program.owner,
							  .step_ms = step_ms,
							  .reports_max = (int) settings.reports_max,
							  .lease_ms = 4 * step_ms > LEASE_MIN_MS ? 4 * step_ms : LEASE_MIN_MS};
	if (work->sandbox.db == NULL || !timer_open(&work->deadline, loop->base, release, work) ||
		!open_media(work, error, size))
		return false;
	work->sessions = sessions_start(&work->sandbox, (int) settings.poll_ms, forget, work);
	work->jobs = jobs_start(&work->sandbox, (int) settings.poll_ms, release, work);
	return work->sessions != NULL && work->jobs != NULL;
}

/* Runs after the checks at start, which have connected to the database. */
static void
begin(void *context)
{
	const Work *work = context;

	log_line(LOG_LEVEL_INFO, "started", log_text("owner", work->sandbox.owner),
			 log_int("step_ms", work->sandbox.step_ms));
	log_line(LOG_LEVEL_INFO, "database_connected");
}

static void
close_work(void *context)
{
	Work *work = context;

	jobs_free(work->jobs);
	fetches_free(work->fetches);
	transfers_close(work->sandbox.downloads.transfers);
	resolver_close(work->sandbox.downloads.destination.resolver);
	media_store_close(work->sandbox.media);
	sessions_free(work->sessions);
	timer_close(&work->deadline);
	db_close(work->sandbox.db);
}

static int
run(const volatile sig_atomic_t *stops)
{
	static const ProgramWork hooks = {.open = open_work,
									  .begin = begin,
									  .drain = drain,
									  .close = close_work,
									  .stopped = log_stopped};
	Work work = {0};
	ProgramLoop loop = {.work = &hooks, .context = &work};

	return program_loop_run(&loop, stops);
}

int
main(int argc, char **argv)
{
	static const Program program = {
		.config = {.name = "wa-sandbox",
				   .version = PROGRAM_VERSION,
				   .summary = "A connector with invented telephones, for trying out.",
				   .options = options},
		.settings = &settings.program,
		.owner = "sandbox",
		.check = check,
		.database = db_config,
		.run = run,
	};

	settings.program.database_wait_s = PROGRAM_WAITS;
	return program_main(&program, argc, argv);
}
