/*
 * fuzz_header.c
 *		What clients and proxies say in headers: names of files, ranges, cookies, addresses.
 *
 * Whatever a header has, the result lies within its bounds: a range within the file, a cookie
 * within the header, a client's address is an address, and a name is UTF-8 that can be written
 * into a header and read back from there.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/cookie.h"
#include "api/disposition.h"
#include "api/origin.h"
#include "http/proxies.h"
#include "http/range.h"
#include "http/request.h"
#include "lib/utf8.h"
#include "src/common/key_format.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/api_request.h"

#define ETAG "\"0123456789abcdef\""
#define PROXY "10.0.0.1"

static HttpProxies trusted;
static HttpRequestState state = {.proxies = &trusted};

/* A request with one header, that came through a proxy; the value may have any bytes but NUL. */
static void
request_with(SampleRequest *sample, const char *name, const char *value)
{
	sample_request(sample, HTTP_METHOD_GET, "/");
	sample->http.state = &state;
	sample->http.peer = (HttpText){PROXY, strlen(PROXY)};
	sample_header(sample, name, value);
}

static void
check_written_name(const char *name)
{
	char header[DISPOSITION_HEADER_MAX];
	char again[DISPOSITION_NAME_MAX];
	SampleRequest sample;

	disposition_write(false, name, strlen(name), header);
	FUZZ_ASSERT(strlen(header) < sizeof(header));
	for (const char *at = header; *at != '\0'; at++)
		FUZZ_ASSERT(*at >= ' ' && *at <= '~');
	request_with(&sample, "content-disposition", header);
	FUZZ_ASSERT(disposition_read(&sample.http, again) && strcmp(again, name) == 0);
}

static void
check_disposition(const char *value)
{
	char name[DISPOSITION_NAME_MAX];
	SampleRequest sample;

	request_with(&sample, "content-disposition", value);
	if (!disposition_read(&sample.http, name))
		return;
	FUZZ_ASSERT(strlen(name) < sizeof(name) && utf8_valid(name, strlen(name)));
	check_written_name(name);
}

static void
check_range(const char *value, uint64_t size)
{
	char text[HTTP_CONTENT_RANGE_MAX];
	uint64_t first;
	uint64_t length;
	SampleRequest sample;
	HttpRangeResult result;

	request_with(&sample, "range", value);
	result = http_range(&sample.http, ETAG, size, &first, &length);
	if (result == HTTP_RANGE_WHOLE)
		FUZZ_ASSERT(first == 0 && length == size);
	if (result == HTTP_RANGE_PART)
		FUZZ_ASSERT(length > 0 && length <= size && first <= size - length);
	http_content_range(text, first, length, size);
	FUZZ_ASSERT(strlen(text) < sizeof(text) - 1);
}

/* A condition is about the whole: what is not the very same ETag asks for no part. */
static void
check_conditions(const char *value)
{
	uint64_t first;
	uint64_t length;
	SampleRequest sample;

	request_with(&sample, "if-range", value);
	sample_header(&sample, "range", "bytes=1-2");
	FUZZ_ASSERT((http_range(&sample.http, ETAG, 10, &first, &length) == HTTP_RANGE_PART) ==
				(strcmp(value, ETAG) == 0));
	request_with(&sample, "if-none-match", value);
	FUZZ_ASSERT(!http_request_has_current(&sample.http, ETAG) || strstr(value, ETAG) != NULL ||
				strcmp(value, "*") == 0);
}

static void
check_cookie(const char *value, Cookie which)
{
	Credential cookie;
	SampleRequest sample;

	request_with(&sample, "cookie", value);
	if (!cookie_find(&sample.http, which, &cookie))
		return;
	FUZZ_ASSERT(cookie.text >= value && cookie.text + cookie.len <= value + strlen(value));
	FUZZ_ASSERT(wak_check(cookie.text, cookie.len, NULL) == WAK_OK);
}

/* A cookie that is right is found beside whatever else is said, unless that is one, too. */
static void
check_made_cookie(const char *value)
{
	uint8_t random[WAK_RANDOM_LENGTH] = {0};
	char made[WAK_CREDENTIAL_MAX + 1];
	char header[4 * WAK_CREDENTIAL_MAX];
	Credential cookie;
	SampleRequest sample;

	memcpy(random, value, strnlen(value, sizeof(random)));
	made[wak_make(WAK_SIGN_IN, random, made)] = '\0';
	snprintf(header, sizeof(header), "%.40s; wa_session=%s; %.20s", value, made, value);
	request_with(&sample, "cookie", header);
	FUZZ_ASSERT(cookie_find(&sample.http, COOKIE_SIGN_IN, &cookie)
					? cookie.len == strlen(made) && memcmp(cookie.text, made, cookie.len) == 0
					: strstr(value, "wa_session=") != NULL);
}

static void
check_client(const char *value)
{
	char room[HTTP_CLIENT_MAX];
	unsigned char bytes[sizeof(struct in6_addr)];
	SampleRequest sample;
	HttpText client;

	request_with(&sample, "x-forwarded-for", value);
	client = http_request_client(&sample.http, room);
	FUZZ_ASSERT(client.len == strlen(client.data));
	FUZZ_ASSERT(inet_pton(AF_INET, client.data, bytes) == 1 ||
				inet_pton(AF_INET6, client.data, bytes) == 1);
	request_with(&sample, "x-forwarded-proto", value);
	FUZZ_ASSERT(!http_request_is_secure(&sample.http) || strncasecmp(value, "https", 5) == 0 ||
				strchr(" \t", value[0]) != NULL);
}

static void
check_origin(const char *value)
{
	SampleRequest sample;

	request_with(&sample, "origin", value);
	sample_header(&sample, "host", "gateway.test");
	FUZZ_ASSERT(!origin_is_own(&sample.http) || strcasecmp(value, "https://gateway.test") == 0 ||
				strcasecmp(value, "http://gateway.test") == 0);
	request_with(&sample, "sec-fetch-site", value);
	FUZZ_ASSERT(!origin_is_own(&sample.http) || strcmp(value, "same-origin") == 0 ||
				strcmp(value, "none") == 0);
}

/* In a block of its own size, so that reading beyond its end is seen. */
static char *
value_of(const uint8_t *data, size_t len)
{
	char *value = malloc(len + 1);

	FUZZ_ASSERT(value != NULL);
	if (len > 0)
		memcpy(value, data, len);
	value[len] = '\0';
	return value;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint64_t sizes[] = {1, 2, 100, 1U << 31, UINT64_MAX};
	const char *ranges = "10.0.0.0/8, 2001:db8::/32";
	char error[128];
	char *value = value_of(data, len);

	FUZZ_ASSERT(http_proxies_read(&trusted, &ranges, 1, error, sizeof(error)));
	check_disposition(value);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		check_range(value, sizes[i]);
	check_conditions(value);
	check_cookie(value, COOKIE_SIGN_IN);
	check_cookie(value, COOKIE_DEVICE);
	check_made_cookie(value);
	check_client(value);
	check_origin(value);
	free(value);
	return 0;
}
