/*
 * origin.c
 *		Checks whether a request comes from one of our own pages.
 *
 * Browsers say where a request comes from in two headers that no page can change:
 * Sec-Fetch-Site (Fetch Metadata), which they send to hosts that they consider secure, and
 * Origin, which they send with every request that is not a plain GET.  Each of them that is
 * present must be right.  The first protection is SameSite=Strict on the cookie.  This
 * check adds one against pages on another port or in a subdomain of this site, which
 * SameSite treats like our own.
 */
#include "api/origin.h"

#include <string.h>
#include <strings.h>

static bool
equals(const HttpText *text, const char *expected)
{
	return text->len == strlen(expected) && memcmp(text->data, expected, text->len) == 0;
}

/* The value "none" means that a person has typed the address. */
static bool
site_is_own(const HttpRequest *request)
{
	size_t count;
	const HttpText *site = http_request_header(request, "sec-fetch-site", &count);

	return site == NULL || (count == 1 && (equals(site, "same-origin") || equals(site, "none")));
}

/*
 * The scheme has to match too, unless TLS may end in a proxy that we do not know of; then
 * only the host is compared.
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
