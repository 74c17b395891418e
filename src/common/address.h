/*
 * address.h
 *		Which Internet addresses are of the Internet at large, and ranges of them.
 *
 * An address is its bytes as they travel, 4 of them or 16.  Shared by the extension, which
 * refuses a webhook to a private address when it is made, and the worker, which refuses to
 * connect to one: no allocation, no state, safe in any thread.
 */
#ifndef SRC_COMMON_ADDRESS_H
#define SRC_COMMON_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define WAK_ADDRESS_MAX 16

/* Addresses whose first bits are these. */
typedef struct WakRange
{
	size_t size; /* bytes of an address: 4 or 16 */
	unsigned char bytes[WAK_ADDRESS_MAX];
	int bits;
} WakRange;

/*
 * What an address is that is not of the Internet at large ("loopback"), a constant; NULL
 * when it is.  size is 4 or 16; any other size is no address.
 */
extern const char *wak_address_kind(const unsigned char *bytes, size_t size);

/* Reads len bytes of text, "10.0.0.0/8" or "fd00::1".  False: it is no range. */
extern bool wak_range_read(const char *text, size_t len, WakRange *range);

extern bool wak_range_has(const WakRange *range, const unsigned char *bytes, size_t size);

#endif
