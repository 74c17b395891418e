/*
 * http_send.c
 *		Takes an answer to the socket.
 *
 * Without TLS the answer is given to the kernel at once, in one system call.
 * libevent would first ask the kernel to tell when the socket can be written,
 * and write in the next turn of the loop: three system calls.  What the
 * kernel does not take goes that way.
 */
#include "http/http_connection.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Sends what the kernel takes; returns how much.  An error shows again in libevent's own try. */
static size_t
send_at_once(int fd, const Buffer *head, const Buffer *body)
{
	struct iovec parts[2] = {
		{.iov_base = head->data, .iov_len = head->len},
	};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 1};
	ssize_t sent;

	if (body != NULL && body->len > 0)
	{
		parts[1] = (struct iovec){.iov_base = body->data, .iov_len = body->len};
		message.msg_iovlen = 2;
	}
	sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent > 0 ? (size_t) sent : 0;
}

static void
free_body(const void *data, size_t len, void *allocation)
{
	(void) data;
	(void) len;
	free(allocation);
}

/* Queues the body from offset on: a copy of a small one, the memory itself of a large one. */
static void
queue_body(struct evbuffer *output, Buffer *body, size_t offset)
{
	size_t left = body->len - offset;

	if (left <= HTTP_ANSWER_COPY_MAX)
		evbuffer_add(output, body->data + offset, left);
	else if (evbuffer_add_reference(output, body->data + offset, left, free_body, body->data) == 0)
		buffer_init(body, body->max);
}

bool
http_connection_send(HttpConnection *connection, const Buffer *head, Buffer *body)
{
	struct evbuffer *output = bufferevent_get_output(connection->bev);
	size_t sent = 0;

	if (!connection->tls && evbuffer_get_length(output) == 0)
		sent = send_at_once(bufferevent_getfd(connection->bev), head, body);
	if (sent < head->len)
		evbuffer_add(output, head->data + sent, head->len - sent);
	if (body != NULL && sent < head->len + body->len)
		queue_body(output, body, sent > head->len ? sent - head->len : 0);
	return evbuffer_get_length(output) == 0;
}
