/*-------------------------------------------------------------------------
 *
 * client_address.h
 *		Addresses of clients, and the networks that a key can be used from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_CLIENT_ADDRESS_H
#define SRC_CLIENT_ADDRESS_H

#include "postgres.h"

#include <arpa/inet.h>

typedef struct WaClientAddress
{
	uint8 family;    /* 4 or 6; 0 if there is no address */
	uint8 bytes[16]; /* in network order */
} WaClientAddress;

/* The addresses of this family that begin with these bits. */
typedef struct WaNetwork
{
	uint8 family; /* 4 or 6 */
	uint8 bits;
	uint8 bytes[16];
} WaNetwork;

typedef struct WaNetworks
{
	int count;
	WaNetwork list[FLEXIBLE_ARRAY_MEMBER];
} WaNetworks;

/*
 * Reads an address.  "from" may be NULL.  Leaves *address without an address if the text is none.
 * The zone of an address ("%eth0") is left out.
 */
extern void wa_client_address_read(const text *from, WaClientAddress *address);

/* Writes an address as text.  Returns false if there is none. */
extern bool wa_client_address_show(const WaClientAddress *address, char shown[INET6_ADDRSTRLEN]);

/* The networks in an array of type cidr without nulls, in the current memory context. */
extern WaNetworks *wa_networks_read(Datum array);

/* A copy in another memory context. */
extern WaNetworks *wa_networks_copy(const WaNetworks *networks, MemoryContext context);

/*
 * Whether the address is in one of the networks.  Networks that are NULL have all addresses, and
 * also no address.
 */
extern bool wa_networks_have(const WaNetworks *networks, const WaClientAddress *address);

#endif
