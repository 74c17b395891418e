/*
 * main.c
 *		wa-worker: delivers webhooks and takes away what has expired.
 *
 * One process, one loop.  Any number of them may run side by side, on any machines: the
 * database gives each webhook to one of them at a time.
 *
 * Starting: settings, the checks of the database, the loop.  SIGTERM and SIGINT stop it
 * gently: no new webhook is taken, requests under way end within the drain time, what was
 * not sent is given back.  A second signal cuts that.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include <event2/event.h>

#include "db/preflight.h"
#include "db/result.h"
#include "http/metrics.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/process.h"
#include "webhooks/dispatch.h"
#include "webhooks/housekeeping.h"
#include "webhooks/queue.h"
#include "webhooks/statements.h"
#include "webhooks/metrics.h"
#include "webhooks/settings.h"

#define NEEDS_EXTENSION "1.0"

/* Statements in the pipeline of one connection. */
#define IN_FLIGHT 16

/* Statements that wait for a connection: one for each delivery and queue that may have one. */
#define REQUESTS_MAX (DISPATCH_QUEUES_MAX * (QUEUE_SENDING_MAX + 2) + 16)

/* How often the numbers that are looked at, and not counted, are looked at; those that the
 * database has to count, once in so many times. */
#define LOOK_MS 1000
#define LOOKS_PER_COUNT 10

typedef struct Worker
{
	const WorkerSettings *settings;
	struct event_base *base;
	Db *db;
	Resolver *resolver;
	Transfers *transfers;
	Dispatch *dispatch;
	Housekeeping *housekeeping;
	Metrics *metrics; /* this and the next two: NULL when nobody wants any */
	HttpServer *listener;
	struct event *look;
	DbRequest *looking;
	int looks;
	struct event *term;
	struct event *interrupt;
	struct event *deadline;
	bool draining;
	uint64_t violations; /* of the database's protocol, counted so far */
	uint64_t log_lost;   /* lines, counted so far */
	char owner[QUEUE_OWNER_MAX];
} Worker;

static volatile sig_atomic_t stops;

static void
on_stop_signal(int number)
{
	(void) number;
	stops++;
}

/* ---- metrics ---- */

/* Columns: pending, failed, dead, seconds of the oldest that is open. */
static void
on_stats(void *arg, const DbResult *result)
{
	static const char *const names[] = {"pending", "failed", "dead"};
	static const WorkerMetric others[] = {WORKER_OLDEST_SECONDS, WORKER_PAUSED,
										  WORKER_HELD_SECONDS};
	Worker *worker = arg;
	int64_t number;

	worker->looking = NULL;
	if (result->outcome != DB_ROWS || result->rows != 1)
	{
		worker_log_failure(WORKER_DELIVERY_STATS, result);
		return;
	}
	for (int i = 0; i < 3; i++)
		if (db_int(result, 0, i, &number))
			metrics_set(worker->metrics, WORKER_UNDELIVERED, (const char *[]){names[i], NULL},
						number);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (db_int(result, 0, 3 + (int) i, &number))
			metrics_set(worker->metrics, others[i], NULL, number);
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	Worker *worker = arg;
	uint64_t violations = db_protocol_violations();
	uint64_t lost = log_lost();
	DbRequest *request;

	(void) fd;
	(void) what;
	metrics_add(worker->metrics, WORKER_DB_VIOLATIONS, NULL, violations - worker->violations);
	worker->violations = violations;
	metrics_add(worker->metrics, WORKER_LOG_LOST, NULL, lost - worker->log_lost);
	worker->log_lost = lost;
	metrics_set(worker->metrics, WORKER_QUEUES, NULL, dispatch_queues(worker->dispatch));
	metrics_set(worker->metrics, WORKER_SENDING, NULL, dispatch_sending(worker->dispatch));
	for (int i = 0; i < DB_LANE_COUNT; i++)
	{
		DbStats stats = db_stats(worker->db, (DbLaneName) i);
		MetricLabels labels = (const char *[]){db_lane_names[i], NULL};

		metrics_set(worker->metrics, WORKER_DB_READY, labels, stats.ready);
		metrics_set(worker->metrics, WORKER_DB_QUEUED, labels, stats.queued);
	}
	if (worker->looks++ % LOOKS_PER_COUNT != 0 || worker->looking != NULL)
		return;
	request = worker_request(WORKER_DELIVERY_STATS, NULL, on_stats, worker);
	if (request != NULL && db_submit(worker->db, request))
		worker->looking = request;
}

static bool
start_metrics(Worker *worker, char *error, size_t size)
{
	const struct timeval look = {.tv_sec = LOOK_MS / 1000, .tv_usec = LOOK_MS % 1000 * 1000};

	if (worker->settings->metrics == NULL)
		return true;
	worker->metrics = metrics_open(worker_metrics, WORKER_METRIC_COUNT, 1);
	worker->look = event_new(worker->base, -1, EV_PERSIST, on_look, worker);
	if (worker->metrics == NULL || worker->look == NULL || event_add(worker->look, &look) != 0)
		return false;
	worker_metrics_begin(worker->metrics);
	worker->listener = http_metrics_start(worker->base, worker->settings->metrics, false,
										  worker->metrics, error, size);
	if (worker->listener == NULL)
		return false;
	event_active(worker->look, 0, 0);
	log_line(LOG_LEVEL_INFO, "metrics_listening",
			 log_text("address", http_server_address(worker->listener)),
			 log_int("port", http_server_port(worker->listener)));
	return true;
}

/* ---- stopping ---- */

static void
on_drained(void *context)
{
	event_base_loopbreak(((Worker *) context)->base);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	Worker *worker = arg;

	(void) fd;
	(void) what;
	log_line(LOG_LEVEL_WARNING, "drain_cut",
			 log_int("sending", dispatch_sending(worker->dispatch)));
	event_base_loopbreak(worker->base);
}

static void
on_stop(evutil_socket_t number, short what, void *arg)
{
	Worker *worker = arg;
	const struct timeval drain = {.tv_sec = worker->settings->drain_s};

	(void) number;
	(void) what;
	if (worker->draining)
	{
		event_base_loopbreak(worker->base);
		return;
	}
	worker->draining = true;
	log_line(LOG_LEVEL_INFO, "draining", log_int("sending", dispatch_sending(worker->dispatch)));
	housekeeping_stop(worker->housekeeping);
	worker->housekeeping = NULL;
	event_add(worker->deadline, &drain);
	dispatch_drain(worker->dispatch, on_drained, worker);
}

/* ---- starting ---- */

static bool
watch_signals(Worker *worker)
{
	worker->term = evsignal_new(worker->base, SIGTERM, on_stop, worker);
	worker->interrupt = evsignal_new(worker->base, SIGINT, on_stop, worker);
	worker->deadline = evtimer_new(worker->base, on_deadline, worker);
	return worker->term != NULL && worker->interrupt != NULL && worker->deadline != NULL &&
		   event_add(worker->term, NULL) == 0 && event_add(worker->interrupt, NULL) == 0;
}

static DbConfig
db_config(const WorkerSettings *settings)
{
	return (DbConfig){.conninfo = settings->database,
					  .application_name = "wa-worker",
					  .role = WORKER_ROLE,
					  .connections = (int) settings->connections,
					  .slow_connections = 1,
					  .in_flight = IN_FLIGHT,
					  .queue = REQUESTS_MAX};
}

static bool
start_dispatch(Worker *worker)
{
	const WorkerSettings *settings = worker->settings;
	const DispatchSetup setup = {.base = worker->base,
								 .db = worker->db,
								 .attempt = {.base = worker->base,
											 .resolver = worker->resolver,
											 .transfers = worker->transfers,
											 .rules = &settings->rules,
											 .timeout_ms = (int) settings->timeout_ms},
								 .metrics = worker->metrics,
								 .owner = worker->owner,
								 .lease_ms = (int) settings->lease_s * 1000};

	worker->dispatch = dispatch_start(&setup);
	worker->housekeeping = housekeeping_start(worker->base, worker->db, worker->metrics,
											  (int) settings->housekeeping_s * 1000);
	return worker->dispatch != NULL && worker->housekeeping != NULL;
}

/* False: could not, and the reason is logged. */
static bool
open_worker(Worker *worker)
{
	const WorkerSettings *settings = worker->settings;
	DbConfig config = db_config(settings);
	char error[256] = "could not set up the event loop";
	bool ok = false;

	worker->base = event_base_new();
	if (worker->base != NULL && watch_signals(worker) &&
		start_metrics(worker, error, sizeof(error)))
	{
		worker->resolver = resolver_open(worker->base, settings->resolver, DISPATCH_SENDING_MAX);
		worker->transfers = transfers_open(worker->base, &settings->rules, settings->ca_file);
		worker->db = db_open(worker->base, &config);
		if (worker->resolver == NULL)
			snprintf(error, sizeof(error), "no name server is known");
		ok = worker->resolver != NULL && worker->transfers != NULL && worker->db != NULL &&
			 start_dispatch(worker);
	}
	if (!ok)
		log_line(LOG_LEVEL_ERROR, "cannot_start", log_text("reason", error));
	return ok;
}

static void
close_worker(Worker *worker)
{
	struct event *events[] = {worker->term, worker->interrupt, worker->deadline, worker->look};

	dispatch_free(worker->dispatch);
	housekeeping_stop(worker->housekeeping);
	if (worker->looking != NULL)
		db_abandon(worker->looking);
	if (worker->listener != NULL)
		http_server_free(worker->listener);
	transfers_close(worker->transfers);
	resolver_close(worker->resolver);
	db_close(worker->db);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	metrics_close(worker->metrics);
	if (worker->base != NULL)
		event_base_free(worker->base);
}

/* Two workers with one name would take over each other's leases. */
static bool
name_owner(Worker *worker)
{
	unsigned char random[8];

	if (worker->settings->owner != NULL && worker->settings->owner[0] != '\0')
		return snprintf(worker->owner, sizeof(worker->owner), "%s", worker->settings->owner) <
			   (int) sizeof(worker->owner);
	if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random))
		return false;
	snprintf(worker->owner, sizeof(worker->owner), "worker-%02x%02x%02x%02x%02x%02x%02x%02x",
			 random[0], random[1], random[2], random[3], random[4], random[5], random[6],
			 random[7]);
	return true;
}

/* Each request has a socket; the soft limit is meant for programs that use select(). */
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

static int
run(const WorkerSettings *settings)
{
	struct sigaction stop = {.sa_handler = on_stop_signal};
	Worker worker = {.settings = settings};
	DbConfig config = db_config(settings);
	bool ok;

	if (!log_start())
		return CONFIG_EXIT_FAILED;
	process_report();
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	raise_descriptors();
	if (!name_owner(&worker) || !worker_statements_find() ||
		!db_preflight(&config, NEEDS_EXTENSION, (int) settings->database_wait_s, &stops))
		return CONFIG_EXIT_FAILED;
	ok = open_worker(&worker);
	process_close_ports();
	if (ok)
	{
		log_line(LOG_LEVEL_INFO, "started", log_text("owner", worker.owner));
		if (stops > 0)
			event_active(worker.term, 0, 0);
		ok = loop_run(worker.base);
		log_line(LOG_LEVEL_INFO, "stopped");
	}
	close_worker(&worker);
	return ok ? EXIT_SUCCESS : CONFIG_EXIT_FAILED;
}

int
main(int argc, char **argv)
{
	WorkerSettings settings = {0};
	ConfigResult result;
	char problem[256];
	LogLevel level;

	process_confine();
	result = worker_settings_read(argc, argv, &settings);
	if (result == CONFIG_DONE || result == CONFIG_USAGE)
		return result == CONFIG_DONE ? EXIT_SUCCESS : CONFIG_EXIT_USAGE;
	if (log_level_from_text(settings.log_level, &level))
		log_set_level(level);
	if (!worker_settings_check(&settings, problem, sizeof(problem)))
	{
		log_line(LOG_LEVEL_ERROR, "cannot_start", log_text("reason", problem));
		return CONFIG_EXIT_FAILED;
	}
	if (result == CONFIG_CHECK_ONLY)
	{
		printf("the configuration is valid\n");
		return EXIT_SUCCESS;
	}
	return run(&settings);
}
