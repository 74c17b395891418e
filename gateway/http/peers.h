/*
 * peers.h
 *		How many connections each client address has.
 *
 * An address is an IPv4 address or the /64 of an IPv6 address, since one
 * client usually has a whole /64 to itself.  Only addresses with an open
 * connection are kept, so the table is bounded by the connections.
 */
#ifndef HTTP_PEERS_H
#define HTTP_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct HttpPeers HttpPeers;

/* What two connections of one client have in common. */
typedef struct HttpPeerKey
{
	uint64_t network; /* the first 8 bytes of the address as IPv6 */
	uint64_t host;    /* the last 4 of an IPv4 address, else 0 */
} HttpPeerKey;

/* NULL when out of memory. */
extern HttpPeers *http_peers_create(void);
extern void http_peers_free(HttpPeers *peers);

extern HttpPeerKey http_peers_key(const struct sockaddr *address);

/* Counts a connection; false, and nothing counted, beyond max or without memory. */
extern bool http_peers_add(HttpPeers *peers, HttpPeerKey key, int max);

/* Takes back what http_peers_add() counted. */
extern void http_peers_remove(HttpPeers *peers, HttpPeerKey key);

extern bool http_peers_same(HttpPeerKey one, HttpPeerKey other);

/* The connections of an address, and of the one that has most, which is stored in *key. */
extern int http_peers_count(HttpPeers *peers, HttpPeerKey key);
extern int http_peers_most(const HttpPeers *peers, HttpPeerKey *key);

#endif
