/*
 * kept.h
 *		Finds out whether the other side has closed a connection that is kept for reuse.
 *
 * curl checks a kept connection before it reuses it, but since 8.22 not if the connection
 * was used within the last second (https://github.com/curl/curl/pull/22169).  If the
 * receiver has closed such a connection, the request on it is lost, and a transfer sends no
 * second one.  Therefore each connection is checked here too, just before the request would
 * be sent.
 *
 * curl identifies a connection by its two addresses.  A socket is noted here at the end of
 * a transfer that leaves it open, and removed when curl closes it.
 */
#ifndef CLIENT_KEPT_H
#define CLIENT_KEPT_H

#include <stdbool.h>

#include <netinet/in.h>
#include <sys/socket.h>

/* More than curl keeps (TRANSFER_KEPT_MAX).  Sockets beyond it are not noted. */
#define KEPT_MAX 256

/* The two ends of a connection. */
typedef struct KeptEnds
{
	char remote[INET6_ADDRSTRLEN];
	int remote_port;
	int local_port;
} KeptEnds;

typedef struct Kept
{
	int fds[KEPT_MAX];
	KeptEnds ends[KEPT_MAX];
	int count;
} Kept;

/* Notes an open socket. */
extern void kept_add(Kept *kept, int fd);

/* Removes a socket that is about to be closed, if it was noted. */
extern void kept_remove(Kept *kept, int fd);

/*
 * Whether a connection with these ends was noted, and either the other side has closed it
 * or it holds bytes that nobody has asked for.
 */
extern bool kept_is_over(const Kept *kept, const char *remote, int remote_port, int local_port);

#endif
