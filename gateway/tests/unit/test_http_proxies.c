/*
 * test_http_proxies.c
 *		Who is believed about where a request came from: trusted proxies, and nobody else.
 */
#include <stdio.h>
#include <string.h>

#include "http/proxies.h"
#include "http/request.h"
#include "api_request.h"
#include "tests/unit/suite.h"

static HttpProxies trusted;
static HttpRequestState state = {.proxies = &trusted};

static void
trust(const char *ranges)
{
	char error[128];

	ck_assert_msg(http_proxies_read(&trusted, &ranges, 1, error, sizeof(error)), "%s", error);
}

/* A request from that peer, with these X-Forwarded-For. */
static void
request(SampleRequest *sample, const char *peer, const char *first, const char *second)
{
	sample_request(sample, HTTP_METHOD_GET, "/");
	sample->http.state = &state;
	sample->http.peer = (HttpText){peer, strlen(peer)};
	if (first != NULL)
		sample_header(sample, "x-forwarded-for", first);
	if (second != NULL)
		sample_header(sample, "x-forwarded-for", second);
}

static const char *
client(const char *peer, const char *first, const char *second)
{
	static char text[HTTP_CLIENT_MAX];
	char room[HTTP_CLIENT_MAX];
	SampleRequest sample;

	request(&sample, peer, first, second);
	snprintf(text, sizeof(text), "%s", http_request_client(&sample.http, room).data);
	return text;
}

START_TEST(without_trusted_proxies_the_peer_is_the_client)
{
	trusted.count = 0;
	ck_assert_str_eq(client("203.0.113.1", "198.51.100.1", NULL), "203.0.113.1");
	ck_assert_str_eq(client("127.0.0.1", "198.51.100.1", NULL), "127.0.0.1");
}
END_TEST

START_TEST(the_last_address_that_is_no_proxy_is_the_client)
{
	trust("10.0.0.0/8, 2001:db8::/32");
	ck_assert_str_eq(client("10.0.0.1", "198.51.100.1", NULL), "198.51.100.1");
	ck_assert_str_eq(client("10.0.0.1", "192.0.2.66, 198.51.100.1", NULL), "198.51.100.1");
	ck_assert_str_eq(client("10.0.0.1", "192.0.2.66, 198.51.100.1,10.9.9.9", NULL), "198.51.100.1");
	ck_assert_str_eq(client("10.0.0.1", "192.0.2.66", "198.51.100.1"), "198.51.100.1");
	ck_assert_str_eq(client("10.0.0.1", "198.51.100.1", "10.0.0.2"), "198.51.100.1");
	ck_assert_str_eq(client("2001:db8::7", "198.51.100.1:4711", NULL), "198.51.100.1");
	ck_assert_str_eq(client("10.0.0.1", "[2001:470::1]:4711", NULL), "2001:470::1");
	ck_assert_str_eq(client("10.0.0.1", "10.0.0.3, 10.0.0.2", NULL), "10.0.0.3");
	ck_assert_str_eq(client("10.0.0.1", NULL, NULL), "10.0.0.1");
}
END_TEST

/* What stands in front of nonsense was written by nobody who is believed. */
START_TEST(nonsense_ends_the_walk)
{
	trust("10.0.0.0/8");
	ck_assert_str_eq(client("10.0.0.1", "198.51.100.1, unknown", NULL), "10.0.0.1");
	ck_assert_str_eq(client("10.0.0.1", "198.51.100.1, , 10.0.0.2", NULL), "10.0.0.2");
	ck_assert_str_eq(client("10.0.0.1", "", NULL), "10.0.0.1");
	ck_assert_str_eq(client("10.0.0.1", ",", NULL), "10.0.0.1");
	ck_assert_str_eq(client("203.0.113.1", "10.0.0.5", NULL), "203.0.113.1");
}
END_TEST

static bool
secure(const char *peer, const char *scheme)
{
	SampleRequest sample;

	request(&sample, peer, NULL, NULL);
	if (scheme != NULL)
		sample_header(&sample, "x-forwarded-proto", scheme);
	return http_request_is_secure(&sample.http);
}

START_TEST(tls_at_a_trusted_proxy_counts)
{
	trust("10.0.0.1");
	ck_assert(secure("10.0.0.1", "https"));
	ck_assert(secure("10.0.0.1", "HTTPS, http"));
	ck_assert(!secure("10.0.0.1", "http, https"));
	ck_assert(!secure("10.0.0.1", "httpsx"));
	ck_assert(!secure("10.0.0.1", NULL));
	ck_assert(!secure("10.0.0.2", "https"));
}
END_TEST

START_TEST(what_is_no_range_is_refused)
{
	static const char *const wrong[] = {"10.0.0.0/40", "proxy.example", "10.0.0.1,", ""};
	HttpProxies proxies;
	char error[128];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		ck_assert_msg(!http_proxies_read(&proxies, &wrong[i], 1, error, sizeof(error)), "%s",
					  wrong[i]);
		ck_assert_ptr_nonnull(strstr(error, "is not an address"));
	}
}
END_TEST

SUITE("http_proxies", without_trusted_proxies_the_peer_is_the_client,
	  the_last_address_that_is_no_proxy_is_the_client, nonsense_ends_the_walk,
	  tls_at_a_trusted_proxy_counts, what_is_no_range_is_refused)
