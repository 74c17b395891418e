/*
 * peers.h
 *		Counts the connections of each client address, and the bytes of its request bodies.
 *
 * An address is an IPv4 address or the /64 of an IPv6 address, because one client usually has
 * a whole /64.  Only addresses with an open connection are kept, so the table is not larger
 * than the number of connections.
 */
#ifndef HTTP_PEERS_H
#define HTTP_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "lib/fair_queue.h"

typedef struct HttpPeers HttpPeers;

/* Identifies a client: equal for all of its connections. */
typedef struct HttpPeerKey
{
	uint64_t network; /* the first 8 bytes of the address as IPv6 */
	uint64_t host;    /* the 4 bytes of an IPv4 address, else 0 */
} HttpPeerKey;

/* NULL when out of memory. */
extern HttpPeers *http_peers_create(void);
extern void http_peers_free(HttpPeers *peers);

extern HttpPeerKey http_peers_key(const struct sockaddr *address);

/* Counts a connection.  False: not counted, because of max or because memory ran out. */
extern bool http_peers_add(HttpPeers *peers, HttpPeerKey key, int max);

/* Undoes one http_peers_add(). */
extern void http_peers_remove(HttpPeers *peers, HttpPeerKey key);

/* The address as an owner of turns (turns.h). */
extern FairOwner http_peers_owner(const HttpPeers *peers, HttpPeerKey key);

extern bool http_peers_same(HttpPeerKey one, HttpPeerKey other);

/* The number of connections of an address, and of the address with most, stored in *key. */
extern int http_peers_count(HttpPeers *peers, HttpPeerKey key);
extern int http_peers_most(const HttpPeers *peers, HttpPeerKey *key);

/* Adds to the bytes of an address that has a connection; a negative number takes them away. */
extern void http_peers_add_bytes(HttpPeers *peers, HttpPeerKey key, ssize_t bytes);

/* The address with most bytes.  False: none has any. */
extern bool http_peers_most_bytes(const HttpPeers *peers, HttpPeerKey *key);

#endif
