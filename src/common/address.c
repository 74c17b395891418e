/*-------------------------------------------------------------------------
 *
 * address.c
 *		Which IP addresses belong to the public Internet, and ranges of addresses.
 *
 * The ranges are those of IANA's special-purpose address registries, and one
 * that a cloud uses for itself.  In IPv6 only the global unicast range can be
 * public.  So addresses outside it that map or translate to IPv4
 * (::ffff:0:0/96, 64:ff9b::/96) are special, whatever IPv4 address they map to.
 *
 *-------------------------------------------------------------------------
 */
#include "src/common/address.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

typedef struct SpecialRange
{
	const char *kind;
	const char *address;
	int bits;
} SpecialRange;

static const SpecialRange special_v4[] = {
	{"this network", "0.0.0.0", 8},          {"private", "10.0.0.0", 8},
	{"carrier-grade NAT", "100.64.0.0", 10}, {"loopback", "127.0.0.0", 8},
	{"cloud metadata", "168.63.129.16", 32}, {"link-local", "169.254.0.0", 16},
	{"private", "172.16.0.0", 12},           {"protocol assignments", "192.0.0.0", 24},
	{"documentation", "192.0.2.0", 24},      {"6to4 relay", "192.88.99.0", 24},
	{"private", "192.168.0.0", 16},          {"benchmarking", "198.18.0.0", 15},
	{"documentation", "198.51.100.0", 24},   {"documentation", "203.0.113.0", 24},
	{"multicast", "224.0.0.0", 4},           {"reserved", "240.0.0.0", 4},
};

/* Special ranges within global_v6. */
static const SpecialRange special_v6[] = {
	{"protocol assignments", "2001::", 23}, /* Teredo, benchmarking, ORCHID */
	{"documentation", "2001:db8::", 32},
	{"6to4", "2002::", 16},
	{"documentation", "3fff::", 20},
};

static const SpecialRange global_v6 = {"not global", "2000::", 3};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
same_bits(const unsigned char *a, const unsigned char *b, int bits)
{
	int rest = bits % 8;

	if (memcmp(a, b, (size_t) (bits / 8)) != 0)
		return false;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) & (0xff << (8 - rest) & 0xff)) == 0;
}

static bool
is_within(const unsigned char *bytes, int family, const SpecialRange *range)
{
	unsigned char start[WAK_ADDRESS_MAX];

	return inet_pton(family, range->address, start) == 1 && same_bits(bytes, start, range->bits);
}

static const char *
find_kind(const unsigned char *bytes, int family, const SpecialRange *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_within(bytes, family, &ranges[i]))
			return ranges[i].kind;
	return NULL;
}

const char *
wak_address_kind(const unsigned char *bytes, size_t size)
{
	if (size == 4)
		return find_kind(bytes, AF_INET, special_v4, COUNT(special_v4));
	if (size != 16)
		return "not an Internet address";
	if (!is_within(bytes, AF_INET6, &global_v6))
		return global_v6.kind;
	return find_kind(bytes, AF_INET6, special_v6, COUNT(special_v6));
}

/* Reads one to three digits. */
static bool
read_bits(const char *text, size_t len, int most, int *bits)
{
	*bits = 0;
	if (len == 0 || len > 3)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return false;
		*bits = 10 * *bits + (text[i] - '0');
	}
	return *bits <= most;
}

bool
wak_range_read(const char *text, size_t len, WakRange *range)
{
	bool v6 = memchr(text, ':', len) != NULL;
	const char *slash = memchr(text, '/', len);
	size_t address_len = slash == NULL ? len : (size_t) (slash - text);
	char address[INET6_ADDRSTRLEN];

	if (address_len >= sizeof(address))
		return false;
	memcpy(address, text, address_len);
	address[address_len] = '\0';
	range->size = v6 ? 16 : 4;
	range->bits = v6 ? 128 : 32;
	if (strlen(address) != address_len ||
		inet_pton(v6 ? AF_INET6 : AF_INET, address, range->bytes) != 1)
		return false;
	return slash == NULL || read_bits(slash + 1, len - address_len - 1, range->bits, &range->bits);
}

bool
wak_range_has(const WakRange *range, const unsigned char *bytes, size_t size)
{
	return range->size == size && same_bits(range->bytes, bytes, range->bits);
}
