/*
 * test_client_egress.c
 *		Where a webhook may lead: addresses, ranges, and URLs that only look harmless.
 */
#include <arpa/inet.h>
#include <string.h>

#include "tests/unit/suite.h"
#include "client/egress.h"

static const EgressRules internet = {.count = 0};

static struct sockaddr_storage
address_of(const char *text)
{
	struct sockaddr_storage address = {0};
	struct sockaddr_in *v4 = (void *) &address;
	struct sockaddr_in6 *v6 = (void *) &address;

	if (strchr(text, ':') == NULL)
	{
		address.ss_family = AF_INET;
		ck_assert_msg(inet_pton(AF_INET, text, &v4->sin_addr) == 1, "%s", text);
	}
	else
	{
		address.ss_family = AF_INET6;
		ck_assert_msg(inet_pton(AF_INET6, text, &v6->sin6_addr) == 1, "%s", text);
	}
	return address;
}

static bool
allows(const EgressRules *rules, const char *text)
{
	struct sockaddr_storage address = address_of(text);

	return egress_allows(rules, (const struct sockaddr *) &address);
}

START_TEST(global_addresses_are_allowed)
{
	static const char *const global[] = {
		"1.1.1.1",         "8.8.8.8",         "9.255.255.255",  "11.0.0.0",       "100.63.255.255",
		"100.128.0.0",     "126.255.255.255", "128.0.0.0",      "168.63.129.15",  "168.63.129.17",
		"169.253.255.255", "169.255.0.0",     "172.15.255.255", "172.32.0.0",     "192.0.1.0",
		"192.0.3.0",       "192.167.255.255", "192.169.0.0",    "198.17.255.255", "198.20.0.0",
		"223.255.255.255", "2000::",          "2001:200::1",    "2001:db7::1",    "2001:db9::1",
		"2003::1",         "2606:4700::1111", "3ffe::1",        "3fff:1000::1"};

	for (size_t i = 0; i < sizeof(global) / sizeof(global[0]); i++)
		ck_assert_msg(allows(&internet, global[i]), "%s", global[i]);
}
END_TEST

/* The first and the last of each range, and the ways to write an IPv4 address as IPv6. */
START_TEST(special_addresses_are_refused)
{
	static const char *const special[] = {"0.0.0.0",
										  "0.255.255.255",
										  "10.0.0.0",
										  "10.255.255.255",
										  "100.64.0.0",
										  "100.100.100.200",
										  "100.127.255.255",
										  "127.0.0.1",
										  "127.255.255.255",
										  "168.63.129.16",
										  "169.254.0.0",
										  "169.254.169.254",
										  "169.254.255.255",
										  "172.16.0.0",
										  "172.31.255.255",
										  "192.0.0.0",
										  "192.0.0.192",
										  "192.0.2.255",
										  "192.88.99.1",
										  "192.168.0.0",
										  "192.168.255.255",
										  "198.18.0.0",
										  "198.19.255.255",
										  "198.51.100.7",
										  "203.0.113.7",
										  "224.0.0.1",
										  "239.255.255.255",
										  "240.0.0.0",
										  "255.255.255.255",
										  "::",
										  "::1",
										  "::7f00:1",
										  "::ffff:127.0.0.1",
										  "::ffff:8.8.8.8",
										  "::ffff:0:127.0.0.1",
										  "64:ff9b::127.0.0.1",
										  "64:ff9b::8.8.8.8",
										  "64:ff9b:1::1",
										  "100::1",
										  "2001::1",
										  "2001:0:7f00:1::",
										  "2001:2::1",
										  "2001:10::1",
										  "2001:20::1",
										  "2001:1ff:ffff::1",
										  "2001:db8::1",
										  "2002:7f00:1::1",
										  "2002:808:808::1",
										  "3fff::1",
										  "3fff:fff::1",
										  "4000::1",
										  "5f00::1",
										  "fc00::1",
										  "fd00:ec2::254",
										  "fe80::1",
										  "fec0::1",
										  "ff02::1",
										  "ff0e::1"};

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		ck_assert_msg(!allows(&internet, special[i]), "%s", special[i]);
}
END_TEST

START_TEST(other_families_are_refused)
{
	struct sockaddr_storage address = {.ss_family = AF_UNIX};
	EgressRules all = {.count = 0};

	ck_assert(egress_allow(&all, "0.0.0.0/0"));
	ck_assert(!egress_allows(&all, (const struct sockaddr *) &address));
}
END_TEST

START_TEST(an_operator_allows_ranges_and_no_more)
{
	EgressRules rules = {.count = 0};

	ck_assert(egress_allow(&rules, "10.1.0.0/17"));
	ck_assert(egress_allow(&rules, "127.0.0.1"));
	ck_assert(egress_allow(&rules, "fd00:1::/33"));
	ck_assert(allows(&rules, "10.1.0.1") && allows(&rules, "10.1.127.255"));
	ck_assert(!allows(&rules, "10.1.128.0") && !allows(&rules, "10.0.255.255"));
	ck_assert(allows(&rules, "127.0.0.1") && !allows(&rules, "127.0.0.2"));
	ck_assert(allows(&rules, "fd00:1:7fff::1") && !allows(&rules, "fd00:1:8000::1"));
	ck_assert(!allows(&rules, "::ffff:127.0.0.1"));
	ck_assert(allows(&rules, "8.8.8.8"));
}
END_TEST

START_TEST(what_is_no_range_is_refused)
{
	static const char *const wrong[] = {"",
										"10",
										"10.0.0.0/",
										"10.0.0.0/33",
										"10.0.0/8",
										"10.0.0.0/-1",
										"10.0.0.0/8 ",
										"10.0.0.0/8/8",
										"localhost",
										"::/129",
										"fe80::1%eth0",
										"010.0.0.0/8",
										"10.0.0.0/0x8"};
	EgressRules rules = {.count = 0};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!egress_allow(&rules, wrong[i]), "%s", wrong[i]);
	for (int i = 0; i < EGRESS_ALLOWED_MAX; i++)
		ck_assert(egress_allow(&rules, "10.0.0.0/8"));
	ck_assert(!egress_allow(&rules, "10.0.0.0/8"));
}
END_TEST

static void
is_target(const char *url, const char *host, int port, bool tls, EgressHost kind)
{
	EgressTarget target;
	const char *problem = egress_parse(url, &target);

	ck_assert_msg(problem == NULL, "%s: %s", url, problem);
	ck_assert_str_eq(target.host, host);
	ck_assert_int_eq(target.port, port);
	ck_assert_int_eq(target.tls, tls);
	ck_assert_int_eq(target.kind, kind);
}

START_TEST(a_url_names_a_target)
{
	is_target("http://example.com", "example.com", 80, false, EGRESS_NAME);
	is_target("HTTPS://Example.COM/Path?q=http://x@y/", "example.com", 443, true, EGRESS_NAME);
	is_target("https://a.example:8443?x", "a.example", 8443, true, EGRESS_NAME);
	is_target("http://my_service:3000/", "my_service", 3000, false, EGRESS_NAME);
	is_target("http://xn--bcher-kva.example/", "xn--bcher-kva.example", 80, false, EGRESS_NAME);
	is_target("http://1.example/", "1.example", 80, false, EGRESS_NAME);
	is_target("http://8.8.8.8:65535/", "8.8.8.8", 65535, false, EGRESS_ADDRESS);
	is_target("http://[2606:4700::1111]/", "2606:4700::1111", 80, false, EGRESS_ADDRESS);
	is_target("https://[::FFFF:127.0.0.1]:444/", "::ffff:127.0.0.1", 444, true, EGRESS_ADDRESS);
}
END_TEST

START_TEST(an_address_in_a_url_is_the_address_that_is_checked)
{
	EgressTarget target;
	const struct sockaddr *address = (const struct sockaddr *) &target.address;

	ck_assert(egress_parse("http://127.0.0.1:81/", &target) == NULL);
	ck_assert_str_eq(egress_kind(address), "loopback");
	ck_assert_int_eq(ntohs(((struct sockaddr_in *) (void *) &target.address)->sin_port), 81);
	ck_assert(egress_parse("http://[::ffff:10.0.0.1]/", &target) == NULL);
	ck_assert(!egress_allows(&internet, address));
	ck_assert(egress_parse("http://8.8.8.8/", &target) == NULL);
	ck_assert(egress_allows(&internet, address));
}
END_TEST

START_TEST(what_could_be_read_in_two_ways_is_refused)
{
	static const char *const wrong[] = {
		"",
		"http:",
		"http://",
		"http:///path",
		"http:/example.com",
		"//example.com/",
		"example.com",
		"ftp://example.com/",
		"file:///etc/passwd",
		"gopher://example.com/",
		"http://user@example.com/",
		"http://user:secret@example.com/",
		"http://example.com@127.0.0.1/",
		"http://example.com#@127.0.0.1/",
		"http://example.com\\@127.0.0.1/",
		"http://127.0.0.1\\.example.com/",
		"http://example.com /",
		"http://example.com/\r\nx: y",
		"http://ex%61mple.com/",
		"http://example..com/",
		"http://.example.com/",
		"http://example.com./",
		"http://ex\xc3\xa4mple.com/",
		"http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/",
		"http://2130706433/",
		"http://0x7f000001/",
		"http://0x7f.0.0.1/",
		"http://127.0.0.0x1/",
		"http://0177.0.0.1/",
		"http://127.1/",
		"http://127.0.1/",
		"http://127.0.0.1./",
		"http://127.0.0.1.1/",
		"http://256.0.0.1/",
		"http://1.example.0x/",
		"http://[::1/",
		"http://::1/",
		"http://[fe80::1%25eth0]/",
		"http://[fe80::1%eth0]/",
		"http://[127.0.0.1]/",
		"http://[example.com]/",
		"http://[::1]x/",
		"http://[::1]80/",
		"http://example.com:/",
		"http://example.com:+80/",
		"http://example.com:0x50/",
		"http://example.com:80:80/",
		"http://example.com:0/",
		"http://example.com:65536/",
		"http://example.com:4294967376/",
		"http://example.com:25/",
		"http://example.com:22/",
		"http://example.com:00025/",
		"http://example.com:6667/",
	};
	EgressTarget target;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(egress_parse(wrong[i], &target) != NULL, "%s", wrong[i]);
}
END_TEST

START_TEST(a_url_has_a_longest_length)
{
	char url[EGRESS_URL_MAX + 2];
	EgressTarget target;

	memset(url, 'a', sizeof(url));
	memcpy(url, "http://b.example/", 17);
	url[EGRESS_URL_MAX] = '\0';
	ck_assert(egress_parse(url, &target) == NULL);
	url[EGRESS_URL_MAX] = 'a';
	url[EGRESS_URL_MAX + 1] = '\0';
	ck_assert(egress_parse(url, &target) != NULL);
	memset(url, 'a', sizeof(url));
	memcpy(url, "http://", 7);
	url[7 + EGRESS_HOST_MAX + 1] = '\0';
	ck_assert(egress_parse(url, &target) != NULL);
}
END_TEST

SUITE("client_egress", global_addresses_are_allowed, special_addresses_are_refused,
	  other_families_are_refused, an_operator_allows_ranges_and_no_more,
	  what_is_no_range_is_refused, a_url_names_a_target,
	  an_address_in_a_url_is_the_address_that_is_checked, what_could_be_read_in_two_ways_is_refused,
	  a_url_has_a_longest_length)
