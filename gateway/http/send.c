/*
 * send.c
 *		Gives bytes to a socket; see send.h.
 *
 * libevent does not wipe output that it has sent, so it gets references to memory that this
 * file wipes when libevent releases it.
 */
#include "http/send.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "src/common/memory.h"
#include "http/limits.h"

/* Sends what the kernel accepts; returns how much.  libevent's next write reports an error. */
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

/* libevent releases data.  The used bytes of the allocation end where data ends. */
static void
wipe_and_free(const void *data, size_t len, void *allocation)
{
	wak_wipe(allocation, (size_t) ((const char *) data + len - (char *) allocation));
	free(allocation);
}

/* Queues one copy of two pieces. */
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

bool
http_send_piece(struct evbuffer *output, const void *bytes, size_t len)
{
	return queue_copy(output, bytes, len, NULL, 0);
}

/* Queues what follows the bytes that were sent; moves a large body instead of copying it. */
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

/*
 * Without TLS the bytes are written at once, in one system call.  libevent would first wait
 * until the socket is writable and write in the next loop iteration, which takes three system
 * calls.  libevent sends only what the kernel does not accept at once.
 */
HttpSendResult
http_send(struct bufferevent *bev, bool at_once, const Buffer *head, Buffer *body)
{
	struct evbuffer *output = bufferevent_get_output(bev);
	size_t len = head->len + (body != NULL ? body->len : 0);
	size_t sent = 0;

	if (at_once && evbuffer_get_length(output) == 0)
		sent = send_at_once(bufferevent_getfd(bev), head, body);
	if (sent < len && !queue_rest(output, head, body, sent))
		return HTTP_SEND_FAILED;
	return evbuffer_get_length(output) == 0 ? HTTP_SENT : HTTP_QUEUED;
}
