/*
 * kept.c
 *		Finds out whether the other side has closed a connection that is kept for reuse.
 */
#include "client/kept.h"

#include <errno.h>
#include <string.h>

#include <arpa/inet.h>

/*
 * The port of an address, and in text, if it is not NULL, the address.  -1: it is not IPv4
 * or IPv6.
 */
static int
read_address(const struct sockaddr_storage *address, char *text)
{
	const struct sockaddr_in *v4 = (const void *) address;
	const struct sockaddr_in6 *v6 = (const void *) address;
	bool is_v4 = address->ss_family == AF_INET;
	const void *bytes = is_v4 ? (const void *) &v4->sin_addr : (const void *) &v6->sin6_addr;

	if ((!is_v4 && address->ss_family != AF_INET6) ||
		(text != NULL && inet_ntop(address->ss_family, bytes, text, INET6_ADDRSTRLEN) == NULL))
		return -1;
	return ntohs(is_v4 ? v4->sin_port : v6->sin6_port);
}

static bool
read_ends(int fd, KeptEnds *ends)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof(address);

	if (getpeername(fd, (struct sockaddr *) &address, &size) != 0)
		return false;
	ends->remote_port = read_address(&address, ends->remote);
	size = sizeof(address);
	if (getsockname(fd, (struct sockaddr *) &address, &size) != 0)
		return false;
	ends->local_port = read_address(&address, NULL);
	return ends->remote_port >= 0 && ends->local_port >= 0;
}

/* A connection that the other side has reset has no peer address, and need not be noted. */
void
kept_add(Kept *kept, int fd)
{
	kept_remove(kept, fd);
	if (kept->count < KEPT_MAX && read_ends(fd, &kept->ends[kept->count]))
		kept->fds[kept->count++] = fd;
}

void
kept_remove(Kept *kept, int fd)
{
	for (int i = 0; i < kept->count; i++)
		if (kept->fds[i] == fd)
		{
			kept->count--;
			kept->fds[i] = kept->fds[kept->count];
			kept->ends[i] = kept->ends[kept->count];
			return;
		}
}

/* Whether the other side has closed it, or has sent bytes that answer no request. */
static bool
is_over(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
		   (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool
kept_is_over(const Kept *kept, const char *remote, int remote_port, int local_port)
{
	for (int i = 0; i < kept->count; i++)
		if (kept->ends[i].local_port == local_port && kept->ends[i].remote_port == remote_port &&
			strcmp(kept->ends[i].remote, remote) == 0)
			return is_over(kept->fds[i]);
	return false;
}
