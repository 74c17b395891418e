/*
 * metrics.c
 *		GET /metrics, on a listener of its own; see metrics.h.
 */
#include "http/metrics.h"

#include <string.h>

#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* There are few scrapers; other clients must not use up resources of the API. */
#define CONNECTIONS_MAX 16

static void
answer_metrics(HttpRequest *request, const Metrics *metrics)
{
	Buffer body;

	http_request_set_route(request, "/metrics");
	buffer_init(&body, METRICS_PRINT_MAX);
	metrics_print(metrics, &body);
	http_respond(request, 200, NULL, 0, CONTENT_TYPE, &body);
}

static void
handle(HttpRequest *request, void *context)
{
	const HttpHeader allow = {"Allow", "GET, HEAD"};

	if (request->n_segments != 1 || strcmp(request->segments[0].data, "metrics") != 0)
		http_respond_error(request, http_error(HTTP_ERROR_NOT_FOUND), NULL, 0, NULL, 0);
	else if (request->method != HTTP_METHOD_GET && request->method != HTTP_METHOD_HEAD)
		http_respond_error(request, http_error(HTTP_ERROR_METHOD_NOT_ALLOWED), NULL, 0, &allow, 1);
	else
		answer_metrics(request, context);
}

HttpServer *
http_metrics_start(struct event_base *base, const char *listen, bool reuse_port, Metrics *metrics,
				   char *error, size_t error_size)
{
	HttpLimits limits = HTTP_LIMITS_DEFAULT;
	HttpServerConfig config = {.listen = listen,
							   .reuse_port = reuse_port,
							   .limits = &limits,
							   .handle = handle,
							   .context = metrics};

	limits.max_connections = CONNECTIONS_MAX;
	limits.max_connections_per_address = CONNECTIONS_MAX;
	return http_server_start(base, &config, error, error_size);
}

bool
http_metrics_check(const char *listen, char *error, size_t error_size)
{
	HttpServerConfig config = {.listen = listen};

	return http_server_check(&config, error, error_size);
}
