/*
 * resolve.h
 *		Looks up the addresses of names, on the loop.
 *
 * libevent looks into /etc/hosts, then asks the name servers of /etc/resolv.conf.  If the
 * operator has named a name server, only that one is used.  A name is looked up as it is,
 * without the search list of resolv.conf.
 *
 * All look-ups run at the same time, so names whose servers do not answer delay no others.
 * A name that had no address is not asked for again by the same organization for a moment
 * (negative_cache.h).
 */
#ifndef CLIENT_RESOLVE_H
#define CLIENT_RESOLVE_H

#include <stdbool.h>
#include <sys/socket.h>

#include "client/negative_cache.h"

struct event_base;

/* The most addresses of one name.  A name with more is refused, since each has to be checked. */
#define RESOLVE_ADDRESSES_MAX 32

/* The time for one question to one server, and how often it is asked. */
#define RESOLVE_TRY_SECONDS "2"
#define RESOLVE_TRIES "2"

/*
 * What is told to whoever gave the name when the name has no address, and also when it has one
 * that is not allowed.  With two texts the owner could find out which names exist in the
 * operator's network.
 */
#define RESOLVE_NOWHERE "the name leads to no address that is allowed"

/* What is said when there is no answer in time. */
#define RESOLVE_LATE "the name could not be resolved in time"

typedef struct Resolver Resolver;
typedef struct Resolution Resolution;

/*
 * Gets the addresses, without a port; or count is 0 and problem is a constant text.  It is
 * called once for each resolve_start(), from the loop or from within it.
 */
typedef void (*ResolveDone)(void *arg, const struct sockaddr_storage *addresses, int count,
							const char *problem);

/*
 * server is "ADDR", "ADDR:PORT" or NULL.  names is the number of names that are looked up
 * at once; further ones wait.  Returns NULL on failure, or when server is not an address.
 */
extern Resolver *resolver_open(struct event_base *base, const char *server, int names);

/* To be called when no resolution is under way. */
extern void resolver_close(Resolver *resolver);

/* Whether resolver_open() would accept it as a server. */
extern bool resolver_is_server(const char *server);

/* Looks a name up.  Returns NULL when done was called already. */
extern Resolution *resolve_start(Resolver *resolver, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
								 const char *name, ResolveDone done, void *arg);

/* To be called when nobody waits for the result any more.  done will not be called. */
extern void resolve_abandon(Resolution *resolution);

/*
 * To be called when the time is over.  The name is remembered as one without an address;
 * done is not called.
 */
extern void resolve_expire(Resolution *resolution);

#endif
