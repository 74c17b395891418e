/*
 * service.c
 *		Serving: one loop, one process.
 *
 * The service owns the loop and the floors on it: the HTTP server, which holds requests and
 * sockets, the endpoints and the realtime that they point to, and the database pool that
 * these point to.  They are made from below and freed from above.
 */
#include "serve/service.h"

#include <event2/event.h>

#include "api/api.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/process.h"
#include "serve/metrics.h"

typedef struct Service
{
	const Settings *settings;
	Metrics *metrics; /* NULL: nobody wants any */
	ServiceMetrics *measured;
	struct event_base *base;
	HttpServer *http;
	Db *db;
	Api *api;
	Realtime *realtime;
	struct event *term;
	struct event *interrupt;
	struct event *hangup;
	struct event *delay; /* between being told to stop and draining */
	bool leaving;        /* was told to stop */
	bool draining;
} Service;

static void
on_all_drained(void *context)
{
	const Service *service = context;

	event_base_loopbreak(service->base);
}

static void
on_http_drained(void *context)
{
	const Service *service = context;

	realtime_drain(service->realtime, on_all_drained, context);
}

static void
drain(Service *service)
{
	service->draining = true;
	log_line(LOG_LEVEL_INFO, "draining",
			 log_int("connections", http_server_connections(service->http)));
	http_server_drain(service->http, (int) service->settings->drain_s * 1000, on_http_drained,
					  service);
}

static void
on_delay(evutil_socket_t fd, short what, void *context)
{
	Service *service = context;

	(void) fd;
	(void) what;
	if (!service->draining)
		drain(service);
}

/* Serve on, but say that others should be asked. */
static void
leave(Service *service)
{
	const struct timeval delay = {.tv_sec = service->settings->drain_delay_s};

	service->leaving = true;
	log_line(LOG_LEVEL_INFO, "leaving", log_int("seconds", service->settings->drain_delay_s));
	api_leave(service->api);
	http_server_leave(service->http);
	event_add(service->delay, &delay);
}

/*
 * Told to stop: once, and with --drain-delay there is that first.  Told again, the next step
 * comes at once.
 */
static void
on_stop(evutil_socket_t number, short what, void *context)
{
	Service *service = context;

	(void) number;
	(void) what;
	if (service->draining)
	{
		event_base_loopbreak(service->base);
	}
	else if (service->leaving || service->settings->drain_delay_s == 0)
	{
		api_leave(service->api);
		drain(service);
	}
	else
	{
		leave(service);
	}
}

/* The terminal is gone, which is nothing to us, or a certificate was renewed. */
static void
on_hangup(evutil_socket_t number, short what, void *context)
{
	const Service *service = context;
	char error[256];

	(void) number;
	(void) what;
	if (service->settings->tls_certificate == NULL)
		return;
	if (http_server_reload_tls(service->http, error, sizeof(error)))
		log_line(LOG_LEVEL_INFO, "tls_reloaded");
	else
		log_line(LOG_LEVEL_ERROR, "tls_not_reloaded", log_text("reason", error));
}

static bool
watch_signals(Service *service)
{
	service->term = evsignal_new(service->base, SIGTERM, on_stop, service);
	service->interrupt = evsignal_new(service->base, SIGINT, on_stop, service);
	service->hangup = evsignal_new(service->base, SIGHUP, on_hangup, service);
	service->delay = evtimer_new(service->base, on_delay, service);
	return service->term != NULL && service->interrupt != NULL && service->hangup != NULL &&
		   service->delay != NULL && event_add(service->term, NULL) == 0 &&
		   event_add(service->interrupt, NULL) == 0 && event_add(service->hangup, NULL) == 0;
}

static bool
open_floors(Service *service)
{
	DbConfig config = settings_db(service->settings);
	RealtimeConfig realtime = settings_realtime(service->settings);

	realtime.observe = service->metrics == NULL ? NULL : service_metrics_event;
	realtime.observe_context = service->metrics;
	service->base = event_base_new();
	service->db = service->base == NULL ? NULL : db_open(service->base, &config);
	service->api = service->db == NULL
					   ? NULL
					   : api_open(service->db, (int) service->settings->request_timeout_ms);
	service->realtime =
		service->api == NULL ? NULL : realtime_open(service->base, service->db, &realtime);
	if (service->realtime != NULL)
		api_set_realtime(service->api, realtime_take, service->realtime);
	return service->realtime != NULL;
}

static bool
measure(Service *service, char *error, size_t size)
{
	if (service->metrics == NULL)
		return true;
	service->measured =
		service_metrics_start(service->base, service->settings, service->metrics, service->http,
							  service->db, service->realtime, error, size);
	return service->measured != NULL;
}

/*
 * False: could not, and the reason is logged.
 */
static bool
open_service(Service *service, const char *listen)
{
	HttpLimits limits;
	HttpServerConfig config = settings_http(service->settings, listen, &limits);
	char error[256] = "could not set up the event loop and the endpoints";

	if (open_floors(service))
	{
		config.handle = api_handle;
		config.body_limit = api_body_limit;
		config.context = service->api;
		config.observe = service->metrics == NULL ? NULL : service_metrics_observe;
		config.observe_context = service->metrics;
		service->http = http_server_start(service->base, &config, error, sizeof(error));
	}
	if (service->http == NULL || !measure(service, error, sizeof(error)))
	{
		log_line(LOG_LEVEL_ERROR, "cannot_start", log_text("reason", error));
		return false;
	}
	if (!watch_signals(service))
	{
		log_line(LOG_LEVEL_ERROR, "cannot_start", log_text("reason", "could not watch signals"));
		return false;
	}
	return true;
}

static void
close_service(Service *service)
{
	struct event *events[] = {service->term, service->interrupt, service->hangup, service->delay};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	service_metrics_stop(service->measured);
	if (service->http != NULL)
		http_server_free(service->http);
	realtime_free(service->realtime);
	api_free(service->api);
	db_close(service->db);
	if (service->base != NULL)
		event_base_free(service->base);
}

/*
 * True when the loop ended because it was told to.
 */
static bool
loop(Service *service, const volatile sig_atomic_t *stops)
{
	log_line(LOG_LEVEL_INFO, "listening", log_text("address", http_server_address(service->http)),
			 log_int("port", http_server_port(service->http)));
	if (*stops > 0)
		event_active(service->term, 0, 0);
	if (!loop_run(service->base))
	{
		log_line(LOG_LEVEL_ERROR, "failed", log_text("reason", "the event loop broke"));
		return false;
	}
	log_line(LOG_LEVEL_INFO, "stopped");
	return true;
}

int
service_run(const Settings *settings, const char *listen, Metrics *metrics,
			const volatile sig_atomic_t *stops)
{
	Service service = {.settings = settings, .metrics = metrics};
	bool ok = open_service(&service, listen);

	process_close_ports();
	ok = ok && loop(&service, stops);
	close_service(&service);
	return ok ? 0 : CONFIG_EXIT_FAILED;
}
