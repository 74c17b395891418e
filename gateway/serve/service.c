/*
 * service.c
 *		The service of one process; see service.h.
 *
 * The service owns what runs on the loop.  The HTTP server holds the requests and sockets.
 * These point to the endpoints and to realtime, which point to the database pool.  So the
 * pool is made first and freed last, and the HTTP server is made last and freed first.  Uploads
 * end with the HTTP server, so the store of files is closed after it.
 */
#include "serve/service.h"

#include <stdio.h>

#include "api/api.h"
#include "lib/log.h"
#include "media/store.h"
#include "program/loop.h"
#include "serve/metrics.h"
#include "serve/settings.h"

typedef struct Service
{
	ProgramLoop *loop;
	const char *listen;
	Metrics *metrics; /* NULL: metrics are not configured */
	ProgramMetrics *measured;
	HttpServer *http;
	Db *db;
	Api *api;
	Realtime *realtime;
	MediaStore *media; /* NULL: no files are stored */
} Service;

/* ---- stopping ---- */

/* Goes on serving, but tells clients and load balancers to use other instances. */
static void
leave(void *context)
{
	const Service *service = context;

	log_line(LOG_LEVEL_INFO, "leaving", log_int("seconds", gateway_settings.drain_delay_s));
	api_leave(service->api);
	http_server_leave(service->http);
}

static void
on_all_drained(void *context)
{
	const Service *service = context;

	program_loop_drained(service->loop);
}

static void
on_http_drained(void *context)
{
	const Service *service = context;

	realtime_drain(service->realtime, on_all_drained, context);
}

static void
drain(void *context)
{
	const Service *service = context;

	api_leave(service->api);
	log_line(LOG_LEVEL_INFO, "draining",
			 log_int("connections", http_server_connections(service->http)));
	http_server_drain(service->http, (int) gateway_settings.program.drain_s * 1000, on_http_drained,
					  context);
}

static void
reload_tls(const Service *service)
{
	char error[256];

	if (gateway_settings.tls_certificate == NULL)
		return;
	if (http_server_reload_tls(service->http, error, sizeof(error)))
		log_line(LOG_LEVEL_INFO, "tls_reloaded");
	else
		log_line(LOG_LEVEL_ERROR, "tls_not_reloaded", log_text("reason", error));
}

/*
 * SIGHUP: a certificate or the credentials of the bucket were renewed.  If the terminal was closed,
 * reloading does no harm.
 */
static void
hang_up(void *context)
{
	reload_tls(context);
	media_settings_reload(&gateway_settings.media);
}

/* ---- starting ---- */

static bool
open_floors(Service *service)
{
	struct event_base *base = service->loop->base;
	const DbConfig config = settings_db();
	RealtimeConfig realtime = settings_realtime();

	realtime.observe = service->metrics == NULL ? NULL : service_metrics_event;
	realtime.observe_context = service->metrics;
	service->db = db_open(base, &config);
	service->api = service->db == NULL
					   ? NULL
					   : api_open(base, service->db, (int) gateway_settings.request_timeout_ms);
	service->realtime = service->api == NULL ? NULL : realtime_open(base, service->db, &realtime);
	if (service->realtime != NULL)
		api_set_realtime(service->api, realtime_take, service->realtime);
	return service->realtime != NULL;
}

static bool
open_media(Service *service, char *error, size_t size)
{
	if (gateway_settings.media.store.folder == NULL)
		return true;
	service->media =
		media_store_open(service->loop->base, &gateway_settings.media.store, error, size);
	if (service->media == NULL)
		return false;
	api_set_media(service->api, service->media, (uint64_t) gateway_settings.media_max_bytes);
	return true;
}

static void
look(void *context)
{
	const Service *service = context;

	service_metrics_look(service->metrics, service->http, service->realtime);
}

static bool
measure(Service *service, char *error, size_t size)
{
	ProgramMetricsSetup setup = service_metrics_setup();

	if (service->metrics == NULL)
		return true;
	setup.base = service->loop->base;
	setup.metrics = service->metrics;
	setup.db = service->db;
	setup.look = look;
	setup.context = service;
	service->measured = program_metrics_start(&setup, error, size);
	return service->measured != NULL;
}

static bool
open_service(void *context, ProgramLoop *loop, char *error, size_t size)
{
	Service *service = context;
	HttpLimits limits;
	HttpServerConfig config = settings_http(service->listen, &limits);

	service->loop = loop;
	if (!open_floors(service))
	{
		snprintf(error, size, "could not set up the event loop and the endpoints");
		return false;
	}
	if (!open_media(service, error, size))
		return false;
	config.handle = api_handle;
	config.body_limit = api_body_limit;
	config.context = service->api;
	config.observe = service->metrics == NULL ? NULL : service_metrics_observe;
	config.observe_context = service->metrics;
	service->http = http_server_start(loop->base, &config, error, size);
	return service->http != NULL && measure(service, error, size);
}

static void
begin(void *context)
{
	const Service *service = context;

	log_line(LOG_LEVEL_INFO, "listening", log_text("address", http_server_address(service->http)),
			 log_int("port", http_server_port(service->http)));
}

static void
close_service(void *context)
{
	const Service *service = context;

	program_metrics_stop(service->measured);
	if (service->http != NULL)
		http_server_free(service->http);
	media_store_close(service->media);
	s3_credentials_wipe(&gateway_settings.media.s3_credentials);
	realtime_free(service->realtime);
	api_free(service->api);
	db_close(service->db);
}

int
service_run(const char *listen, Metrics *metrics, const volatile sig_atomic_t *stops)
{
	static const ProgramWork work = {.open = open_service,
									 .begin = begin,
									 .drain = drain,
									 .close = close_service,
									 .leave = leave,
									 .hang_up = hang_up};
	Service service = {.listen = listen, .metrics = metrics};
	ProgramLoop loop = {
		.work = &work, .context = &service, .leave_ms = gateway_settings.drain_delay_s * 1000};

	return program_loop_run(&loop, stops);
}
