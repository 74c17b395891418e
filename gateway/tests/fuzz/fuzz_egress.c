/*
 * fuzz_egress.c
 *		What the egress guard takes for a target, curl takes for the same.
 *
 * The guard checks what it has read of a URL, and curl connects to what curl has read.  Were
 * there a URL that they read in two ways, the check would be worth nothing.
 */
#include <arpa/inet.h>
#include <string.h>

#include <curl/curl.h>

#include "tests/fuzz/fuzz.h"
#include "client/egress.h"

static char *
part_of(CURLU *parsed, CURLUPart part)
{
	char *text = NULL;

	FUZZ_ASSERT(curl_url_get(parsed, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK);
	return text;
}

/* curl keeps the brackets of an IPv6 address, and may write it in another way. */
static void
check_host(const EgressTarget *target, char *host)
{
	unsigned char ours[16];
	unsigned char theirs[16];

	if (target->kind == EGRESS_ADDRESS && target->address.ss_family == AF_INET6)
	{
		host[strlen(host) - 1] = '\0';
		FUZZ_ASSERT(inet_pton(AF_INET6, target->host, ours) == 1);
		FUZZ_ASSERT(inet_pton(AF_INET6, host + 1, theirs) == 1);
		FUZZ_ASSERT(memcmp(ours, theirs, sizeof(ours)) == 0);
	}
	else
		FUZZ_ASSERT(strcasecmp(host, target->host) == 0);
}

static void
check_same(const EgressTarget *target, const char *url)
{
	CURLU *parsed = curl_url();
	char *user = NULL;
	char *scheme;
	char *host;
	char *port;

	FUZZ_ASSERT(parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK);
	scheme = part_of(parsed, CURLUPART_SCHEME);
	host = part_of(parsed, CURLUPART_HOST);
	port = part_of(parsed, CURLUPART_PORT);
	FUZZ_ASSERT(strcmp(scheme, target->tls ? "https" : "http") == 0);
	FUZZ_ASSERT(atoi(port) == target->port);
	FUZZ_ASSERT(curl_url_get(parsed, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
	check_host(target, host);
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(parsed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *url = malloc(len + 1);
	EgressRules rules = {.count = 0};
	EgressTarget target;

	memcpy(url, data, len);
	url[len] = '\0';
	if (egress_parse(url, &target) == NULL)
		check_same(&target, url);
	egress_allow(&rules, url);
	free(url);
	return 0;
}
