/*
 * output.c
 *		Limits the output that waits on all connections of a server; see output.h.
 *
 * libevent calls on_change() for each change of a connection's output, so the sum is always
 * exact.
 */
#include "http/output.h"

#include <event2/buffer.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "http/server.h"
#include "http/websocket.h"

/* The most connections to close in one loop iteration, because each search takes time. */
#define CUTS_MAX 256

/* A connection with waiting output, and the values by which it is compared. */
typedef struct Reader
{
	HttpConnection *connection;
	int64_t rate; /* bytes a second */
	int64_t since_ms;
} Reader;

/* Bytes that our kernel has accepted and the client's kernel has not confirmed. */
static int64_t
kernel_queue(const HttpConnection *connection)
{
	int bytes = 0;

	return ioctl(bufferevent_getfd(connection->bev), SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

static void
on_change(struct evbuffer *output, const struct evbuffer_cb_info *info, void *context)
{
	HttpConnection *connection = context;
	HttpServer *server = connection->server;

	(void) output;
	server->output_bytes = server->output_bytes + info->n_added - info->n_deleted;
	if (info->orig_size == 0 && info->n_added > 0)
	{
		connection->waits_since_ms = clock_monotonic_ms();
		connection->output_left = kernel_queue(connection);
	}
	connection->output_left += (int64_t) info->n_deleted;
	if (server->output_bytes > server->limits.output_all_bytes)
		event_active(server->relief, EV_TIMEOUT, 0);
}

bool
http_output_watch(HttpConnection *connection)
{
	return evbuffer_add_cb(bufferevent_get_output(connection->bev), on_change, connection) != NULL;
}

void
http_output_forget(HttpConnection *connection)
{
	struct evbuffer *output = bufferevent_get_output(connection->bev);

	evbuffer_remove_cb(output, on_change, connection);
	connection->server->output_bytes -= evbuffer_get_length(output);
}

/* ---- closing slow readers ---- */

static Reader
look_at(HttpConnection *connection, int64_t now)
{
	int64_t waited = now - connection->waits_since_ms;
	int64_t gone = connection->output_left - kernel_queue(connection);

	return (Reader){.connection = connection,
					.rate = waited < HTTP_OUTPUT_GRACE_MS ? HTTP_OUTPUT_FAIR_RATE
														  : gone * 1000 / waited,
					.since_ms = connection->waits_since_ms};
}

static bool
is_slower(const Reader *a, const Reader *b)
{
	return a->rate != b->rate ? a->rate < b->rate : a->since_ms < b->since_ms;
}

static bool
has_output(const HttpConnection *connection)
{
	return evbuffer_get_length(bufferevent_get_output(connection->bev)) > 0;
}

/*
 * The slowest reader of all connections, or NULL when no output waits.  The kernel is asked about
 * those with waiting output only.
 */
static HttpConnection *
find_slowest(const HttpServer *server)
{
	int64_t now = clock_monotonic_ms();
	Reader slowest = {.connection = NULL};

	for (int state = 0; state < HTTP_CONNECTION_CLOSED; state++)
	{
		HttpConnection *each;

		TAILQ_FOREACH(each, &server->lists[state], link)
		{
			Reader reader;

			if (!has_output(each))
				continue;
			reader = look_at(each, now);
			if (slowest.connection == NULL || is_slower(&reader, &slowest))
				slowest = reader;
		}
	}
	return slowest.connection;
}

static void
cut(HttpConnection *connection)
{
	static const char reason[] = "too much waits for all clients, and this one reads slowly";

	if (connection->socket != NULL)
		websocket_cut(connection, reason);
	else
		http_connection_close(connection, reason);
}

/* Searches again after each close, because an owner that is told may close other connections. */
static void
on_relief(evutil_socket_t fd, short what, void *context)
{
	HttpServer *server = context;
	size_t before = server->output_bytes;
	HttpConnection *slowest;
	int cuts = 0;

	(void) fd;
	(void) what;
	if (before <= server->limits.output_all_bytes)
		return;
	while (server->output_bytes > HTTP_OUTPUT_KEPT(server->limits.output_all_bytes) &&
		   cuts < CUTS_MAX && (slowest = find_slowest(server)) != NULL)
	{
		cut(slowest);
		cuts++;
	}
	log_line(LOG_LEVEL_WARNING, "slow_readers_cut", log_int("connections", cuts),
			 log_int("bytes", (int64_t) (before - server->output_bytes)));
	if (server->output_bytes > server->limits.output_all_bytes)
		event_active(server->relief, EV_TIMEOUT, 0);
}

bool
http_output_start(HttpServer *server)
{
	server->relief = event_new(server->base, -1, 0, on_relief, server);
	return server->relief != NULL;
}

void
http_output_stop(HttpServer *server)
{
	if (server->relief != NULL)
		event_free(server->relief);
}
