/*
 * main.c
 *		wa-cloud: a connector to WhatsApp, by Meta's Cloud API.
 *
 * It leases sessions whose connector is "cloud", opens their credentials with its key files, and
 * connects their phone numbers.  It claims their messages and message actions, sends them, and
 * reports the results.
 *
 * On SIGTERM or SIGINT it claims nothing new, and gives back what waits.  What is being sent may
 * finish within DRAIN_MS, and what Meta has posted is stored; then the leases are given back.
 */
#include "client/egress_settings.h"
#include "client/exchange.h"
#include "cloud/cloud.h"
#include "cloud/jobs.h"
#include "cloud/listener.h"
#include "cloud/received.h"
#include "cloud/sessions.h"
#include "lib/log.h"
#include "media/settings.h"
#include "program/loop.h"
#include "program/program.h"

#include <stdio.h>
#include <string.h>

#define LEASE_MS 30000   /* of a session */
#define AGENT "wa-cloud" /* what Meta sees as User-Agent */
#define DRAIN_MS 5000

/*
 * The most requests that wait for the connection: one for each session, job, file and request to
 * the listener, and those that look.
 */
#define REQUESTS_MAX \
	(SESSIONS_MAX + JOBS_MAX + FETCHES_MAX + POSTS_MAX + LISTENER_QUESTIONS_MAX + 8)

/* Hosts that Meta's files come from, besides those that an option names. */
#define META_HOSTS 2
#define MEDIA_HOSTS_MAX 8

typedef struct Running
{
	ProgramLoop *loop;
	Cloud cloud;
	Sessions *sessions;
	Jobs *jobs;
	Listener *listener; /* NULL: there is none */
	MediaStore *media;  /* NULL: files are not fetched */
	DownloadSetup downloads;
	const char *hosts[META_HOSTS + MEDIA_HOSTS_MAX + 1]; /* that files may come from */
	CloudReceived received;
	Fetches *fetches;
	Timer deadline; /* of the jobs, while draining */
	int begun;      /* the number of jobs when draining began */
	bool ending;    /* the jobs have ended */
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
	ListenerConfig listener; /* without an address there is none */
	MediaSettings media;     /* without a folder, files are not fetched */
	int64_t media_max_bytes;
	int64_t fetch_timeout_ms;
	ConfigList media_hosts;
	EgressSettings egress;
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
	{.flag = "listen",
	 .environment = "WA_CLOUD_LISTEN",
	 .argument = "ADDR:PORT",
	 .kind = CONFIG_TEXT,
	 .target = &settings.listener.listen,
	 .help = "address to take what Meta posts to /webhook/APP; default: none, and then nothing is "
			 "received"},
	{.flag = "tls-cert",
	 .environment = "WA_CLOUD_TLS_CERT",
	 .argument = "FILE",
	 .kind = CONFIG_TEXT,
	 .target = &settings.listener.tls_certificate,
	 .help = "certificate chain (PEM) of --listen; with it and --tls-key HTTPS is served"},
	{.flag = "tls-key",
	 .environment = "WA_CLOUD_TLS_KEY",
	 .argument = "FILE",
	 .kind = CONFIG_TEXT,
	 .target = &settings.listener.tls_key,
	 .help = "private key (PEM)"},
	MEDIA_STORE_OPTIONS(
		settings.media,
		"folder of the gateway for files; without it those of messages are not fetched",
		"bucket for these files; --media-dir is for those on their way then"),
	{.flag = "media-max-bytes",
	 .environment = "WA_MEDIA_MAX_BYTES",
	 .argument = "BYTES",
	 .fallback = "104857600",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.media_max_bytes,
	 .min = 1,
	 .max = 2147483648,
	 .help = "bytes of one file that is fetched"},
	{.flag = "fetch-timeout",
	 .environment = "WA_CLOUD_FETCH_TIMEOUT",
	 .argument = "MS",
	 .fallback = "300000",
	 .kind = CONFIG_INTEGER,
	 .target = &settings.fetch_timeout_ms,
	 .min = 100,
	 .max = 600000,
	 .help = "milliseconds in which a file has to come"},
	{.flag = "media-host",
	 .environment = "WA_CLOUD_MEDIA_HOST",
	 .argument = "HOST",
	 .kind = CONFIG_LIST,
	 .target = &settings.media_hosts,
	 .help = "host that Meta's files may come from, and that gets the access token for it, besides "
			 "lookaside.fbsbx.com and those of fbcdn.net; .NAME is every host below it"},
	EGRESS_OPTIONS("WA_CLOUD", "WA_CLOUD_ALLOW_TARGET", settings.egress, "URLs of files",
				   "servers'"),
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
	if (settings.listener.listen != NULL && !listener_check(&settings.listener, problem, size))
		return false;
	if (!is_version(settings.graph_version))
	{
		snprintf(problem, size, "--graph-version must be a version such as v25.0");
		return false;
	}
	if (settings.media_hosts.count > MEDIA_HOSTS_MAX)
	{
		snprintf(problem, size, "--media-host is given too often");
		return false;
	}
	if (!egress_settings_check(&settings.egress, problem, size) ||
		!media_settings_check(&settings.media, "wa-cloud", problem, size))
		return false;
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

static void
release(void *context)
{
	const Running *work = context;

	sessions_stop(work->sessions);
	sessions_release(work->sessions, on_released, context);
}

/* The jobs are finished, or their time is over.  What Meta has posted until now is stored. */
static void
end_posts(void *context)
{
	Running *work = context;

	if (work->ending)
		return;
	work->ending = true;
	if (work->listener != NULL)
		listener_drain(work->listener, DRAIN_MS, release, work);
	else
		release(work);
}

static void
drain(void *context)
{
	Running *work = context;

	work->begun = jobs_count(work->jobs);
	if (work->fetches != NULL)
		fetches_stop(work->fetches);
	timer_start(&work->deadline, DRAIN_MS);
	jobs_drain(work->jobs, end_posts, work);
}

/* SIGHUP: a certificate or the credentials of the bucket were renewed. */
static void
hang_up(void *context)
{
	const Running *work = context;

	media_settings_reload(&settings.media);
	if (work->listener != NULL && settings.listener.tls_certificate != NULL)
		listener_reload(work->listener);
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

static void
look_at(void *context, const ConnectorId *id)
{
	const Running *work = context;
	SessionView *session = sessions_find(work->sessions, id);

	if (session != NULL)
		sessions_look(session);
}

static bool
open_listener(Running *work, char *error, size_t size)
{
	if (settings.listener.listen == NULL)
		return true;
	work->listener = listener_open(&work->cloud, &settings.listener, look_at, work, error, size);
	return work->listener != NULL;
}

/* Files of Meta come from these hosts only, because the access token is sent along. */
static void
list_hosts(Running *work)
{
	static const char *const of_meta[META_HOSTS] = {"lookaside.fbsbx.com", ".fbcdn.net"};
	size_t count = 0;

	for (size_t i = 0; i < META_HOSTS; i++)
		work->hosts[count++] = of_meta[i];
	for (size_t i = 0; i < settings.media_hosts.count; i++)
		work->hosts[count++] = settings.media_hosts.texts[i];
}

static bool
open_downloads(Running *work, char *error, size_t size)
{
	const EgressSettings *egress = &settings.egress;
	struct event_base *base = work->loop->base;
	DownloadSetup *downloads = &work->downloads;

	*downloads = (DownloadSetup){
		.destination = {.base = base,
						.resolver = resolver_open(base, egress->resolver, FETCHES_MAX),
						.rules = &egress->rules},
		.transfers = transfers_open(base, &egress->rules, egress->ca_file, AGENT),
		.timeout_ms = (int) settings.fetch_timeout_ms,
		.bytes_max = settings.media_max_bytes};
	if (downloads->destination.resolver == NULL)
		snprintf(error, size, "no name server is known");
	return downloads->destination.resolver != NULL && downloads->transfers != NULL;
}

/* Without a store no files are claimed: another process may have one. */
static bool
open_fetches(Running *work, char *error, size_t size)
{
	const Cloud *cloud = &work->cloud;
	FetchesSetup setup = {.base = cloud->base,
						  .db = cloud->db,
						  .statements = &cloud_statements,
						  .claim = CLOUD_MEDIA,
						  .stored = CLOUD_MEDIA_STORED,
						  .failed = CLOUD_MEDIA_FAILED,
						  .connector = CLOUD_CONNECTOR,
						  .owner = cloud->owner,
						  .downloads = &work->downloads,
						  .poll_ms = cloud->poll_ms,
						  .lease_ms = cloud->lease_ms,
						  .source = &cloud_received,
						  .context = &work->received};

	if (settings.media.store.folder == NULL)
		return true;
	list_hosts(work);
	work->received = (CloudReceived){.cloud = cloud,
									 .sessions = work->sessions,
									 .downloads = &work->downloads,
									 .hosts = work->hosts};
	work->media = media_store_open(cloud->base, &settings.media.store, error, size);
	if (work->media == NULL || !open_downloads(work, error, size))
		return false;
	setup.media = work->media;
	work->fetches = fetches_start(&setup);
	return work->fetches != NULL;
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
		!timer_open(&work->deadline, loop->base, end_posts, work))
		return false;
	work->sessions = sessions_start(cloud, on_sessions_changed, work);
	if (work->sessions != NULL)
		work->jobs = jobs_start(cloud, work->sessions);
	return work->jobs != NULL && open_fetches(work, error, size) &&
		   open_listener(work, error, size);
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

	listener_close(work->listener);
	jobs_free(work->jobs);
	fetches_free(work->fetches);
	transfers_close(work->downloads.transfers);
	resolver_close(work->downloads.destination.resolver);
	media_store_close(work->media);
	s3_credentials_wipe(&settings.media.s3_credentials);
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
									  .hang_up = hang_up,
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
		.listens = true,
		.check = check,
		.database = db_config,
		.run = run,
	};

	settings.program.database_wait_s = PROGRAM_WAITS;
	return program_main(&program, argc, argv);
}
