/*
 * proxies.h
 *		Trusted proxies, which report the client's address and whether it used TLS.
 *
 * Anybody can send X-Forwarded-For and X-Forwarded-Proto.  They are used only when the
 * connection comes from a configured proxy, and only the part that trusted proxies wrote: the
 * list is read from its end, and the first address that is not a trusted proxy is the client.
 * Without configured proxies both headers are ignored.
 */
#ifndef HTTP_PROXIES_H
#define HTTP_PROXIES_H

#include "src/common/address.h"
#include "http/http.h"

#define HTTP_PROXIES_MAX 64

typedef struct HttpProxies
{
	WakRange ranges[HTTP_PROXIES_MAX];
	size_t count; /* 0: no proxy is trusted */
} HttpProxies;

/*
 * Reads ranges ("10.0.0.0/8", "192.0.2.1"); each text contains one or several, separated by
 * commas.  False: error says which one is invalid.
 */
extern bool http_proxies_read(HttpProxies *proxies, const char *const *texts, size_t count,
							  char *error, size_t error_size);

/* Whether an address, given as text, is that of a trusted proxy. */
extern bool http_proxies_trust(const HttpProxies *proxies, const char *address);

#endif
