/*
 * peers.c
 *		Counts what each client address has; see peers.h.
 *
 * The table is a hash table with chains.  The hash is keyed with a random number, so that an
 * attacker cannot choose addresses that fall into the same chain.
 */
#include "http/peers.h"

#include <event2/util.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096 /* a power of two; chains stay short up to some 10,000 addresses */

typedef struct Peer
{
	HttpPeerKey key;
	int connections;
	size_t bytes;
	struct Peer *next;
} Peer;

struct HttpPeers
{
	uint64_t seed[2];
	Peer *buckets[BUCKETS];
};

HttpPeers *
http_peers_create(void)
{
	HttpPeers *peers = calloc(1, sizeof(*peers));

	if (peers != NULL)
		evutil_secure_rng_get_bytes(peers->seed, sizeof(peers->seed));
	return peers;
}

void
http_peers_free(HttpPeers *peers)
{
	for (int i = 0; i < BUCKETS; i++)
	{
		while (peers->buckets[i] != NULL)
		{
			Peer *peer = peers->buckets[i];

			peers->buckets[i] = peer->next;
			free(peer);
		}
	}
	free(peers);
}

HttpPeerKey
http_peers_key(const struct sockaddr *address)
{
	HttpPeerKey key = {0};

	if (address->sa_family == AF_INET)
		key.host = ((const struct sockaddr_in *) address)->sin_addr.s_addr;
	else if (address->sa_family == AF_INET6)
	{
		const struct in6_addr *bytes = &((const struct sockaddr_in6 *) address)->sin6_addr;
		uint32_t last;

		if (IN6_IS_ADDR_V4MAPPED(bytes))
		{
			memcpy(&last, bytes->s6_addr + 12, sizeof(last));
			key.host = last;
		}
		else
			memcpy(&key.network, bytes->s6_addr, sizeof(key.network));
	}
	return key;
}

bool
http_peers_same(HttpPeerKey one, HttpPeerKey other)
{
	return one.network == other.network && one.host == other.host;
}

/* Multiplies, and folds the 128-bit product into 64 bits. */
static uint64_t
mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128) a * b;

	return (uint64_t) product ^ (uint64_t) (product >> 64);
}

static uint64_t
hash_of(uint64_t one, uint64_t other, HttpPeerKey key)
{
	return mix(mix(key.network ^ one, other | 1) ^ key.host, one | 1);
}

/* Two hashes, because a key of the fair queue must not be predictable. */
FairOwner
http_peers_owner(const HttpPeers *peers, HttpPeerKey key)
{
	uint64_t hashes[2] = {hash_of(peers->seed[0], peers->seed[1], key),
						  hash_of(peers->seed[1], peers->seed[0], key)};
	FairOwner owner = {.class = FAIR_ADDRESS};

	memcpy(owner.group.bytes, hashes, FAIR_KEY_SIZE);
	owner.flow = owner.group;
	return owner;
}

/* The link that points to the key's peer, or the end of its chain. */
static Peer **
find(HttpPeers *peers, HttpPeerKey key)
{
	uint64_t hash = hash_of(peers->seed[0], peers->seed[1], key);
	Peer **link = &peers->buckets[hash & (BUCKETS - 1)];

	while (*link != NULL && !http_peers_same((*link)->key, key))
		link = &(*link)->next;
	return link;
}

bool
http_peers_add(HttpPeers *peers, HttpPeerKey key, int max)
{
	Peer **link = find(peers, key);

	if (*link == NULL)
	{
		Peer *peer = max > 0 ? calloc(1, sizeof(*peer)) : NULL;

		if (peer == NULL)
			return false;
		peer->key = key;
		*link = peer;
	}
	else if ((*link)->connections >= max)
		return false;
	(*link)->connections++;
	return true;
}

void
http_peers_remove(HttpPeers *peers, HttpPeerKey key)
{
	Peer **link = find(peers, key);
	Peer *peer = *link;

	if (peer == NULL || --peer->connections > 0)
		return;
	*link = peer->next;
	free(peer);
}

int
http_peers_count(HttpPeers *peers, HttpPeerKey key)
{
	const Peer *peer = *find(peers, key);

	return peer == NULL ? 0 : peer->connections;
}

int
http_peers_most(const HttpPeers *peers, HttpPeerKey *key)
{
	int most = 0;

	for (int i = 0; i < BUCKETS; i++)
	{
		for (const Peer *peer = peers->buckets[i]; peer != NULL; peer = peer->next)
		{
			if (peer->connections > most)
			{
				most = peer->connections;
				*key = peer->key;
			}
		}
	}
	return most;
}

void
http_peers_add_bytes(HttpPeers *peers, HttpPeerKey key, ssize_t bytes)
{
	Peer *peer = *find(peers, key);

	if (peer != NULL)
		peer->bytes += (size_t) bytes;
}

bool
http_peers_most_bytes(const HttpPeers *peers, HttpPeerKey *key)
{
	size_t most = 0;

	for (int i = 0; i < BUCKETS; i++)
	{
		for (const Peer *peer = peers->buckets[i]; peer != NULL; peer = peer->next)
		{
			if (peer->bytes > most)
			{
				most = peer->bytes;
				*key = peer->key;
			}
		}
	}
	return most > 0;
}
