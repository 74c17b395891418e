/*
 * webhook_url.h
 *		What the URL of a webhook names: scheme, host and port.
 *
 * A URL that two parsers could read in two ways is refused rather than understood: user
 * information, backslashes, per cents and other signs in the host, numbers that are no
 * dotted address (0x7f.1, 2130706433, 0177.0.0.1), zones, a dot at the end.
 *
 * Shared by the extension, which refuses a URL when a webhook is made, and the worker, which
 * refuses to connect by one: one rule, so that what is saved can be delivered to.  No
 * allocation, no state, safe in any thread.
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
	char host[WAK_HOST_MAX + 1]; /* lower case; of an IPv6 address without its brackets */
	int port;
	size_t address_size; /* of a host that is an address: 4 or 16; of a name 0 */
	unsigned char address[WAK_ADDRESS_MAX];
} WakUrl;

/*
 * Takes len bytes apart.  NULL when they can be delivered to; else why not, a constant of
 * plain words.  Whether an address is allowed is not asked here.
 */
extern const char *wak_url_read(const char *text, size_t len, WakUrl *url);

/*
 * Where the host begins and how long it is, in a text that may have anything in its host;
 * NULL: there is none.
 */
extern const char *wak_url_host(const char *text, size_t len, size_t *host_len);

#endif
