/*
 * network.h
 *		Network addresses and ranges of them (CIDR).
 *
 * All addresses have the form of IPv6; an IPv4 address is the mapped one (::ffff:0:0/96),
 * so that both ways of writing it are the same address.
 */
#ifndef WA_LIB_NETWORK_H
#define WA_LIB_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETWORK_ADDRESS_SIZE 16

/* Bytes of an address as text, with the NUL. */
#define NETWORK_TEXT_MAX 46

typedef struct NetworkAddress
{
	uint8_t bytes[NETWORK_ADDRESS_SIZE];
} NetworkAddress;

typedef struct NetworkRange
{
	NetworkAddress address;
	int bits; /* that have to be equal, of 128 */
} NetworkRange;

/*
 * Read "192.0.2.1" or "2001:db8::1", without a port, a zone or brackets.  The text needs no
 * NUL.  False, and *address left alone, for anything else.
 */
extern bool network_address_read(const char *text, size_t length, NetworkAddress *address);

/* Write the usual form: an address of IPv4 with dots. */
extern void network_address_write(const NetworkAddress *address, char text[NETWORK_TEXT_MAX]);

/* Read "192.0.2.0/24", "2001:db8::/32", or a single address; false for anything else. */
extern bool network_range_read(const char *text, size_t length, NetworkRange *range);

extern bool network_range_has(const NetworkRange *range, const NetworkAddress *address);

#endif /* WA_LIB_NETWORK_H */
