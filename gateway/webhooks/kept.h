/*
 * kept.h
 *		Connections that are kept for another request: has the other side closed one?
 *
 * curl looks at a kept connection before it uses it again, but since 8.22 not at one of the
 * last second (https://github.com/curl/curl/pull/22169).  A request on a connection that the
 * receiver has closed by then is lost, and a transfer makes no second one.  So each is looked
 * at here, too, at the moment at which the request would be sent.
 *
 * curl names a connection by its ends; a socket is known here from the end of a transfer that
 * leaves it open until curl closes it.
 */
#ifndef WEBHOOKS_KEPT_H
#define WEBHOOKS_KEPT_H

#include <stdbool.h>

#include <netinet/in.h>
#include <sys/socket.h>

/* More than curl keeps (TRANSFER_KEPT_MAX); of those that do not fit nothing is known. */
#define KEPT_MAX 256

/* Where a connection leads and where it comes from. */
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

/* Forgets a socket that is about to be closed, if it is known. */
extern void kept_remove(Kept *kept, int fd);

/*
 * Whether a connection with these ends is known, and closed by the other side or holding
 * something that nobody has asked for.
 */
extern bool kept_is_over(const Kept *kept, const char *remote, int remote_port, int local_port);

#endif
