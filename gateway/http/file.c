/*
 * file.c
 *		A file that is sent as the body of an answer; see file.h.
 */
#include "http/file.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <unistd.h>

void
http_file_close(HttpFile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	*file = HTTP_NO_FILE;
}

/* Reads exactly len bytes. */
static bool
read_all(int fd, char *bytes, size_t len, uint64_t at)
{
	size_t done = 0;

	while (done < len)
	{
		ssize_t got = pread(fd, bytes + done, len - done, (off_t) (at + done));

		if (got == 0 || (got < 0 && errno != EINTR))
			return false;
		done += got > 0 ? (size_t) got : 0;
	}
	return true;
}

static void
free_piece(const void *data, size_t len, void *allocation)
{
	(void) data;
	(void) len;
	free(allocation);
}

/* Appends len bytes of the file. */
static bool
send_piece(const HttpFile *file, size_t len, struct evbuffer *output)
{
	char *bytes = malloc(len);

	if (bytes == NULL)
		return false;
	if (read_all(file->fd, bytes, len, file->at) &&
		evbuffer_add_reference(output, bytes, len, free_piece, bytes) == 0)
		return true;
	free(bytes);
	return false;
}

bool
http_file_send(HttpFile *file, struct evbuffer *output)
{
	size_t len = file->left < HTTP_FILE_PIECE ? (size_t) file->left : HTTP_FILE_PIECE;
	bool sent = len == 0 || send_piece(file, len, output);

	file->at += len;
	file->left -= len;
	if (!sent || file->left == 0)
		http_file_close(file);
	return sent;
}
