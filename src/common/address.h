/*-------------------------------------------------------------------------
 *
 * address.h
 *		Which IP addresses belong to the public Internet, and ranges of addresses.
 *
 * An address is 4 or 16 bytes in network order.  The extension uses this file
 * to refuse a webhook to a private address when the webhook is made.  The
 * worker uses it to refuse to connect to one.  No allocation, no state, safe in
 * any thread.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_COMMON_ADDRESS_H
#define SRC_COMMON_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define WAK_ADDRESS_MAX 16

/* The addresses that begin with these bits. */
typedef struct WakRange
{
	size_t size; /* bytes of an address: 4 or 16 */
	unsigned char bytes[WAK_ADDRESS_MAX];
	int bits;
} WakRange;

/*
 * What kind of special address this is, as a constant text such as "loopback"; NULL if it is an
 * address of the public Internet.  "size" is 4 or 16; other sizes are no address.
 */
extern const char *wak_address_kind(const unsigned char *bytes, size_t size);

/*
 * Reads len bytes of text, such as "10.0.0.0/8" or "fd00::1".  Returns false if that is no
 * range.
 */
extern bool wak_range_read(const char *text, size_t len, WakRange *range);

extern bool wak_range_has(const WakRange *range, const unsigned char *bytes, size_t size);

#endif
