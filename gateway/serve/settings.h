/*
 * settings.h
 *		The settings of wa-gateway, and the configurations made from them.
 */
#ifndef SERVE_SETTINGS_H
#define SERVE_SETTINGS_H

#include "db/db.h"
#include "http/http.h"
#include "media/settings.h"
#include "program/options.h"
#include "realtime/realtime.h"

#define SETTINGS_PROCESSES_MAX 64

/* All texts are borrowed from argv and the environment. */
typedef struct Settings
{
	ProgramSettings program;
	const char *listen;
	int64_t connections; /* 0: settings_db() chooses the number */
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
	MediaSettings media;
	int64_t media_max_bytes;
	const char *tls_certificate; /* NULL: plain HTTP */
	const char *tls_key;
	ConfigList origins; /* CORS: the origins whose pages may read answers */
	ConfigList proxies; /* the proxies whose X-Forwarded-For and -Proto are trusted */
	bool endpoints;     /* only print the table of endpoints */
} Settings;

/*
 * The settings of this program.  Set once, by config_read() and settings_check(), and not changed
 * after that.
 */
extern Settings gateway_settings;
extern const ConfigOption gateway_options[];

/*
 * Checks the settings without a database and without listening.  False: problem (of size
 * bytes) says what is wrong.
 */
extern bool settings_check(char *problem, size_t size);

/* The configuration of one process's database pool. */
extern DbConfig settings_db(void);

/* The configuration of one process's WebSockets. */
extern RealtimeConfig settings_realtime(void);

/*
 * The configuration of one process's HTTP server, without a handler.  It listens on "listen",
 * which may differ from the setting.  Sets *limits too, and points to it.
 */
extern HttpServerConfig settings_http(const char *listen, HttpLimits *limits);

#endif
