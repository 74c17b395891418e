/*
 * origin.c
 *		Did one of our own pages ask?
 *
 * Browsers say where a request comes from in two headers that no page can change:
 * Sec-Fetch-Site (Fetch Metadata), to hosts that they take for secure, and Origin, with
 * every request that is no plain GET.  Each that is there has to be right.  SameSite=Strict
 * on the cookie is the first wall; this one also holds against a page on another port or
 * in a subdomain of this site, which SameSite does not tell from our own.
 */
#include "api/origin.h"

#include <string.h>
#include <strings.h>

static bool
equals(const HttpText *text, const char *expected)
{
	return text->len == strlen(expected) && memcmp(text->data, expected, text->len) == 0;
}

/*
 * "none" is a person who typed the address.
 */
static bool
site_is_own(const HttpRequest *request)
{
	size_t count;
	const HttpText *site = http_request_header(request, "sec-fetch-site", &count);

	return site == NULL || (count == 1 && (equals(site, "same-origin") || equals(site, "none")));
}

/*
 * The scheme, unless TLS may end in a proxy that we were not told of; then the host alone.
 */
static bool
names_host(const HttpText *origin, const HttpText *host, const char *scheme)
{
	size_t len = strlen(scheme);

	return origin->len == len + host->len && memcmp(origin->data, scheme, len) == 0 &&
		   strncasecmp(origin->data + len, host->data, host->len) == 0;
}

bool
origin_is_own(const HttpRequest *request)
{
	size_t count;
	const HttpText *origin = http_request_header(request, "origin", &count);
	const HttpText *host = http_request_header(request, "host", NULL);

	if (!site_is_own(request))
		return false;
	if (origin == NULL)
		return true;
	return count == 1 && host != NULL && host->len > 0 &&
		   (names_host(origin, host, "https://") ||
			(!http_request_is_secure(request) && names_host(origin, host, "http://")));
}
