/*
 * test_http_peers.c
 *		Connections counted by address.
 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "http/http_peers.h"

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
	ck_assert_int_eq(http_peers_count(peers), 2);
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

	for (uint64_t i = 0; i < 20000; i++)
		ck_assert(http_peers_add(peers, (HttpPeerKey){.network = i}, 1));
	ck_assert_int_eq(http_peers_count(peers), 20000);
	for (uint64_t i = 0; i < 20000; i++)
		http_peers_remove(peers, (HttpPeerKey){.network = i});
	ck_assert_int_eq(http_peers_count(peers), 0);
	http_peers_free(peers);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http_peers");
	TCase *cases = tcase_create("http_peers");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(cases, an_address_has_its_own_count);
	tcase_add_test(cases, a_network_of_ipv6_counts_as_one_and_a_mapped_address_as_ipv4);
	tcase_add_test(cases, addresses_without_a_connection_are_forgotten);
	suite_add_tcase(suite, cases);

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
