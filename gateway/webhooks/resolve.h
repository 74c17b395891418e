/*
 * resolve.h
 *		Names to addresses, on the loop.
 *
 * libevent asks the name servers of /etc/resolv.conf, and /etc/hosts before them; or one
 * name server that the operator names, and nothing else.  A name means itself: the search
 * list of resolv.conf is not tried.
 *
 * Every look-up goes out at once, so that names whose servers are silent hold up no others.
 * For some seconds the same asker is not asked again for a name that had no address
 * (negative_cache.h).
 */
#ifndef WEBHOOKS_RESOLVE_H
#define WEBHOOKS_RESOLVE_H

#include <stdbool.h>
#include <sys/socket.h>

#include "webhooks/negative_cache.h"

struct event_base;

/* Addresses of one name; a name with more is refused, since each has to be checked. */
#define RESOLVE_ADDRESSES_MAX 32

/* For one question to one server, and how often it is asked. */
#define RESOLVE_TRY_SECONDS "2"
#define RESOLVE_TRIES "2"

/*
 * What the owner of a webhook is told of a name without an address, and of one that leads
 * where webhooks may not: the same, or they could ask which names there are inside.
 */
#define RESOLVE_NOWHERE "the name leads to no address that is allowed"

typedef struct Resolver Resolver;
typedef struct Resolution Resolution;

/*
 * The addresses, without a port, or count 0 and a problem, a constant.  Called once for each
 * resolve_start(), from the loop or from within it.
 */
typedef void (*ResolveDone)(void *arg, const struct sockaddr_storage *addresses, int count,
							const char *problem);

/*
 * server is "ADDR" or "ADDR:PORT", or NULL; names is how many are looked up at once at most,
 * beyond which they wait for each other.  NULL: could not, or it is no address.
 */
extern Resolver *resolver_open(struct event_base *base, const char *server, int names);

/* No resolution may be under way. */
extern void resolver_close(Resolver *resolver);

/* Whether resolver_open() would take it for a server. */
extern bool resolver_is_server(const char *server);

/* Asks for a name.  NULL when done was called already. */
extern Resolution *resolve_start(Resolver *resolver, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
								 const char *name, ResolveDone done, void *arg);

/* The asker is gone: done will not be called. */
extern void resolve_abandon(Resolution *resolution);

/* The asker's time is over: the name counts as one without an address, and done is not called. */
extern void resolve_expire(Resolution *resolution);

#endif
