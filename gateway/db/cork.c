/*
 * cork.c
 *		Collects what libpq sends; see cork.h.
 *
 * libpq writes with send() only, also under TLS.  So this file defines send() for the whole
 * program.  Outside of cork_begin() and cork_end() it does what the C library's send() does,
 * which is a sendto() without an address.
 */
#include "db/cork.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

#include <libpq-fe.h>

#include "src/common/memory.h"

/* The most bytes that wait; libpq's own buffer for output has the same limit. */
#define CORK_MAX INT_MAX

/* A larger buffer is freed when it is empty. */
#define CORK_KEPT (64 * 1024)

static _Thread_local Cork *corked = NULL;

void
cork_open(Cork *cork)
{
	*cork = (Cork){.left = 0};
	buffer_init(&cork->waiting, CORK_MAX);
}

void
cork_drop(Cork *cork)
{
	buffer_free(&cork->waiting);
	cork->left = 0;
}

void
cork_begin(Cork *cork)
{
	corked = cork;
}

void
cork_end(void)
{
	corked = NULL;
}

#ifndef LIBPQ_HAS_SEND_PIPELINE_SYNC
ssize_t
send(int socket, const void *bytes, size_t len, int flags)
{
	if (corked == NULL)
		return sendto(socket, bytes, len, flags, NULL, 0);
	if (buffer_append(&corked->waiting, bytes, len))
		return (ssize_t) len;
	errno = ENOMEM;
	return -1;
}
#endif

/* Everything has left. */
static void
empty(Cork *cork)
{
	if (cork->waiting.cap > CORK_KEPT)
		buffer_free(&cork->waiting);
	else
		wak_wipe(cork->waiting.data, cork->waiting.len);
	buffer_clear(&cork->waiting);
	cork->left = 0;
}

CorkResult
cork_flush(Cork *cork, int socket)
{
	while (cork->left < cork->waiting.len)
	{
		ssize_t sent = sendto(socket, cork->waiting.data + cork->left,
							  cork->waiting.len - cork->left, MSG_NOSIGNAL, NULL, 0);

		if (sent >= 0)
			cork->left += (size_t) sent;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			return CORK_FULL;
		else if (errno != EINTR)
		{
			cork_drop(cork);
			return CORK_BROKEN;
		}
	}
	empty(cork);
	return CORK_EMPTY;
}
