/*
 * token.c
 *		Reads a user token from its file; see token.h.
 */
#include "cli/token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/common/memory.h"

#define NO_TOKEN "it has no user token (wau_...)"

static const char *
check_file(int file)
{
	struct stat status;

	if (fstat(file, &status) != 0)
		return strerror(errno);
	if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
		return "it is no file";
	if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "others may read or change it: chmod 600 it";
	return NULL;
}

static const char *
read_token(int file, char token[TOKEN_FILE_MAX + 1])
{
	size_t len = 0;
	ssize_t got = 1;
	WakKind kind;

	while (got != 0 && len <= TOKEN_FILE_MAX)
	{
		got = read(file, token + len, TOKEN_FILE_MAX + 1 - len);
		if (got < 0 && errno != EINTR)
			return strerror(errno);
		len += got > 0 ? (size_t) got : 0;
	}
	while (len > 0 && (token[len - 1] == '\n' || token[len - 1] == '\r'))
		len--;
	if (len > TOKEN_FILE_MAX || wak_check(token, len, &kind) != WAK_OK || kind != WAK_USER_TOKEN)
		return NO_TOKEN;
	token[len] = '\0';
	return NULL;
}

const char *
token_read(const char *path, char token[TOKEN_FILE_MAX + 1])
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	const char *problem;

	if (file < 0)
		return strerror(errno);
	problem = check_file(file);
	if (problem == NULL)
		problem = read_token(file, token);
	if (problem != NULL)
		wak_wipe(token, TOKEN_FILE_MAX + 1);
	close(file);
	return problem;
}
