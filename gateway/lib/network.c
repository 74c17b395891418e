/*
 * network.c
 *		Network addresses and ranges of them (CIDR).
 */
#include "lib/network.h"

#include <arpa/inet.h>
#include <string.h>

#define MAPPED_BITS 96

static const uint8_t mapped_prefix[MAPPED_BITS / 8] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

static bool
is_mapped(const NetworkAddress *address)
{
	return memcmp(address->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool
network_address_read(const char *text, size_t length, NetworkAddress *address)
{
	char copy[NETWORK_TEXT_MAX];
	NetworkAddress read;

	if (length == 0 || length >= sizeof(copy) || memchr(text, '\0', length) != NULL)
	{
		return false;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	memcpy(read.bytes, mapped_prefix, sizeof(mapped_prefix));
	if (inet_pton(AF_INET, copy, read.bytes + sizeof(mapped_prefix)) != 1 &&
		inet_pton(AF_INET6, copy, read.bytes) != 1)
	{
		return false;
	}
	*address = read;
	return true;
}

void
network_address_write(const NetworkAddress *address, char text[NETWORK_TEXT_MAX])
{
	bool mapped = is_mapped(address);

	text[0] = '\0';
	inet_ntop(mapped ? AF_INET : AF_INET6,
			  mapped ? address->bytes + sizeof(mapped_prefix) : address->bytes, text,
			  NETWORK_TEXT_MAX);
}

/*
 * The digits behind the slash, at most three.
 */
static bool
read_bits(const char *text, size_t length, int max, int *bits)
{
	int number = 0;

	if (length == 0 || length > 3)
	{
		return false;
	}
	for (size_t i = 0; i < length; i++)
	{
		if (text[i] < '0' || text[i] > '9')
		{
			return false;
		}
		number = number * 10 + (text[i] - '0');
	}
	*bits = number;
	return number <= max;
}

bool
network_range_read(const char *text, size_t length, NetworkRange *range)
{
	const char *slash = memchr(text, '/', length);
	size_t address_length = slash == NULL ? length : (size_t) (slash - text);
	/* What was written with dots counts its bits from there. */
	bool dotted = memchr(text, ':', length) == NULL;
	int bits = dotted ? 128 - MAPPED_BITS : 128;

	if (!network_address_read(text, address_length, &range->address) ||
		(slash != NULL && !read_bits(slash + 1, length - address_length - 1, bits, &bits)))
	{
		return false;
	}
	range->bits = bits + (dotted ? MAPPED_BITS : 0);
	return true;
}

bool
network_range_has(const NetworkRange *range, const NetworkAddress *address)
{
	int whole = range->bits / 8;
	int rest = range->bits % 8;
	uint8_t mask = (uint8_t) (0xFF << (8 - rest));

	return memcmp(range->address.bytes, address->bytes, (size_t) whole) == 0 &&
		   (rest == 0 || ((range->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0);
}
