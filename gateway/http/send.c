/*
 * send.c
 *		Takes an answer to the socket.
 *
 * Without TLS the answer is given to the kernel at once, in one system call.
 * libevent would first ask the kernel to tell when the socket can be written,
 * and write in the next turn of the loop: three system calls.  What the
 * kernel does not take goes that way.
 *
 * libevent does not wipe what it has sent, and an answer may hold a new key.  So
 * it only ever gets references to memory that is wiped here when it lets go.
 */
#include "http/connection.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "src/common/memory.h"

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

/* libevent lets go of data, which is the end of what is used of the allocation. */
static void
wipe_and_free(const void *data, size_t len, void *allocation)
{
	wak_wipe(allocation, (size_t) ((const char *) data + len - (char *) allocation));
	free(allocation);
}

/* Queues a copy of two pieces, which go out as one. */
static bool
queue_copy(struct evbuffer *output, const char *first, size_t first_len, const char *second,
		   size_t second_len)
{
	size_t len = first_len + second_len;
	char *copy = len > 0 ? malloc(len) : NULL;

	if (copy == NULL)
		return len == 0;
	if (first_len > 0)
		memcpy(copy, first, first_len);
	if (second_len > 0)
		memcpy(copy + first_len, second, second_len);
	if (evbuffer_add_reference(output, copy, len, wipe_and_free, copy) == 0)
		return true;
	wipe_and_free(copy, len, copy);
	return false;
}

/* Queues what is left behind the bytes that were sent: a large body is moved, not copied. */
static bool
queue_rest(struct evbuffer *output, const Buffer *head, Buffer *body, size_t sent)
{
	size_t head_at = sent < head->len ? sent : head->len;
	size_t head_left = head->len - head_at;
	size_t body_at = sent - head_at;
	size_t body_left = body != NULL ? body->len - body_at : 0;

	if (body_left <= HTTP_ANSWER_COPY_MAX)
		return queue_copy(output, head->data + head_at, head_left,
						  body_left > 0 ? body->data + body_at : NULL, body_left);
	if (!queue_copy(output, head->data + head_at, head_left, NULL, 0) ||
		evbuffer_add_reference(output, body->data + body_at, body_left, wipe_and_free,
							   body->data) != 0)
		return false;
	buffer_init(body, body->max);
	return true;
}

HttpSendResult
http_connection_send(HttpConnection *connection, const Buffer *head, Buffer *body)
{
	struct evbuffer *output = bufferevent_get_output(connection->bev);
	size_t len = head->len + (body != NULL ? body->len : 0);
	size_t sent = 0;

	if (!connection->tls && evbuffer_get_length(output) == 0)
		sent = send_at_once(bufferevent_getfd(connection->bev), head, body);
	if (sent < len && !queue_rest(output, head, body, sent))
		return HTTP_SEND_FAILED;
	return evbuffer_get_length(output) == 0 ? HTTP_SENT : HTTP_QUEUED;
}
