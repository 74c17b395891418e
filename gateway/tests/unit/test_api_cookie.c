/*
 * test_api_cookie.c
 *		The sign-in cookie: exactly one, well formed, under the name that fits the connection.
 */
#include <stdio.h>
#include <string.h>

#include "api/cookie.h"
#include "api/origin.h"
#include "http/proxies.h"
#include "http/request.h"
#include "api_request.h"
#include "tests/unit/suite.h"

static HttpProxies proxies;
static HttpRequestState state = {.proxies = &proxies};
static char cookie[WAK_CREDENTIAL_MAX + 1];
static char key[WAK_CREDENTIAL_MAX + 1];

static void
make(SampleRequest *sample, bool tls)
{
	const uint8_t random[WAK_RANDOM_LENGTH] = {7};

	wak_make(WAK_SIGN_IN, random, cookie);
	wak_make(WAK_API_KEY, random, key);
	sample_request(sample, HTTP_METHOD_POST, "/auth/token");
	sample->http.state = &state;
	sample->http.peer = (HttpText){"203.0.113.1", 11};
	sample->http.tls = tls;
}

/* The format has one %s for the cookie, or none. */
static bool
finds(bool tls, const char *format, const char *value)
{
	static char header[512];
	SampleRequest sample;
	Credential found;

	make(&sample, tls);
	snprintf(header, sizeof(header), "%s%s", format, value);
	sample_header(&sample, "cookie", header);
	return cookie_find(&sample.http, COOKIE_SIGN_IN, &found) && found.len == strlen(cookie) &&
		   memcmp(found.text, cookie, found.len) == 0;
}

START_TEST(one_cookie_of_the_right_name)
{
	SampleRequest sample;

	make(&sample, false);
	ck_assert(finds(false, "wa_session=", cookie));
	ck_assert(finds(false, "a=b; wa_session=", cookie));
	ck_assert(finds(false, "a=b;wa_session=", cookie));
	ck_assert(finds(true, "__Host-wa_session=", cookie));
	ck_assert(!finds(true, "wa_session=", cookie));
	ck_assert(!finds(false, "__Host-wa_session=", cookie));
	ck_assert(!finds(false, "xwa_session=", cookie));
	ck_assert(!finds(false, "WA_SESSION=", cookie));
	ck_assert(!finds(false, "wa_session=", key));
	ck_assert(!finds(false, "wa_session=", ""));
	ck_assert(!finds(false, "wa_session=x; wa_session=", cookie));
}
END_TEST

START_TEST(several_headers_are_looked_at_together)
{
	SampleRequest sample;
	Credential found;
	char header[256];

	make(&sample, false);
	snprintf(header, sizeof(header), "wa_session=%s", cookie);
	sample_header(&sample, "cookie", "a=b");
	ck_assert(!cookie_find(&sample.http, COOKIE_SIGN_IN, &found));
	sample_header(&sample, "cookie", header);
	ck_assert(cookie_find(&sample.http, COOKIE_SIGN_IN, &found));
	sample_header(&sample, "cookie", header);
	ck_assert(!cookie_find(&sample.http, COOKIE_SIGN_IN, &found));
}
END_TEST

START_TEST(what_sets_and_what_clears_it)
{
	SampleRequest sample;
	char header[COOKIE_HEADER_MAX];

	make(&sample, false);
	ck_assert(cookie_set(&sample.http, COOKIE_SIGN_IN, "was_x", 5, header));
	ck_assert_str_eq(header, "wa_session=was_x; Path=/auth; HttpOnly; SameSite=Strict");
	ck_assert(cookie_set(&sample.http, COOKIE_SIGN_IN, "", 0, header));
	ck_assert_str_eq(header, "wa_session=; Path=/auth; HttpOnly; SameSite=Strict; Max-Age=0");
	sample.http.tls = true;
	ck_assert(cookie_set(&sample.http, COOKIE_SIGN_IN, "was_x", 5, header));
	ck_assert_str_eq(header, "__Host-wa_session=was_x; Path=/; Secure; HttpOnly; SameSite=Strict");
}
END_TEST

START_TEST(a_browsers_cookie_stays_for_long_and_is_no_other)
{
	const char *device = "wad_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf37DHLq";
	SampleRequest sample;
	Credential found;
	char header[COOKIE_HEADER_MAX];
	char both[512];

	make(&sample, false);
	snprintf(both, sizeof(both), "wa_session=%s; wa_device=%s", cookie, device);
	sample_header(&sample, "cookie", both);
	ck_assert(cookie_find(&sample.http, COOKIE_DEVICE, &found));
	ck_assert_int_eq(strncmp(found.text, device, found.len), 0);
	ck_assert(cookie_find(&sample.http, COOKIE_SIGN_IN, &found));
	ck_assert_int_eq(strncmp(found.text, cookie, found.len), 0);
	make(&sample, false);
	snprintf(both, sizeof(both), "wa_session=%s; wa_device=%s", device, cookie);
	sample_header(&sample, "cookie", both);
	ck_assert(!cookie_find(&sample.http, COOKIE_DEVICE, &found));
	ck_assert(!cookie_find(&sample.http, COOKIE_SIGN_IN, &found));
	ck_assert(cookie_set(&sample.http, COOKIE_DEVICE, "wad_x", 5, header));
	ck_assert_str_eq(header, "wa_device=wad_x; Path=/auth/sign-in; HttpOnly; SameSite=Strict; "
							 "Max-Age=34560000");
	sample.http.tls = true;
	ck_assert(cookie_set(&sample.http, COOKIE_DEVICE, "wad_x", 5, header));
	ck_assert_str_eq(header, "__Host-wa_device=wad_x; Path=/; Secure; HttpOnly; SameSite=Strict; "
							 "Max-Age=34560000");
}
END_TEST

static bool
own(bool tls, const char *site, const char *origin, const char *host)
{
	SampleRequest sample;

	make(&sample, tls);
	if (host != NULL)
		sample_header(&sample, "host", host);
	if (site != NULL)
		sample_header(&sample, "sec-fetch-site", site);
	if (origin != NULL)
		sample_header(&sample, "origin", origin);
	return origin_is_own(&sample.http);
}

START_TEST(only_own_pages_and_no_pages_may_ask)
{
	ck_assert(own(false, NULL, NULL, "a.example"));
	ck_assert(own(false, "same-origin", "http://a.example:81", "a.example:81"));
	ck_assert(own(false, "none", NULL, "a.example"));
	ck_assert(own(false, NULL, "https://a.example", "a.example"));
	ck_assert(own(true, NULL, "https://a.example", "A.example"));
	ck_assert(!own(true, NULL, "http://a.example", "a.example"));
	ck_assert(!own(false, NULL, "http://a.example:81", "a.example"));
	ck_assert(!own(false, NULL, "http://b.a.example", "a.example"));
	ck_assert(!own(false, NULL, "null", "a.example"));
	ck_assert(!own(false, NULL, "", "a.example"));
	ck_assert(!own(false, NULL, "http://", ""));
	ck_assert(!own(false, NULL, "http://a.example", NULL));
	ck_assert(!own(false, "same-site", "http://a.example", "a.example"));
	ck_assert(!own(false, "cross-site", NULL, "a.example"));
	ck_assert(!own(false, "same-origin", "http://evil.example", "a.example"));
	ck_assert(!own(false, "", NULL, "a.example"));
}
END_TEST

SUITE("api_cookie", one_cookie_of_the_right_name, several_headers_are_looked_at_together,
	  what_sets_and_what_clears_it, a_browsers_cookie_stays_for_long_and_is_no_other,
	  only_own_pages_and_no_pages_may_ask)
