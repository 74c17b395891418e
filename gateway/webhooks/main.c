/*
 * main.c
 *		wa-worker: delivers webhooks, and removes expired rows and files.
 *
 * It is one process with one event loop.  Any number of them may run side by side, on any
 * machines: the database gives each webhook to one of them at a time.
 *
 * SIGTERM and SIGINT stop it gently: it claims no new webhook, lets requests that are under
 * way end within the drain time, and gives back what was not sent.  A second signal ends it
 * at once.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "db/result.h"
#include "db/task.h"
#include "lib/log.h"
#include "program/loop.h"
#include "program/program.h"
#include "webhooks/checks.h"
#include "webhooks/dispatch.h"
#include "webhooks/housekeeping.h"
#include "webhooks/metrics.h"
#include "webhooks/queue.h"
#include "webhooks/removals.h"
#include "webhooks/scan.h"
#include "webhooks/settings.h"
#include "webhooks/statements.h"

/* What receivers see as User-Agent. */
#define AGENT "wa-worker"

/* Statements in the pipeline of one connection. */
#define IN_FLIGHT 16

/* The most statements that wait for a connection: of a queue a taking, a report, a renewal. */
#define REQUESTS_MAX (DISPATCH_QUEUES_MAX * 3 + 16)

/* How often the database counts its rows for the metrics. */
#define COUNT_MS 10000

typedef struct Worker
{
	ProgramLoop *loop;
	Db *db;
	Resolver *resolver;
	Transfers *transfers;
	Dispatch *dispatch;
	Housekeeping *housekeeping;
	MediaStore *media;  /* NULL: there is none */
	Removals *removals; /* this and the next two: with a store */
	Scan *scan;
	Checks *checks;
	Metrics *metrics; /* NULL: metrics are off */
	ProgramMetrics *measured;
	DbTask counting;
} Worker;

/* ---- metrics ---- */

/*
 * The columns are: pending, failed, dead, the age in seconds of the oldest open delivery,
 * then others.
 */
static void
take_counts(const Worker *worker, const DbResult *result)
{
	static const char *const names[] = {"pending", "failed", "dead"};
	static const WorkerMetric others[] = {WORKER_OLDEST_SECONDS, WORKER_PAUSED,
										  WORKER_HELD_SECONDS};
	int64_t number;

	for (int i = 0; i < 3; i++)
		if (db_int(result, 0, i, &number))
			metrics_set(worker->metrics, WORKER_UNDELIVERED, (const char *[]){names[i], NULL},
						number);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (db_int(result, 0, 3 + (int) i, &number))
			metrics_set(worker->metrics, others[i], NULL, number);
}

static void
on_counted(void *context, const DbResult *result)
{
	Worker *worker = context;

	if (result != NULL && result->outcome == DB_ROWS && result->rows == 1)
		take_counts(worker, result);
	else if (result != NULL)
		statements_log_failure(&worker_statements, WORKER_DELIVERY_STATS, result);
	db_task_in(&worker->counting, COUNT_MS);
}

static DbRequest *
make_count(void *context, DbDone done, void *arg)
{
	(void) context;
	return statements_request(&worker_statements, WORKER_DELIVERY_STATS, NULL, done, arg, "");
}

static void
look(void *context)
{
	const Worker *worker = context;

	metrics_set(worker->metrics, WORKER_QUEUES, NULL, dispatch_queues(worker->dispatch));
	metrics_set(worker->metrics, WORKER_SENDING, NULL, dispatch_sending(worker->dispatch));
}

static bool
measure(Worker *worker, char *error, size_t size)
{
	struct event_base *base = worker->loop->base;
	const ProgramMetricsSetup setup = {.base = base,
									   .listen = worker_settings.program.metrics,
									   .metrics = worker->metrics,
									   .first = WORKER_PROGRAM_METRICS,
									   .db = worker->db,
									   .look = look,
									   .context = worker};

	if (worker->metrics == NULL)
		return true;
	if (!db_task_open(&worker->counting, base, worker->db, make_count, on_counted, worker))
		return false;
	db_task_in(&worker->counting, 0);
	worker->measured = program_metrics_start(&setup, error, size);
	return worker->measured != NULL;
}

/* ---- the work ---- */

static void
on_drained(void *context)
{
	const Worker *worker = context;

	program_loop_drained(worker->loop);
}

static void
stop_media(Worker *worker)
{
	removals_stop(worker->removals);
	scan_stop(worker->scan);
	checks_stop(worker->checks);
	worker->removals = NULL;
	worker->scan = NULL;
	worker->checks = NULL;
}

static void
drain(void *context)
{
	Worker *worker = context;

	log_line(LOG_LEVEL_INFO, "draining", log_int("sending", dispatch_sending(worker->dispatch)));
	housekeeping_stop(worker->housekeeping);
	worker->housekeeping = NULL;
	stop_media(worker);
	dispatch_drain(worker->dispatch, on_drained, worker);
}

/* SIGHUP: the credentials of the bucket were renewed. */
static void
hang_up(void *context)
{
	(void) context;
	media_settings_reload(&worker_settings.media);
}

static void
cut(void *context)
{
	const Worker *worker = context;

	log_line(LOG_LEVEL_WARNING, "drain_cut",
			 log_int("sending", dispatch_sending(worker->dispatch)));
}

static DbConfig
db_config(void)
{
	return (DbConfig){.conninfo = worker_settings.program.database,
					  .application_name = "wa-worker",
					  .role = WORKER_ROLE,
					  .connections = (int) worker_settings.connections,
					  .slow_connections = 1,
					  .in_flight = IN_FLIGHT,
					  .queue = REQUESTS_MAX};
}

static bool
start_dispatch(Worker *worker)
{
	const WorkerSettings *settings = &worker_settings;
	const DispatchSetup setup = {.base = worker->loop->base,
								 .db = worker->db,
								 .attempt = {.destination = {.base = worker->loop->base,
															 .resolver = worker->resolver,
															 .rules = &settings->egress.rules},
											 .transfers = worker->transfers,
											 .timeout_ms = (int) settings->timeout_ms},
								 .metrics = worker->metrics,
								 .owner = settings->program.owner,
								 .lease_ms = (int) settings->lease_s * 1000};

	worker->dispatch = dispatch_start(&setup);
	worker->housekeeping = housekeeping_start(setup.base, worker->db, worker->metrics,
											  (int) settings->housekeeping_s * 1000);
	return worker->dispatch != NULL && worker->housekeeping != NULL;
}

/* Opens the store, if there is one, and begins to compare it with its rows. */
static bool
start_media(Worker *worker, char *error, size_t size)
{
	const WorkerSettings *settings = &worker_settings;
	struct event_base *base = worker->loop->base;
	int period_ms = (int) settings->housekeeping_s * 1000;

	if (settings->media.store.folder == NULL)
		return true;
	worker->media = media_store_open(base, &settings->media.store, error, size);
	if (worker->media == NULL)
		return false;
	worker->removals = removals_start(base, worker->db, worker->media, worker->metrics, period_ms);
	worker->scan = scan_start(base, worker->db, worker->media, worker->metrics,
							  settings->program.owner, period_ms);
	worker->checks = checks_start(base, worker->db, worker->media, worker->metrics, period_ms);
	return worker->removals != NULL && worker->scan != NULL && worker->checks != NULL;
}

/*
 * Each request has a socket.  The soft limit is low for the sake of programs that use
 * select().
 */
static void
raise_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
	{
		files.rlim_cur = files.rlim_max;
		(void) setrlimit(RLIMIT_NOFILE, &files);
	}
}

static bool
open_work(void *context, ProgramLoop *loop, char *error, size_t size)
{
	Worker *worker = context;
	const WorkerSettings *settings = &worker_settings;
	const DbConfig config = db_config();

	worker->loop = loop;
	if (!statements_find(&worker_statements, error, size))
		return false;
	raise_descriptors();
	if (settings->program.metrics != NULL)
	{
		worker->metrics = worker_metrics_open();
		if (worker->metrics == NULL)
			return false;
	}
	worker->resolver = resolver_open(loop->base, settings->egress.resolver, DISPATCH_SENDING_MAX);
	worker->transfers =
		transfers_open(loop->base, &settings->egress.rules, settings->egress.ca_file, AGENT);
	worker->db = db_open(loop->base, &config);
	if (worker->resolver == NULL)
		snprintf(error, size, "no name server is known");
	return worker->resolver != NULL && worker->transfers != NULL && worker->db != NULL &&
		   start_dispatch(worker) && start_media(worker, error, size) &&
		   measure(worker, error, size);
}

static void
close_work(void *context)
{
	Worker *worker = context;

	program_metrics_stop(worker->measured);
	db_task_close(&worker->counting);
	dispatch_free(worker->dispatch);
	housekeeping_stop(worker->housekeeping);
	stop_media(worker);
	media_store_close(worker->media);
	s3_credentials_wipe(&worker_settings.media.s3_credentials);
	transfers_close(worker->transfers);
	resolver_close(worker->resolver);
	db_close(worker->db);
	metrics_close(worker->metrics);
}

static void
begin(void *context)
{
	(void) context;
	log_line(LOG_LEVEL_INFO, "started", log_text("owner", worker_settings.program.owner));
}

static int
run(const volatile sig_atomic_t *stops)
{
	static const ProgramWork work = {.open = open_work,
									 .begin = begin,
									 .drain = drain,
									 .cut = cut,
									 .hang_up = hang_up,
									 .close = close_work};
	Worker worker = {0};
	ProgramLoop loop = {
		.work = &work, .context = &worker, .drain_ms = worker_settings.program.drain_s * 1000};

	return program_loop_run(&loop, stops);
}

int
main(int argc, char **argv)
{
	static const Program program = {
		.config = {.name = "wa-worker",
				   .version = PROGRAM_VERSION,
				   .summary = "delivers webhooks and takes away what has expired",
				   .options = worker_options},
		.settings = &worker_settings.program,
		.owner = "worker",
		.listens = true,
		.needs = "1.0",
		.check = worker_settings_check,
		.database = db_config,
		.run = run,
	};

	return program_main(&program, argc, argv);
}
