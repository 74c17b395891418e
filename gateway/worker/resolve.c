/*
 * resolve.c
 *		Names to addresses, on the loop.
 *
 * evdns_getaddrinfo() may call back before it returns, and calls back once more when it is
 * cancelled; a Resolution lives until its call back, whoever is still interested.
 */
#include "worker/resolve.h"

#include <stdlib.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

struct Resolver
{
	struct evdns_base *dns;
};

struct Resolution
{
	ResolveDone *done; /* NULL: nobody is interested any more */
	void *arg;
	struct evdns_getaddrinfo_request *request;
	bool starting; /* within evdns_getaddrinfo() */
	bool ended;
};

static void
log_nothing(int is_warning, const char *message)
{
	(void) is_warning;
	(void) message;
}

bool
resolver_is_server(const char *server)
{
	struct sockaddr_storage address;
	int size = sizeof(address);

	return evutil_parse_sockaddr_port(server, (struct sockaddr *) &address, &size) == 0;
}

Resolver *
resolver_open(struct event_base *base, const char *server)
{
	Resolver *resolver = calloc(1, sizeof(*resolver));

	if (resolver == NULL)
		return NULL;
	evdns_set_log_fn(log_nothing);
	resolver->dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (resolver->dns == NULL)
	{
		free(resolver);
		return NULL;
	}
	if (server == NULL)
		evdns_base_resolv_conf_parse(resolver->dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	evdns_base_search_clear(resolver->dns);
	evdns_base_set_option(resolver->dns, "timeout", RESOLVE_TRY_SECONDS);
	evdns_base_set_option(resolver->dns, "attempts", RESOLVE_TRIES);
	if ((server != NULL && evdns_base_nameserver_ip_add(resolver->dns, server) != 0) ||
		evdns_base_count_nameservers(resolver->dns) == 0)
	{
		resolver_close(resolver);
		return NULL;
	}
	return resolver;
}

void
resolver_close(Resolver *resolver)
{
	if (resolver == NULL)
		return;
	evdns_base_free(resolver->dns, 1);
	free(resolver);
}

/*
 * Copies what was found; -1: more than can be checked.
 */
static int
copy_addresses(const struct evutil_addrinfo *found, struct sockaddr_storage *addresses)
{
	int count = 0;

	for (; found != NULL; found = found->ai_next)
	{
		if (count == RESOLVE_ADDRESSES_MAX || found->ai_addrlen > sizeof(*addresses))
			return -1;
		memset(&addresses[count], 0, sizeof(*addresses));
		memcpy(&addresses[count++], found->ai_addr, found->ai_addrlen);
	}
	return count;
}

static void
tell(Resolution *resolution, int error, const struct evutil_addrinfo *found)
{
	struct sockaddr_storage addresses[RESOLVE_ADDRESSES_MAX];
	int count = error == 0 ? copy_addresses(found, addresses) : 0;

	if (count > 0)
		resolution->done(resolution->arg, addresses, count, NULL);
	else if (count < 0)
		resolution->done(resolution->arg, NULL, 0, "the name has too many addresses");
	else
		resolution->done(resolution->arg, NULL, 0, RESOLVE_NOWHERE);
}

static void
on_addresses(int error, struct evutil_addrinfo *found, void *arg)
{
	Resolution *resolution = arg;

	if (resolution->done != NULL)
		tell(resolution, error, found);
	if (found != NULL)
		evutil_freeaddrinfo(found);
	resolution->ended = true;
	if (!resolution->starting)
		free(resolution);
}

Resolution *
resolve_start(Resolver *resolver, const char *name, ResolveDone *done, void *arg)
{
	const struct evutil_addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
	Resolution *resolution = calloc(1, sizeof(*resolution));
	struct evdns_getaddrinfo_request *request;

	if (resolution == NULL)
	{
		done(arg, NULL, 0, "out of memory");
		return NULL;
	}
	*resolution = (Resolution){.done = done, .arg = arg, .starting = true};
	request = evdns_getaddrinfo(resolver->dns, name, NULL, &hints, on_addresses, resolution);
	resolution->starting = false;
	if (resolution->ended)
	{
		free(resolution);
		return NULL;
	}
	resolution->request = request;
	return resolution;
}

void
resolve_abandon(Resolution *resolution)
{
	resolution->done = NULL;
	evdns_getaddrinfo_cancel(resolution->request);
}
