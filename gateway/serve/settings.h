/*
 * settings.h
 *		What wa-gateway can be told, and what the floors below make of it.
 */
#ifndef SERVE_SETTINGS_H
#define SERVE_SETTINGS_H

#include "db/db.h"
#include "http/http.h"
#include "program/options.h"
#include "realtime/realtime.h"

#define SETTINGS_PROCESSES_MAX 64

/* All texts are borrowed from argv and the environment. */
typedef struct Settings
{
	ProgramSettings program;
	const char *listen;
	int64_t connections; /* 0: as many as settings_db() thinks right */
	int64_t slow_connections;
	int64_t queue;
	int64_t request_timeout_ms;
	int64_t drain_delay_s;
	int64_t workers;
	int64_t sockets; /* WebSockets of one process */
	int64_t key_sockets;
	int64_t socket_heartbeat_ms;
	int64_t socket_buffer;
	int64_t output_buffer;
	const char *tls_certificate; /* NULL: plain HTTP */
	const char *tls_key;
	ConfigList origins; /* CORS: whose pages may read answers */
	ConfigList proxies; /* whose X-Forwarded-For and -Proto are believed */
	bool endpoints;     /* only print the table of endpoints */
} Settings;

/* Of this program: read once, and only read then. */
extern Settings gateway_settings;
extern const ConfigOption gateway_options[];

/*
 * What can be said about them without a database and without listening.  False: problem
 * (of size bytes) says why.
 */
extern bool settings_check(char *problem, size_t size);

/* The database pool of one process. */
extern DbConfig settings_db(void);

/* The WebSockets of one process. */
extern RealtimeConfig settings_realtime(void);

/*
 * The HTTP server of one process, without a handler.  It listens on "listen", which need
 * not be the setting, and points to *limits, which is set too.
 */
extern HttpServerConfig settings_http(const char *listen, HttpLimits *limits);

#endif
