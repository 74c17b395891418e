/*-------------------------------------------------------------------------
 *
 * webhook_url.h
 *		Reading the URL of a webhook: scheme, host and port.
 *
 * A URL that two parsers could read in different ways is refused: one with user
 * information, with backslashes, percent signs or other special characters in
 * the host, with numbers that are no dotted address (0x7f.1, 2130706433,
 * 0177.0.0.1), with a zone, or with a dot at the end of the host.
 *
 * The extension uses this file to refuse a URL when a webhook is made, and the
 * worker to refuse to connect.  Both use one rule, so that every saved URL can
 * be delivered to.  No allocation, no state, safe in any thread.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_COMMON_WEBHOOK_URL_H
#define SRC_COMMON_WEBHOOK_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "src/common/address.h"

#define WAK_URL_MAX 2048
#define WAK_HOST_MAX 253

typedef struct WakUrl
{
	bool tls;
	char host[WAK_HOST_MAX + 1]; /* lower case; an IPv6 address has no brackets */
	int port;
	size_t address_size; /* 4 or 16 if the host is an address; 0 if it is a name */
	unsigned char address[WAK_ADDRESS_MAX];
} WakUrl;

/*
 * Takes "len" bytes apart.  Returns NULL if the URL can be delivered to, otherwise a constant
 * text that says why not.  This does not check whether an address is allowed.
 */
extern const char *wak_url_read(const char *text, size_t len, WakUrl *url);

/*
 * The beginning and length of the host, in a text whose host may contain anything.  NULL if
 * there is no host.
 */
extern const char *wak_url_host(const char *text, size_t len, size_t *host_len);

#endif
