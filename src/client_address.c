/*-------------------------------------------------------------------------
 *
 * client_address.c
 *		Addresses of clients, and the networks that a key can be used from.
 *
 * An address comes as text from whoever authenticates: a gateway, which has it
 * from the connection or from a trusted proxy, or an application.  An IPv4
 * address in the form of IPv6 (::ffff:192.0.2.1), as a server sees it that
 * listens for both, is compared as IPv4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/inet.h"

#include "src/client_address.h"

PG_FUNCTION_INFO_V1(wa_allows_address);

/* The length of the longest IPv6 address as text.  What is longer is no address. */
#define ADDRESS_MAX 45

static const uint8 mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void
wa_client_address_read(const text *from, WaClientAddress *address)
{
	char shown[ADDRESS_MAX + 1];
	const char *zone;
	size_t len;

	memset(address, 0, sizeof(*address));
	if (from == NULL)
		return;
	len = VARSIZE_ANY_EXHDR(from);
	zone = memchr(VARDATA_ANY(from), '%', len);
	if (zone != NULL)
		len = zone - VARDATA_ANY(from);
	if (len > ADDRESS_MAX)
		return;
	memcpy(shown, VARDATA_ANY(from), len);
	shown[len] = '\0';
	if (zone == NULL && inet_pton(AF_INET, shown, address->bytes) == 1)
		address->family = 4;
	else if (inet_pton(AF_INET6, shown, address->bytes) == 1)
		address->family = 6;
}

bool
wa_client_address_show(const WaClientAddress *address, char shown[INET6_ADDRSTRLEN])
{
	return address->family != 0 && inet_ntop(address->family == 4 ? AF_INET : AF_INET6,
											 address->bytes, shown, INET6_ADDRSTRLEN) != NULL;
}

WaNetworks *
wa_networks_read(Datum array)
{
	WaNetworks *networks;
	Datum *elements;
	int count;

	deconstruct_array(DatumGetArrayTypeP(array), CIDROID, -1, false, TYPALIGN_INT, &elements, NULL,
					  &count);
	networks = palloc0(offsetof(WaNetworks, list) + count * sizeof(WaNetwork));
	networks->count = count;
	for (int i = 0; i < count; i++)
	{
		inet *element = DatumGetInetPP(elements[i]);

		networks->list[i].family = ip_family(element) == PGSQL_AF_INET ? 4 : 6;
		networks->list[i].bits = ip_bits(element);
		memcpy(networks->list[i].bytes, ip_addr(element), ip_addrsize(element));
	}
	return networks;
}

WaNetworks *
wa_networks_copy(const WaNetworks *networks, MemoryContext context)
{
	Size size = offsetof(WaNetworks, list) + networks->count * sizeof(WaNetwork);
	WaNetworks *copy = MemoryContextAlloc(context, size);

	memcpy(copy, networks, size);
	return copy;
}

bool
wa_networks_have(const WaNetworks *networks, const WaClientAddress *address)
{
	uint8 family = address->family;
	const uint8 *bytes = address->bytes;

	if (networks == NULL)
		return true;
	if (family == 6 && memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0)
	{
		family = 4;
		bytes += sizeof(mapped_prefix);
	}
	for (int i = 0; i < networks->count; i++)
	{
		const WaNetwork *network = &networks->list[i];

		if (network->family == family && bitncmp(network->bytes, bytes, network->bits) == 0)
			return true;
	}
	return false;
}

/* wa.allows_address(networks, address): whether the address is in one of them; NULL has all. */
Datum
wa_allows_address(PG_FUNCTION_ARGS)
{
	WaNetworks *networks = PG_ARGISNULL(0) ? NULL : wa_networks_read(PG_GETARG_DATUM(0));
	WaClientAddress address;

	wa_client_address_read(PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1), &address);
	PG_RETURN_BOOL(wa_networks_have(networks, &address));
}
