/*
 * test_http_peers.c
 *		Connections counted by address.
 */
#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "http/peers.h"
#include "tests/unit/suite.h"

static HttpPeerKey
key_of(const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return http_peers_key((struct sockaddr *) &v4);
	ck_assert_int_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return http_peers_key((struct sockaddr *) &v6);
}

START_TEST(an_address_has_its_own_count)
{
	HttpPeers *peers = http_peers_create();

	ck_assert(http_peers_add(peers, key_of("10.0.0.1"), 2));
	ck_assert(http_peers_add(peers, key_of("10.0.0.1"), 2));
	ck_assert(!http_peers_add(peers, key_of("10.0.0.1"), 2));
	ck_assert(http_peers_add(peers, key_of("10.0.0.2"), 2));
	http_peers_remove(peers, key_of("10.0.0.1"));
	ck_assert(http_peers_add(peers, key_of("10.0.0.1"), 2));
	http_peers_free(peers);
}
END_TEST

START_TEST(a_network_of_ipv6_counts_as_one_and_a_mapped_address_as_ipv4)
{
	HttpPeers *peers = http_peers_create();

	ck_assert(http_peers_add(peers, key_of("2001:db8:0:1::1"), 1));
	ck_assert(!http_peers_add(peers, key_of("2001:db8:0:1:ffff::2"), 1));
	ck_assert(http_peers_add(peers, key_of("2001:db8:0:2::1"), 1));
	ck_assert(http_peers_add(peers, key_of("10.0.0.1"), 1));
	ck_assert(!http_peers_add(peers, key_of("::ffff:10.0.0.1"), 1));
	http_peers_free(peers);
}
END_TEST

START_TEST(addresses_without_a_connection_are_forgotten)
{
	HttpPeers *peers = http_peers_create();
	size_t before = mallinfo2().uordblks;

	for (uint64_t i = 0; i < 20000; i++)
		ck_assert(http_peers_add(peers, (HttpPeerKey){.network = i}, 1));
	for (uint64_t i = 0; i < 20000; i++)
		http_peers_remove(peers, (HttpPeerKey){.network = i});
	/* the allocator keeps a few blocks at hand; with a sanitizer it does not count at all */
	ck_assert_uint_le(mallinfo2().uordblks, before + 1000);
	http_peers_free(peers);
}
END_TEST

START_TEST(the_address_with_most_bytes_is_found)
{
	HttpPeers *peers = http_peers_create();
	HttpPeerKey most;

	ck_assert(http_peers_add(peers, key_of("10.0.0.1"), 2));
	ck_assert(http_peers_add(peers, key_of("10.0.0.2"), 2));
	ck_assert(!http_peers_most_bytes(peers, &most));
	http_peers_add_bytes(peers, key_of("10.0.0.1"), 10);
	http_peers_add_bytes(peers, key_of("10.0.0.2"), 20);
	ck_assert(http_peers_most_bytes(peers, &most));
	ck_assert(http_peers_same(most, key_of("10.0.0.2")));
	http_peers_add_bytes(peers, key_of("10.0.0.2"), -15);
	ck_assert(http_peers_most_bytes(peers, &most));
	ck_assert(http_peers_same(most, key_of("10.0.0.1")));
	http_peers_add_bytes(peers, key_of("10.0.0.1"), -10);
	http_peers_add_bytes(peers, key_of("10.0.0.2"), -5);
	ck_assert(!http_peers_most_bytes(peers, &most));
	/* of whom there is no connection nothing is kept */
	http_peers_add_bytes(peers, key_of("10.0.0.3"), 10);
	ck_assert(!http_peers_most_bytes(peers, &most));
	http_peers_free(peers);
}
END_TEST

START_TEST(the_address_with_most_connections_is_found)
{
	HttpPeers *peers = http_peers_create();
	HttpPeerKey most = {0};

	ck_assert_int_eq(http_peers_most(peers, &most), 0);
	for (int i = 0; i < 3; i++)
		http_peers_add(peers, key_of("10.0.0.1"), 10);
	for (int i = 0; i < 2; i++)
		http_peers_add(peers, key_of("2001:db8:0:1::1"), 10);
	ck_assert_int_eq(http_peers_most(peers, &most), 3);
	ck_assert(http_peers_same(most, key_of("10.0.0.1")));
	http_peers_remove(peers, key_of("10.0.0.1"));
	http_peers_remove(peers, key_of("10.0.0.1"));
	ck_assert_int_eq(http_peers_most(peers, &most), 2);
	ck_assert(http_peers_same(most, key_of("2001:db8:0:1::2")));
	ck_assert_int_eq(http_peers_count(peers, key_of("10.0.0.1")), 1);
	ck_assert_int_eq(http_peers_count(peers, key_of("10.0.0.2")), 0);
	http_peers_free(peers);
}
END_TEST

SUITE("http_peers", an_address_has_its_own_count,
	  a_network_of_ipv6_counts_as_one_and_a_mapped_address_as_ipv4,
	  addresses_without_a_connection_are_forgotten, the_address_with_most_bytes_is_found,
	  the_address_with_most_connections_is_found)
