/*
 * input.c
 *		Reads a whole file, or standard input; see input.h.
 */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PART_MAX 65536

static const char *
read_all(int input, Buffer *out)
{
	ssize_t got = 1;

	while (got != 0)
	{
		if (!buffer_reserve(out, PART_MAX))
			return "it is larger than 64 MiB";
		got = read(input, out->data + out->len, PART_MAX);
		if (got < 0 && errno != EINTR)
			return strerror(errno);
		if (got > 0)
			out->len += (size_t) got;
	}
	out->data[out->len] = '\0';
	return memchr(out->data, '\0', out->len) == NULL ? NULL : "it is not text";
}

const char *
input_read(const char *path, Buffer *out)
{
	int input = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	const char *problem;

	if (input < 0)
		return strerror(errno);
	problem = read_all(input, out);
	if (input != STDIN_FILENO)
		close(input);
	return problem;
}
