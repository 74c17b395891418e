/*
 * main.c
 *		wa-gateway: settings, checks, processes.
 *
 * Starting goes in this order, and the first step that fails ends it with a line that
 * says why: settings, the checks of the database, the listening socket.  With one worker
 * this process serves; with more it only watches: each worker is a fork with a loop and
 * database connections of its own, they share the port, and one that dies is started
 * again.  The checks are made once, before any fork.
 *
 * SIGTERM and SIGINT stop it gently: no new connections, what is under way is answered,
 * then exit 0.  A second signal cuts what is left.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "api/api.h"
#include "db/db.h"
#include "db/preflight.h"
#include "http/http.h"
#include "lib/clock.h"
#include "lib/config.h"
#include "lib/log.h"

#define PROGRAM_VERSION "1.0"
#define WORKERS_MAX 64

/* Requests in the pipeline of one connection: more only wait there instead of in the queue. */
#define IN_FLIGHT 8

/* A worker that dies is started again, but not more often than this. */
#define RESTART_MS 1000

typedef struct Settings
{
	const char *listen;
	const char *database;
	int64_t connections;
	int64_t slow_connections;
	int64_t queue;
	int64_t request_timeout_ms;
	int64_t database_wait_s;
	int64_t drain_s;
	int64_t workers;
	const char *tls_certificate;
	const char *tls_key;
	const char *log_level;
} Settings;

static Settings settings;

static const char *const log_levels[] = {"debug", "info", "warning", "error", NULL};

static const ConfigOption options[] = {
	{.flag = "listen",
	 .environment = "WA_LISTEN",
	 .argument = "ADDR:PORT",
	 .fallback = "127.0.0.1:8080",
	 .kind = CONFIG_TEXT,
	 .target = &settings.listen,
	 .help = "address to listen on; port 0 is a free one"},
	{.flag = "database",
	 .environment = "WA_DATABASE",
	 .argument = "CONNINFO",
	 .fallback = "",
	 .kind = CONFIG_TEXT,
	 .target = &settings.database,
	 .help = "libpq connection string; what it leaves out comes from PGHOST and so on"},
	{.flag = "db-connections",
	 .environment = "WA_DB_CONNECTIONS",
	 .argument = "N",
	 .fallback = "0",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.connections,
	 .min = 0,
	 .max = 256,
	 .help = "database connections of each worker; 0: two a core, shared among the workers"},
	{.flag = "db-slow-connections",
	 .environment = "WA_DB_SLOW_CONNECTIONS",
	 .argument = "N",
	 .fallback = "0",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.slow_connections,
	 .min = 0,
	 .max = 64,
	 .help = "more connections of each worker, for slow statements; 0: they share the others"},
	{.flag = "db-queue",
	 .environment = "WA_DB_QUEUE",
	 .argument = "N",
	 .fallback = "1000",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.queue,
	 .min = 1,
	 .max = 100000,
	 .help = "requests that wait for a connection; beyond it 503"},
	{.flag = "request-timeout",
	 .environment = "WA_REQUEST_TIMEOUT",
	 .argument = "MS",
	 .fallback = "10000",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.request_timeout_ms,
	 .min = 50,
	 .max = 300000,
	 .help = "milliseconds that a request may take in the database; beyond it 504"},
	{.flag = "database-wait",
	 .environment = "WA_DATABASE_WAIT",
	 .argument = "SECONDS",
	 .fallback = "30",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.database_wait_s,
	 .min = 0,
	 .max = 3600,
	 .help = "how long to try to reach the database at start"},
	{.flag = "drain-timeout",
	 .environment = "WA_DRAIN_TIMEOUT",
	 .argument = "SECONDS",
	 .fallback = "30",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.drain_s,
	 .min = 0,
	 .max = 3600,
	 .help = "how long requests may finish after SIGTERM"},
	{.flag = "workers",
	 .environment = "WA_WORKERS",
	 .argument = "N",
	 .fallback = "1",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.workers,
	 .min = 1,
	 .max = WORKERS_MAX,
	 .help = "processes that share the port"},
	{.flag = "tls-cert",
	 .environment = "WA_TLS_CERT",
	 .argument = "FILE",
	 .kind = CONFIG_TEXT,
	 .target = &settings.tls_certificate,
	 .help = "certificate chain (PEM); with it and --tls-key HTTPS is served"},
	{.flag = "tls-key",
	 .environment = "WA_TLS_KEY",
	 .argument = "FILE",
	 .kind = CONFIG_TEXT,
	 .target = &settings.tls_key,
	 .help = "private key (PEM)"},
	{.flag = "log-level",
	 .environment = "WA_LOG_LEVEL",
	 .argument = "LEVEL",
	 .fallback = "info",
	 .kind = CONFIG_CHOICE,
	 .target = &settings.log_level,
	 .choices = log_levels,
	 .help = "least level that is logged: debug, info, warning or error"},
	{.flag = NULL},
};

static const ConfigProgram program = {
	.name = "wa-gateway",
	.version = PROGRAM_VERSION,
	.summary = "the HTTP interface in front of PostgreSQL with wa_apikeys",
	.options = options,
};

/* Signals that asked to stop; written by the handler, read everywhere. */
static volatile sig_atomic_t stops;

static void
on_stop_signal(int number)
{
	(void) number;
	stops++;
}

static void
log_cannot_start(const char *reason)
{
	log_line(LOG_LEVEL_ERROR, "cannot_start", log_text("reason", reason));
}

/* ---- what the floors get ---- */

static DbConfig
make_db_config(void)
{
	int64_t connections = settings.connections;
	int64_t cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (connections == 0)
	{
		connections = (2 * cores + settings.workers - 1) / settings.workers;
	}
	return (DbConfig){
		.conninfo = settings.database,
		.application_name = "wa-gateway",
		.role = API_ROLE,
		.connections = (int) connections,
		.slow_connections = (int) settings.slow_connections,
		.in_flight = IN_FLIGHT,
		.queue = (int) settings.queue,
	};
}

static HttpServerConfig
make_http_config(const char *listen, HttpLimits *limits, Api *api)
{
	HttpLimits defaults = HTTP_LIMITS_DEFAULT;

	*limits = defaults;
	/* The database answers or gives up first; this is the last resort behind it. */
	if (limits->answer_ms < settings.request_timeout_ms + 10000)
	{
		limits->answer_ms = (int) settings.request_timeout_ms + 10000;
	}
	return (HttpServerConfig){
		.listen = listen,
		.reuse_port = settings.workers > 1,
		.tls_certificate = settings.tls_certificate,
		.tls_key = settings.tls_key,
		.limits = limits,
		.handle = api_handle,
		.context = api,
	};
}

/* ---- serving: one loop, one process ---- */

typedef struct Service
{
	struct event_base *base;
	HttpServer *http;
	Db *db;
	Api *api;
	bool draining;
} Service;

static void
on_drained(void *context)
{
	const Service *service = context;

	event_base_loopbreak(service->base);
}

static void
on_stop_event(evutil_socket_t number, short what, void *context)
{
	Service *service = context;

	(void) number;
	(void) what;
	if (service->draining)
	{
		event_base_loopbreak(service->base);
		return;
	}
	service->draining = true;
	log_line(LOG_LEVEL_INFO, "draining",
			 log_int("connections", http_server_connections(service->http)));
	http_server_drain(service->http, (int) settings.drain_s * 1000, on_drained, service);
}

static bool
open_service(Service *service, const char *listen)
{
	DbConfig db_config = make_db_config();
	HttpLimits limits;
	HttpServerConfig http_config;
	char error[256];

	service->base = event_base_new();
	service->db = service->base == NULL ? NULL : db_open(service->base, &db_config);
	service->api =
		service->db == NULL ? NULL : api_open(service->db, (int) settings.request_timeout_ms);
	if (service->api == NULL)
	{
		log_cannot_start("could not set up the event loop and the endpoints");
		return false;
	}
	http_config = make_http_config(listen, &limits, service->api);
	service->http = http_server_start(service->base, &http_config, error, sizeof(error));
	if (service->http == NULL)
	{
		log_cannot_start(error);
		return false;
	}
	return true;
}

/* Requests that are held point to the others, so the server goes first. */
static void
close_service(Service *service)
{
	if (service->http != NULL)
	{
		http_server_free(service->http);
	}
	api_free(service->api);
	db_close(service->db);
	if (service->base != NULL)
	{
		event_base_free(service->base);
	}
}

/*
 * Serve until a signal says to stop.  Returns the exit status.
 */
static int
serve(const char *listen)
{
	Service service = {0};
	struct event *term = NULL;
	struct event *interrupt = NULL;
	bool ok = open_service(&service, listen);

	if (ok)
	{
		term = evsignal_new(service.base, SIGTERM, on_stop_event, &service);
		interrupt = evsignal_new(service.base, SIGINT, on_stop_event, &service);
		ok = term != NULL && interrupt != NULL && event_add(term, NULL) == 0 &&
			 event_add(interrupt, NULL) == 0;
	}
	if (ok)
	{
		log_line(LOG_LEVEL_INFO, "listening",
				 log_text("address", http_server_address(service.http)),
				 log_int("port", http_server_port(service.http)));
		/* A signal that came before the loop watched for it. */
		if (stops > 0)
		{
			event_active(term, 0, 0);
		}
		event_base_dispatch(service.base);
		log_line(LOG_LEVEL_INFO, "stopped");
	}
	if (term != NULL)
	{
		event_free(term);
	}
	if (interrupt != NULL)
	{
		event_free(interrupt);
	}
	close_service(&service);
	return ok ? 0 : CONFIG_EXIT_FAILED;
}

/* ---- watching: several workers ---- */

typedef struct Worker
{
	pid_t pid; /* 0: not running */
	int64_t started_ms;
} Worker;

static Worker workers[WORKERS_MAX];

static void
start_worker(Worker *worker, const char *listen, const sigset_t *mask)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0)
	{
		/* A worker without its watcher stops; it may be gone already. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
		{
			exit(CONFIG_EXIT_FAILED);
		}
		sigprocmask(SIG_SETMASK, mask, NULL);
		exit(serve(listen));
	}
	worker->started_ms = clock_monotonic_ms();
	worker->pid = pid < 0 ? 0 : pid;
	log_line(pid < 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
			 pid < 0 ? "worker_not_started" : "worker_started", log_int("worker", pid));
}

/*
 * Collect all that have ended; how many still run.
 */
static int
reap_workers(void)
{
	int running = 0;

	for (int i = 0; i < settings.workers; i++)
	{
		int status;

		if (workers[i].pid != 0 && waitpid(workers[i].pid, &status, WNOHANG) == workers[i].pid)
		{
			log_line(LOG_LEVEL_INFO, "worker_ended", log_int("worker", workers[i].pid),
					 log_int("exit", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
					 log_int("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
			workers[i].pid = 0;
		}
		running += workers[i].pid != 0 ? 1 : 0;
	}
	return running;
}

static void
signal_workers(void)
{
	for (int i = 0; i < settings.workers; i++)
	{
		if (workers[i].pid != 0)
		{
			kill(workers[i].pid, SIGTERM);
		}
	}
}

/*
 * Start the workers, and again when one dies, until a signal says to stop.
 */
static int
watch(const char *listen)
{
	const struct timespec pause = {.tv_sec = 0, .tv_nsec = 500 * 1000 * 1000};
	sigset_t signals;
	sigset_t before;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, &before);
	while (stops == 0)
	{
		int number;

		reap_workers();
		for (int i = 0; i < settings.workers; i++)
		{
			if (workers[i].pid == 0 && (workers[i].started_ms == 0 ||
										clock_monotonic_ms() - workers[i].started_ms > RESTART_MS))
			{
				start_worker(&workers[i], listen, &before);
			}
		}
		number = sigtimedwait(&signals, NULL, &pause);
		stops += number == SIGTERM || number == SIGINT ? 1 : 0;
	}
	signal_workers();
	while (reap_workers() > 0)
	{
		int number = sigtimedwait(&signals, NULL, &pause);

		if (number == SIGTERM || number == SIGINT)
		{
			signal_workers();
		}
	}
	log_line(LOG_LEVEL_INFO, "all_workers_stopped");
	return 0;
}

/*
 * The parent keeps the port, so that "port 0" is the same one for all workers.
 */
static int
serve_with_workers(void)
{
	char bound[128];
	char error[256];
	int reserved = http_reserve_port(settings.listen, bound, sizeof(bound), error, sizeof(error));
	int status;

	if (reserved < 0)
	{
		log_cannot_start(error);
		return CONFIG_EXIT_FAILED;
	}
	status = watch(bound);
	close(reserved);
	return status;
}

/* ---- start ---- */

/*
 * What can be said about the settings without a database and without listening.
 */
static bool
check_settings(void)
{
	HttpLimits limits;
	HttpServerConfig http_config = make_http_config(settings.listen, &limits, NULL);
	char problem[256];

	if (!db_conninfo_valid(settings.database, problem, sizeof(problem)) ||
		!http_server_check(&http_config, problem, sizeof(problem)))
	{
		log_cannot_start(problem);
		return false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct sigaction stop = {.sa_handler = on_stop_signal};
	ConfigResult result = config_read(&program, argc, argv);
	DbConfig db_config;
	LogLevel level;

	if (result == CONFIG_DONE || result == CONFIG_USAGE)
	{
		return result == CONFIG_DONE ? 0 : CONFIG_EXIT_USAGE;
	}
	if (log_level_from_text(settings.log_level, &level))
	{
		log_set_level(level);
	}
	if (!check_settings())
	{
		return CONFIG_EXIT_FAILED;
	}
	if (result == CONFIG_CHECK_ONLY)
	{
		printf("the configuration is valid\n");
		return 0;
	}
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	db_config = make_db_config();
	if (!db_preflight(&db_config, API_NEEDS_EXTENSION, (int) settings.database_wait_s, &stops))
	{
		return CONFIG_EXIT_FAILED;
	}
	return settings.workers > 1 ? serve_with_workers() : serve(settings.listen);
}
