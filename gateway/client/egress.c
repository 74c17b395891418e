/*
 * egress.c
 *		Decides which destinations a URL that a tenant has written may have.
 */
#include "client/egress.h"

#include <string.h>

/* ---- addresses ---- */

static const unsigned char *
address_bytes(const struct sockaddr *address, size_t *size)
{
	const struct sockaddr_in *v4 = (const void *) address;
	const struct sockaddr_in6 *v6 = (const void *) address;

	*size = address->sa_family == AF_INET ? 4 : address->sa_family == AF_INET6 ? 16 : 0;
	return *size == 4 ? (const unsigned char *) &v4->sin_addr : v6->sin6_addr.s6_addr;
}

const char *
egress_kind(const struct sockaddr *address)
{
	size_t size;
	const unsigned char *bytes = address_bytes(address, &size);

	return wak_address_kind(bytes, size);
}

bool
egress_allows(const EgressRules *rules, const struct sockaddr *address)
{
	size_t size;
	const unsigned char *bytes = address_bytes(address, &size);

	for (int i = 0; i < rules->count; i++)
		if (wak_range_has(&rules->allowed[i], bytes, size))
			return true;
	return wak_address_kind(bytes, size) == NULL;
}

bool
egress_allow(EgressRules *rules, const char *text)
{
	if (rules->count == EGRESS_ALLOWED_MAX ||
		!wak_range_read(text, strlen(text), &rules->allowed[rules->count]))
		return false;
	rules->count++;
	return true;
}

/* ---- URLs ---- */

static void
set_address(EgressTarget *target, const WakUrl *url)
{
	struct sockaddr_in *v4 = (void *) &target->address;
	struct sockaddr_in6 *v6 = (void *) &target->address;

	target->kind = EGRESS_ADDRESS;
	target->address.ss_family = url->address_size == 4 ? AF_INET : AF_INET6;
	if (url->address_size == 4)
	{
		memcpy(&v4->sin_addr, url->address, 4);
		v4->sin_port = htons((uint16_t) url->port);
	}
	else
	{
		memcpy(&v6->sin6_addr, url->address, 16);
		v6->sin6_port = htons((uint16_t) url->port);
	}
}

const char *
egress_parse(const char *text, EgressTarget *target)
{
	WakUrl url;
	const char *problem = wak_url_read(text, strlen(text), &url);

	memset(target, 0, sizeof(*target));
	if (problem != NULL)
		return problem;
	target->tls = url.tls;
	target->port = url.port;
	memcpy(target->host, url.host, sizeof(url.host));
	if (url.address_size > 0)
		set_address(target, &url);
	return NULL;
}

/* RFC 6761, 6.3: these names mean the machine itself, whatever address family is asked for. */
static bool
is_localhost(const char *host)
{
	static const char name[] = "localhost";
	size_t len = strlen(host);
	size_t name_len = sizeof(name) - 1;

	return len >= name_len && strcmp(host + len - name_len, name) == 0 &&
		   (len == name_len || host[len - name_len - 1] == '.');
}

bool
egress_is_loopback(const struct sockaddr *address)
{
	size_t size;
	const unsigned char *bytes = address_bytes(address, &size);

	return size == 4
			   ? bytes[0] == 127
			   : size == 16 && memcmp(bytes, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

int
egress_keep_allowed(const EgressRules *rules, const char *host, struct sockaddr_storage *addresses,
					int count)
{
	int kept = 0;

	if (!is_localhost(host))
		return count;
	for (int i = 0; i < count; i++)
	{
		const struct sockaddr *address = (const struct sockaddr *) &addresses[i];

		if (egress_allows(rules, address) || !egress_is_loopback(address))
			addresses[kept++] = addresses[i];
	}
	return kept > 0 ? kept : count;
}
