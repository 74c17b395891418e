/*
 * input.c
 *		The input of a connection; see input.h.
 *
 * The connection's own buffer is that of its bufferevent, whose input side libevent uses for
 * TLS only.  Bytes in this buffer come before the fresh ones, so while there are any, fresh
 * bytes are appended to it at once.
 */
#include "http/input.h"

#include <errno.h>
#include <event2/buffer.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/common/memory.h"
#include "http/server.h"
#include "http/turns.h"

static struct evbuffer *
kept_of(const HttpConnection *connection)
{
	return bufferevent_get_input(connection->bev);
}

/* The fresh input, if it is this connection's, else NULL. */
static HttpFreshInput *
fresh_of(const HttpConnection *connection)
{
	HttpFreshInput *fresh = &connection->server->fresh;

	return fresh->connection == connection ? fresh : NULL;
}

static void
drain_fresh(HttpFreshInput *fresh, size_t len)
{
	fresh->at += len;
	fresh->len -= len;
	if (fresh->len == 0)
		fresh->connection = NULL;
}

/* Moves the fresh input into the connection's buffer.  False: out of memory. */
static bool
keep(HttpConnection *connection, HttpFreshInput *fresh)
{
	bool kept = evbuffer_add(kept_of(connection), fresh->at, fresh->len) == 0;

	wak_wipe(fresh->at, fresh->len);
	drain_fresh(fresh, fresh->len);
	return kept;
}

static void
take(HttpConnection *connection, HttpFreshInput *fresh, size_t len)
{
	bool kept = true;

	fresh->connection = connection;
	fresh->at = fresh->bytes;
	fresh->len = len;
	if (evbuffer_get_length(kept_of(connection)) > 0)
		kept = keep(connection, fresh);
	if (kept)
		http_connection_input_came(connection);
	/* When the connection was freed, its fresh input was dropped. */
	if (fresh->connection == connection)
		kept = keep(connection, fresh);
	if (!kept)
		http_connection_close(connection, "out of memory");
}

/*
 * While the connection waits for its turn its socket stays readable.  The second time that the
 * loop reports this it is told to stop, so that the loop's work does not grow with the number
 * of those that wait.
 */
static void
on_readable(evutil_socket_t fd, short what, void *context)
{
	HttpConnection *connection = context;

	(void) fd;
	(void) what;
	if (connection->unread)
		event_del(connection->readable);
	connection->unread = true;
	http_turns_join(connection);
}

void
http_input_read(HttpConnection *connection)
{
	HttpFreshInput *fresh = &connection->server->fresh;
	ssize_t len =
		recv(bufferevent_getfd(connection->bev), fresh->bytes, sizeof(fresh->bytes), MSG_DONTWAIT);

	connection->unread = false;
	event_add(connection->readable, NULL);
	if (len > 0)
	{
		take(connection, fresh, (size_t) len);
		return;
	}
	if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	event_del(connection->readable);
	http_connection_input_ended(connection, len < 0);
}

bool
http_input_open(HttpConnection *connection, int fd)
{
	/* Without TLS libevent only writes, which is enabled from the beginning. */
	if (!connection->tls)
		evbuffer_unfreeze(kept_of(connection), 0);
	connection->readable =
		event_new(connection->server->base, fd, EV_READ | EV_PERSIST, on_readable, connection);
	if (connection->readable == NULL && connection->tls)
		close(fd);
	return connection->readable != NULL && event_add(connection->readable, NULL) == 0;
}

int
http_input_fd(const HttpConnection *connection)
{
	return connection->readable != NULL ? event_get_fd(connection->readable)
										: bufferevent_getfd(connection->bev);
}

void
http_input_begin_tls(HttpConnection *connection)
{
	int fd = http_input_fd(connection);

	event_free(connection->readable);
	connection->readable = NULL;
	connection->unread = false;
	if (bufferevent_setfd(connection->bev, fd) != 0 ||
		bufferevent_enable(connection->bev, EV_READ | EV_WRITE) != 0)
		http_connection_close(connection, "out of memory");
}

void
http_input_close(HttpConnection *connection)
{
	http_input_discard(connection);
	if (connection->readable == NULL)
		return;
	if (connection->tls)
		close(http_input_fd(connection));
	event_free(connection->readable);
	connection->readable = NULL;
}

void
http_input_pause(HttpConnection *connection, bool pause)
{
	if (connection->readable == NULL && pause)
		bufferevent_disable(connection->bev, EV_READ);
	else if (connection->readable == NULL)
		bufferevent_enable(connection->bev, EV_READ);
	else if (pause)
		event_del(connection->readable);
	else
		event_add(connection->readable, NULL);
}

size_t
http_input_len(const HttpConnection *connection)
{
	const HttpFreshInput *fresh = fresh_of(connection);

	return evbuffer_get_length(kept_of(connection)) + (fresh != NULL ? fresh->len : 0);
}

bool
http_input_first(const HttpConnection *connection, struct iovec *piece)
{
	const HttpFreshInput *fresh = fresh_of(connection);
	struct evbuffer_iovec first;

	if (evbuffer_peek(kept_of(connection), -1, NULL, &first, 1) > 0 && first.iov_len > 0)
		*piece = (struct iovec){.iov_base = first.iov_base, .iov_len = first.iov_len};
	else if (fresh != NULL)
		*piece = (struct iovec){.iov_base = fresh->at, .iov_len = fresh->len};
	else
		return false;
	return true;
}

void
http_input_drain(HttpConnection *connection, void *bytes, size_t len)
{
	HttpFreshInput *fresh = fresh_of(connection);

	wak_wipe(bytes, len);
	if (fresh != NULL && bytes == fresh->at)
		drain_fresh(fresh, len);
	else
		evbuffer_drain(kept_of(connection), len);
}

size_t
http_input_discard(HttpConnection *connection)
{
	size_t len = http_input_len(connection);
	struct iovec piece;

	while (http_input_first(connection, &piece))
		http_input_drain(connection, piece.iov_base, piece.iov_len);
	return len;
}
