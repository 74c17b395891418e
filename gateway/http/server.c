/*
 * server.c
 *		The server: accepts and counts connections, checks deadlines, and drains.
 *
 * One timer is enough for all connections.  Each state's list is in the order of deadlines, so
 * every tick checks only the heads of the lists.
 */
#include "http/server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/heap.h"
#include "lib/log.h"
#include "http/listen.h"
#include "http/output.h"
#include "http/tls.h"
#include "http/turns.h"
#include "http/websocket.h"

#define SPARE_DESCRIPTORS 64 /* kept free for files that are not counted */
#define IDLE_LOOKED_AT 64    /* idle connections that are searched for one to close */

void
http_server_forget(HttpServer *server, const HttpConnection *connection)
{
	server->connections--;
	http_peers_remove(server->peers, connection->peer_key);
	if (server->draining && server->connections == 0 && server->tick != NULL)
		event_active(server->tick, EV_TIMEOUT, 0);
}

/* ---- accepting ---- */

/* There is no room: answers 503 without reading the request; with TLS it only closes. */
static void
turn_away(HttpServer *server, int fd)
{
	static const char answer[] =
		"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
		"Cache-Control: no-store\r\nConnection: close\r\n\r\n";

	server->refused++;
	if (server->tls == NULL)
	{
		ssize_t sent = send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);

		(void) sent;
	}
	close(fd);
}

/*
 * The connection that has been idle longest, among those of the newcomer's address and of
 * addresses that have more connections than it.  Searches only the IDLE_LOOKED_AT oldest.
 */
static HttpConnection *
oldest_idle(const HttpServer *server, HttpPeerKey newcomer, int has)
{
	HttpConnection *connection = TAILQ_FIRST(&server->lists[HTTP_CONNECTION_IDLE]);

	for (int i = 0; connection != NULL && i < IDLE_LOOKED_AT;
		 i++, connection = TAILQ_NEXT(connection, link))
		if (http_connection_is_idle(connection) &&
			(http_peers_same(connection->peer_key, newcomer) ||
			 http_peers_count(server->peers, connection->peer_key) > has))
			return connection;
	return NULL;
}

/*
 * A connection of that address, preferably one without a request.  Never one whose request a
 * handler has, and never a WebSocket.
 */
static HttpConnection *
least_needed(const HttpServer *server, HttpPeerKey key)
{
	static const HttpConnectionState states[] = {HTTP_CONNECTION_IDLE,      HTTP_CONNECTION_LINGER,
												 HTTP_CONNECTION_HANDSHAKE, HTTP_CONNECTION_HEAD,
												 HTTP_CONNECTION_BODY,      HTTP_CONNECTION_WRITE};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
	{
		HttpConnection *c;

		TAILQ_FOREACH(c, &server->lists[states[i]], link)
		if (http_peers_same(c->peer_key, key))
			return c;
	}
	return NULL;
}

/*
 * Closes a connection to make room for a newcomer; false: none can be closed.  If another
 * address has more connections than the newcomer's would have, the address with most loses
 * one, so that no client can keep others out by holding all connections.  Otherwise an idle
 * connection is closed.
 */
static bool
make_room(HttpServer *server, HttpPeerKey newcomer)
{
	int has = http_peers_count(server->peers, newcomer);
	HttpPeerKey largest;
	HttpConnection *closed = NULL;

	if (http_peers_most(server->peers, &largest) > has + 1)
		closed = least_needed(server, largest);
	if (closed == NULL)
		closed = oldest_idle(server, newcomer, has);
	if (closed != NULL)
		http_connection_close(closed, "closed to make room");
	return closed != NULL;
}

/* Takes over a new connection, or refuses it. */
static void
take(HttpServer *server, int fd, const struct sockaddr *address)
{
	HttpPeerKey key = http_peers_key(address);
	char name[HTTP_PEER_MAX];
	struct bufferevent *bev;
	int port;
	int on = 1;
	int max;

	if (server->connections >= server->limits.max_connections && !make_room(server, key))
	{
		turn_away(server, fd);
		return;
	}
	http_listen_name(address, name, sizeof(name), &port);
	/* A trusted proxy has connections for many clients. */
	max = http_proxies_trust(&server->proxies, name) ? server->limits.max_connections
													 : server->limits.max_connections_per_address;
	if (!http_peers_add(server->peers, key, max))
	{
		server->refused++;
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	bev = server->tls != NULL ? http_tls_accept(server->tls, server->base)
							  : bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		close(fd);
	if (bev == NULL || !http_connection_start(server, bev, fd, server->tls != NULL, name, key))
	{
		http_peers_remove(server->peers, key);
		server->refused++;
		return;
	}
	server->connections++;
}

/* Accepts a client that has connected.  False, with errno: there is none. */
static bool
accept_one(HttpServer *server)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int fd = accept4(event_get_fd(server->listener), (struct sockaddr *) &address, &size,
					 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		take(server, fd, (struct sockaddr *) &address);
	return fd >= 0;
}

/* Whether the error belongs to one client, or is none. */
static bool
may_accept_again(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ECONNABORTED;
}

/* Most likely out of descriptors.  Retrying at once would only waste processor time. */
static void
pause_accepting(HttpServer *server)
{
	if (!server->accept_fails)
		log_line(LOG_LEVEL_WARNING, "accept_failed", log_text("error", strerror(errno)));
	server->accept_fails = true;
	event_del(server->listener);
	server->accept_paused = true;
}

static void
on_accept(evutil_socket_t fd, short what, void *context)
{
	HttpServer *server = context;
	int accepted = 0;

	(void) fd;
	(void) what;
	while (accepted < HTTP_ACCEPTS_MAX && accept_one(server))
		accepted++;
	if (accepted > 0)
		server->accept_fails = false;
	if (accepted < HTTP_ACCEPTS_MAX && !may_accept_again(errno))
		pause_accepting(server);
}

/* ---- the tick ---- */

static void
close_all(HttpServer *server, const char *reason)
{
	HttpConnection *connection;

	for (int state = 0; state < HTTP_CONNECTION_CLOSED; state++)
		while ((connection = TAILQ_FIRST(&server->lists[state])) != NULL)
			http_connection_close(connection, reason);
}

static void
end_drain(HttpServer *server)
{
	void (*drained)(void *context) = server->drained;

	if (server->connections > 0)
		close_all(server, "time to finish is over");
	server->drained = NULL;
	drained(server->drained_context);
}

/* The next connection whose deadline has passed, or NULL. */
static HttpConnection *
next_late(const HttpServer *server, int64_t now)
{
	for (int state = 0; state < HTTP_CONNECTION_CLOSED; state++)
	{
		HttpConnection *first = TAILQ_FIRST(&server->lists[state]);

		if (first != NULL && first->deadline_ms <= now)
			return first;
	}
	return NULL;
}

/* The next tick is due after this time. */
static bool
start_tick(HttpServer *server, int ms)
{
	const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	return event_add(server->tick, &wait) == 0;
}

/* True: more have passed, and the next tick has to follow at once. */
static bool
expire_some(HttpServer *server)
{
	int64_t now = clock_monotonic_ms();
	HttpConnection *late;

	for (int i = 0; (late = next_late(server, now)) != NULL; i++)
	{
		if (i == HTTP_EXPIRES_MAX)
			return true;
		http_connection_expire(late);
	}
	return false;
}

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
	HttpServer *server = context;

	(void) fd;
	(void) what;
	start_tick(server, expire_some(server) ? 0 : server->limits.tick_ms);
	heap_give_back();
	if (server->refused > 0)
		log_line(LOG_LEVEL_WARNING, "connections_refused", log_int("count", server->refused),
				 log_int("connections", server->connections));
	server->refused = 0;
	if (server->accept_paused && server->listener != NULL)
		event_add(server->listener, NULL);
	server->accept_paused = false;

	/* this comes last, because the callback may free the server */
	if (server->drained != NULL &&
		(server->connections == 0 || clock_monotonic_ms() >= server->drain_deadline_ms))
		end_drain(server);
}

/* ---- start and end ---- */

/*
 * Raises the soft limit of open files as far as needed and possible.  If that is not enough,
 * lowers the maximum of connections.  others is the number of descriptors that the rest of
 * the process needs, so that clients never use up those for new database connections.  A
 * connection to which a file is sent has two.
 */
static void
fit_descriptors(HttpLimits *limits, int others, bool sends_files)
{
	struct rlimit files;
	rlim_t each = sends_files ? 2 : 1;
	rlim_t kept = (rlim_t) others + SPARE_DESCRIPTORS;
	rlim_t wanted = (rlim_t) limits->max_connections * each + kept;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted)
		return;
	files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0 && getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	if (files.rlim_cur >= wanted)
		return;
	limits->max_connections =
		files.rlim_cur > kept + each ? (int) ((files.rlim_cur - kept) / each) : 1;
	log_line(LOG_LEVEL_WARNING, "connections_limited",
			 log_int("max_connections", limits->max_connections),
			 log_text("reason", "limit of open files"));
}

static bool
start_listening(HttpServer *server, const HttpServerConfig *config, char *error, size_t error_size)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	int fd = http_listen_bind(config->listen, config->reuse_port, error, error_size);

	if (fd < 0)
		return false;
	server->listener = event_new(server->base, fd, EV_READ | EV_PERSIST, on_accept, server);
	if (server->listener == NULL || listen(fd, HTTP_BACKLOG) != 0 ||
		event_add(server->listener, NULL) != 0)
	{
		snprintf(error, error_size, "could not listen on %s: %s", config->listen, strerror(errno));
		if (server->listener == NULL)
			close(fd);
		return false;
	}
	getsockname(fd, (struct sockaddr *) &address, &size);
	http_listen_name((struct sockaddr *) &address, server->address, sizeof(server->address),
					 &server->port);
	return true;
}

/* Closes the socket too. */
static void
stop_listening(HttpServer *server)
{
	int fd;

	if (server->listener == NULL)
		return;
	fd = event_get_fd(server->listener);
	event_free(server->listener);
	server->listener = NULL;
	close(fd);
}

/* Makes what runs on the loop. */
static bool
start_events(HttpServer *server)
{
	server->tick = event_new(server->base, -1, 0, on_tick, server);
	return server->tick != NULL && start_tick(server, server->limits.tick_ms) &&
		   http_output_start(server) && http_turns_start(server);
}

HttpServer *
http_server_start(struct event_base *base, const HttpServerConfig *config, char *error,
				  size_t error_size)
{
	static const HttpLimits defaults = HTTP_LIMITS_DEFAULT;
	HttpServer *server = calloc(1, sizeof(*server));
	bool with_tls = config->tls_certificate != NULL || config->tls_key != NULL;

	snprintf(error, error_size, "out of memory");
	if (server == NULL)
		return NULL;
	server->base = base;
	server->handle = config->handle;
	server->body_limit = config->body_limit;
	server->context = config->context;
	server->observe = config->observe;
	server->observe_context = config->observe_context;
	server->limits = config->limits != NULL ? *config->limits : defaults;
	server->origins = (HttpOrigins){config->origins, config->n_origins};
	for (int state = 0; state < HTTP_CONNECTION_STATES; state++)
		TAILQ_INIT(&server->lists[state]);
	buffer_init(&server->answer_head.text, HTTP_ANSWER_HEAD_MAX);
	signal(SIGPIPE, SIG_IGN);
	fit_descriptors(&server->limits, config->other_descriptors, config->sends_files);

	server->tls_certificate = config->tls_certificate;
	server->tls_key = config->tls_key;
	if (with_tls)
		server->tls = http_tls_create(config->tls_certificate, config->tls_key, error, error_size);
	server->peers = http_peers_create();
	if ((with_tls && server->tls == NULL) || server->peers == NULL || !start_events(server) ||
		!http_proxies_read(&server->proxies, config->proxies, config->n_proxies, error,
						   error_size) ||
		!start_listening(server, config, error, error_size))
	{
		http_server_free(server);
		return NULL;
	}
	return server;
}

bool
http_server_check(const HttpServerConfig *config, char *error, size_t error_size)
{
	const HttpOrigins origins = {config->origins, config->n_origins};
	HttpProxies proxies;
	struct ssl_ctx_st *tls;

	if (!http_listen_check(config->listen, error, error_size) ||
		!http_cors_check(&origins, error, error_size) ||
		!http_proxies_read(&proxies, config->proxies, config->n_proxies, error, error_size))
		return false;
	if (config->tls_certificate == NULL && config->tls_key == NULL)
		return true;
	tls = http_tls_create(config->tls_certificate, config->tls_key, error, error_size);
	if (tls == NULL)
		return false;
	http_tls_warn(tls, config->tls_certificate);
	http_tls_free(tls);
	return true;
}

bool
http_server_reload_tls(HttpServer *server, char *error, size_t error_size)
{
	struct ssl_ctx_st *tls;

	if (server->tls == NULL)
		return true;
	tls = http_tls_create(server->tls_certificate, server->tls_key, error, error_size);
	if (tls == NULL)
		return false;
	http_tls_warn(tls, server->tls_certificate);
	http_tls_free(server->tls); /* connections that use it have their own reference */
	server->tls = tls;
	return true;
}

const char *
http_server_address(const HttpServer *server)
{
	return server->address;
}

int
http_server_port(const HttpServer *server)
{
	return server->port;
}

int
http_server_connections(const HttpServer *server)
{
	return server->connections;
}

size_t
http_server_output_bytes(const HttpServer *server)
{
	return server->output_bytes;
}

/* Accepts all clients that have already connected, so that closing the listener resets none. */
static void
accept_the_rest(HttpServer *server)
{
	while (accept_one(server))
		;
}

/* Whether the client has sent something that was not read yet. */
static bool
has_unread(const HttpConnection *connection)
{
	char byte;

	return recv(http_input_fd(connection), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void
http_server_leave(HttpServer *server)
{
	server->leaving = true;
}

void
http_server_drain(HttpServer *server, int bound_ms, void (*done)(void *context), void *context)
{
	static const HttpConnectionState states[] = {HTTP_CONNECTION_HANDSHAKE, HTTP_CONNECTION_IDLE,
												 HTTP_CONNECTION_HEAD};
	HttpConnection *socket;

	if (server->draining)
		return;
	server->leaving = true;
	server->draining = true;
	server->drained = done;
	server->drained_context = context;
	server->drain_deadline_ms = clock_monotonic_ms() + bound_ms;
	accept_the_rest(server);
	stop_listening(server);

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
	{
		HttpConnection *next;

		for (HttpConnection *c = TAILQ_FIRST(&server->lists[states[i]]); c != NULL; c = next)
		{
			next = TAILQ_NEXT(c, link);
			if (http_connection_is_idle(c) && !has_unread(c))
				http_connection_close(c, "server is shutting down");
		}
	}
	while ((socket = TAILQ_FIRST(&server->lists[HTTP_CONNECTION_SOCKET])) != NULL)
		websocket_end(socket, WEBSOCKET_GOING_AWAY, "server is shutting down");
	if (server->connections == 0)
		event_active(server->tick, EV_TIMEOUT, 0);
}

void
http_server_free(HttpServer *server)
{
	stop_listening(server);
	close_all(server, "server stopped");
	if (server->tick != NULL)
		event_free(server->tick);
	http_output_stop(server);
	http_turns_stop(server);
	if (server->tls != NULL)
		http_tls_free(server->tls);
	if (server->peers != NULL)
		http_peers_free(server->peers);
	buffer_free(&server->answer_head.text);
	free(server);
}
