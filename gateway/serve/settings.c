/*
 * settings.c
 *		The settings of wa-gateway, and the configurations made from them; see settings.h.
 */
#include "serve/settings.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "program/metrics.h"

/* Requests in the pipeline of one connection.  More would wait there instead of in the queue. */
#define IN_FLIGHT 8

/*
 * A costly statement runs bcrypt, which keeps a processor of the database busy for a quarter
 * of a second, and an attacker with many addresses can request it often.  So each process
 * runs one at a time, and no more wait than can be done in time.  How many one address may
 * request is limited in api/share.h.
 */
#define COSTLY_CONNECTIONS 1
#define COSTLY_QUEUE 24

/*
 * What the bodies of one organization's requests may need while these wait for the database: a
 * part of the room for all bodies.
 */
#define OWNER_BODIES_MAX (HTTP_BODIES_MAX / 8)

/* How much later than the database's deadline the HTTP server's own deadline is. */
#define LAST_RESORT_MS 10000

Settings gateway_settings;

const ConfigOption gateway_options[] = {
	{.flag = "listen",
	 .environment = "WA_LISTEN",
	 .argument = "ADDR:PORT",
	 .fallback = "127.0.0.1:8080",
	 .kind = CONFIG_TEXT,
	 .target = &gateway_settings.listen,
	 .help = "address to listen on; port 0 is a free one"},
	PROGRAM_OPTION_DATABASE("WA_DATABASE", gateway_settings.program),
	{.flag = "db-connections",
	 .environment = "WA_DB_CONNECTIONS",
	 .argument = "N",
	 .fallback = "0",
	 .kind = CONFIG_INTEGER,
	 .target = &gateway_settings.connections,
	 .min = 0,
	 .max = 256,
	 .help = "database connections of each worker; 0: two a core, shared among the workers, "
			 "and one more for each, kept for organizations that have nothing under way"},
	{.flag = "db-slow-connections",
	 .environment = "WA_DB_SLOW_CONNECTIONS",
	 .argument = "N",
	 .fallback = "2",
	 .kind = CONFIG_INTEGER,
	 .target = &gateway_settings.slow_connections,
	 .min = 0,
	 .max = 64,
	 .help = "more connections of each worker, for slow statements; 0: they share the others"},
	{.flag = "db-queue",
	 .environment = "WA_DB_QUEUE",
	 .argument = "N",
	 .fallback = "1000",
	 .kind = CONFIG_INTEGER,
	 .target = &gateway_settings.queue,
	 .min = 1,
	 .max = 100000,
	 .help =
		 "requests that wait for a connection, half of them of one organization; beyond it 429"},
	{.flag = "request-timeout",
	 .environment = "WA_REQUEST_TIMEOUT",
	 .argument = "MS",
	 .fallback = "10000",
	 .kind = CONFIG_INTEGER,
	 .target = &gateway_settings.request_timeout_ms,
	 .min = 50,
	 .max = 300000,
	 .help = "milliseconds that a request may take in the database; beyond it 504"},
	PROGRAM_OPTION_DATABASE_WAIT(gateway_settings.program),
	{.flag = "drain-delay",
	 .environment = "WA_DRAIN_DELAY",
	 .argument = "SECONDS",
	 .fallback = "0",
	 .kind = CONFIG_INTEGER,
	 .target = &gateway_settings.drain_delay_s,
	 .min = 0,
	 .max = 3600,
	 .help = "how long after SIGTERM to serve on, not ready, until load balancers have seen it"},
	PROGRAM_OPTION_DRAIN_TIMEOUT("30", "requests", gateway_settings.program),
	{.flag = "workers",
	 .environment = "WA_WORKERS",
	 .argument = "N",
	 .fallback = "1",
	 .kind = CONFIG_INTEGER,
	 .target = &gateway_settings.workers,
	 .min = 1,
	 .max = SETTINGS_PROCESSES_MAX,
	 .help = "processes that share the port"},
	{.flag = "sockets",
	 .environment = "WA_SOCKETS",
	 .argument = "N",
	 .fallback = "8000",
	 .kind = CONFIG_INTEGER,
	 .target = &gateway_settings.sockets,
	 .min = 0,
	 .max = 100000,
	 .help = "WebSockets of each worker, a part of its connections; beyond it 503"},
	{.flag = "sockets-per-key",
	 .environment = "WA_SOCKETS_PER_KEY",
	 .argument = "N",
	 .fallback = "500",
	 .kind = CONFIG_INTEGER,
	 .target = &gateway_settings.key_sockets,
	 .min = 1,
	 .max = 100000,
	 .help = "WebSockets of one key or person in each worker; beyond it 429"},
	{.flag = "socket-heartbeat",
	 .environment = "WA_SOCKET_HEARTBEAT",
	 .argument = "MS",
	 .fallback = "20000",
	 .kind = CONFIG_INTEGER,
	 .target = &gateway_settings.socket_heartbeat_ms,
	 .min = 50,
	 .max = 300000,
	 .help = "milliseconds between two pings on a WebSocket"},
	{.flag = "socket-buffer",
	 .environment = "WA_SOCKET_BUFFER",
	 .argument = "BYTES",
	 .fallback = "1048576",
	 .kind = CONFIG_INTEGER,
	 .target = &gateway_settings.socket_buffer,
	 .min = 1024,
	 .max = 67108864,
	 .help = "bytes that may wait to be sent on one WebSocket; beyond it close code 4408"},
	{.flag = "output-buffer",
	 .environment = "WA_OUTPUT_BUFFER",
	 .argument = "BYTES",
	 .fallback = "134217728",
	 .kind = CONFIG_INTEGER,
	 .target = &gateway_settings.output_buffer,
	 .min = 33554432,
	 .max = 17179869184,
	 .help = "bytes that may wait to be sent on all connections of a worker; beyond it the "
			 "slowest readers are cut"},
	MEDIA_STORE_OPTIONS(
		gateway_settings.media,
		"folder for files, the same for all gateways and connectors; without it uploads get 501",
		"bucket for these files; --media-dir is for those on their way then"),
	{.flag = "media-max-bytes",
	 .environment = "WA_MEDIA_MAX_BYTES",
	 .argument = "BYTES",
	 .fallback = "104857600",
	 .kind = CONFIG_INTEGER,
	 .target = &gateway_settings.media_max_bytes,
	 .min = 1,
	 .max = 2147483648,
	 .help = "bytes of one file; beyond it 413"},
	{.flag = "tls-cert",
	 .environment = "WA_TLS_CERT",
	 .argument = "FILE",
	 .kind = CONFIG_TEXT,
	 .target = &gateway_settings.tls_certificate,
	 .help = "certificate chain (PEM); with it and --tls-key HTTPS is served"},
	{.flag = "tls-key",
	 .environment = "WA_TLS_KEY",
	 .argument = "FILE",
	 .kind = CONFIG_TEXT,
	 .target = &gateway_settings.tls_key,
	 .help = "private key (PEM)"},
	{.flag = "cors-origin",
	 .environment = "WA_CORS_ORIGIN",
	 .argument = "ORIGIN",
	 .kind = CONFIG_LIST,
	 .target = &gateway_settings.origins,
	 .help = "web pages of this origin may call; several: comma separated, or the flag repeated"},
	{.flag = "trusted-proxy",
	 .environment = "WA_TRUSTED_PROXY",
	 .argument = "ADDR[/BITS]",
	 .kind = CONFIG_LIST,
	 .target = &gateway_settings.proxies,
	 .help = "proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; several as above"},
	PROGRAM_OPTION_METRICS("WA_METRICS", gateway_settings.program),
	{.flag = "endpoints",
	 .kind = CONFIG_FLAG,
	 .target = &gateway_settings.endpoints,
	 .help = "print the table of endpoints as JSON, then exit"},
	PROGRAM_OPTION_LOG_LEVEL(gateway_settings.program),
	{.flag = NULL},
};

/* With port 0 each process would get another port, because nothing reserves one for them all. */
static bool
check_metrics(char *problem, size_t size)
{
	const char *listen = gateway_settings.program.metrics;
	const char *port = listen == NULL ? NULL : strrchr(listen, ':');

	if (gateway_settings.workers > 1 && port != NULL && strcmp(port, ":0") == 0)
	{
		snprintf(problem, size, "with several workers --metrics needs a port");
		return false;
	}
	return program_metrics_check(listen, problem, size);
}

bool
settings_check(char *problem, size_t size)
{
	HttpLimits limits;
	const HttpServerConfig http = settings_http(gateway_settings.listen, &limits);

	return http_server_check(&http, problem, size) && check_metrics(problem, size) &&
		   media_settings_check(&gateway_settings.media, "wa-gateway", problem, size);
}

/*
 * One organization alone gets all connections but one (db/pool.c).  So there is one more than
 * it takes to keep the processors busy.
 */
static int64_t
default_connections(void)
{
	int64_t all = 2 * sysconf(_SC_NPROCESSORS_ONLN);

	return (all + gateway_settings.workers - 1) / gateway_settings.workers + 1;
}

DbConfig
settings_db(void)
{
	int64_t connections = gateway_settings.connections;

	if (connections == 0)
		connections = default_connections();
	return (DbConfig){
		.conninfo = gateway_settings.program.database,
		.application_name = "wa-gateway",
		.role = API_ROLE,
		.connections = (int) connections,
		.slow_connections = (int) gateway_settings.slow_connections,
		.costly_connections = COSTLY_CONNECTIONS,
		.costly_queue = COSTLY_QUEUE,
		.in_flight = IN_FLIGHT,
		.queue = (int) gateway_settings.queue,
		.owner_bytes = OWNER_BODIES_MAX,
		.fair = true,
	};
}

RealtimeConfig
settings_realtime(void)
{
	return (RealtimeConfig){
		.db = settings_db(),
		.timeout_ms = (int) gateway_settings.request_timeout_ms,
		.heartbeat_ms = (int) gateway_settings.socket_heartbeat_ms,
		.sockets_max = (int) gateway_settings.sockets,
		.key_sockets_max = (int) gateway_settings.key_sockets,
	};
}

HttpServerConfig
settings_http(const char *listen, HttpLimits *limits)
{
	static const HttpLimits defaults = HTTP_LIMITS_DEFAULT;
	DbConfig db = settings_db();

	*limits = defaults;
	if (limits->answer_ms < gateway_settings.request_timeout_ms + LAST_RESORT_MS)
		limits->answer_ms = (int) gateway_settings.request_timeout_ms + LAST_RESORT_MS;
	limits->socket_heartbeat_ms = (int) gateway_settings.socket_heartbeat_ms;
	limits->socket_output_bytes = (int) gateway_settings.socket_buffer;
	limits->output_all_bytes = (size_t) gateway_settings.output_buffer;
	return (HttpServerConfig){
		.listen = listen,
		.reuse_port = gateway_settings.workers > 1,
		.tls_certificate = gateway_settings.tls_certificate,
		.tls_key = gateway_settings.tls_key,
		.limits = limits,
		.other_descriptors = db_descriptors(&db) + REALTIME_DESCRIPTORS +
							 media_store_descriptors(&gateway_settings.media.store),
		.sends_files = gateway_settings.media.store.folder != NULL &&
					   gateway_settings.media.store.s3.bucket == NULL,
		.origins = gateway_settings.origins.texts,
		.n_origins = gateway_settings.origins.count,
		.proxies = gateway_settings.proxies.texts,
		.n_proxies = gateway_settings.proxies.count,
	};
}
