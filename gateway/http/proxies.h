/*
 * proxies.h
 *		Proxies in front that are believed: where a request came from, and by TLS or not.
 *
 * X-Forwarded-For and X-Forwarded-Proto can be sent by anybody.  They count when the
 * connection comes from a configured proxy, and then only as far as such proxies wrote
 * them: the list is read from its end, and the first address that is no trusted proxy is
 * the client.  Without configured proxies neither header is looked at.
 */
#ifndef HTTP_PROXIES_H
#define HTTP_PROXIES_H

#include "src/common/address.h"
#include "http/http.h"

#define HTTP_PROXIES_MAX 64

typedef struct HttpProxies
{
	WakRange ranges[HTTP_PROXIES_MAX];
	size_t count; /* 0: nobody is believed */
} HttpProxies;

/*
 * Reads ranges ("10.0.0.0/8", "192.0.2.1"); each text holds one or several, separated by
 * commas.  False: error says which is none.
 */
extern bool http_proxies_read(HttpProxies *proxies, const char *const *texts, size_t count,
							  char *error, size_t error_size);

/* Whether an address, as text, is a trusted proxy's. */
extern bool http_proxies_trust(const HttpProxies *proxies, const char *address);

#endif
