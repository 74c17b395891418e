/*
 * resolve.c
 *		Looks up the addresses of names, on the loop.
 *
 * evdns_getaddrinfo() may call back before it returns, and it also calls back when it is
 * cancelled.  A Resolution is freed only in that callback, even if nobody waits for the
 * result any more.
 */
#include "client/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

#include "lib/clock.h"
#include "client/egress.h"

/* One name takes two questions: for IPv4 and for IPv6 addresses. */
#define QUESTIONS 2

/* Since 2.2 libevent caches addresses unless this flag is set. */
#ifdef EVDNS_BASE_NO_CACHE
#define KEEP_NOTHING EVDNS_BASE_NO_CACHE
#else
#define KEEP_NOTHING 0
#endif

struct Resolver
{
	struct evdns_base *dns;
	NegativeCache *failed;
};

struct Resolution
{
	ResolveDone done; /* NULL: nobody waits for the result any more */
	void *arg;
	Resolver *resolver;
	uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE];
	char name[EGRESS_HOST_MAX + 1];
	struct evdns_getaddrinfo_request *request;
	bool starting; /* evdns_getaddrinfo() has not returned yet */
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

/* These options override those of /etc/resolv.conf. */
static void
set_bounds(struct evdns_base *dns, int names)
{
	char questions[16];

	snprintf(questions, sizeof(questions), "%d", names * QUESTIONS);
	evdns_base_set_option(dns, "max-inflight", questions);
	evdns_base_set_option(dns, "timeout", RESOLVE_TRY_SECONDS);
	evdns_base_set_option(dns, "attempts", RESOLVE_TRIES);
}

Resolver *
resolver_open(struct event_base *base, const char *server, int names)
{
	Resolver *resolver = calloc(1, sizeof(*resolver));

	if (resolver == NULL)
		return NULL;
	evdns_set_log_fn(log_nothing);
	resolver->failed = negative_cache_open();
	resolver->dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE | KEEP_NOTHING);
	if (resolver->failed == NULL || resolver->dns == NULL)
	{
		resolver_close(resolver);
		return NULL;
	}
	if (server == NULL)
		evdns_base_resolv_conf_parse(resolver->dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	evdns_base_search_clear(resolver->dns);
	set_bounds(resolver->dns, names);
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
	if (resolver->dns != NULL)
		evdns_base_free(resolver->dns, 1);
	negative_cache_close(resolver->failed);
	free(resolver);
}

/* Copies the addresses.  Returns -1 when there are more than can be checked. */
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

/* A failure for lack of memory says nothing about the name, so it is not remembered. */
static void
remember(const Resolution *resolution, int error)
{
	if (error != 0 && error != EVUTIL_EAI_MEMORY)
		negative_cache_add(resolution->resolver->failed, resolution->asker, resolution->name,
						   clock_monotonic_ms());
}

/* When nobody waits for the result any more, the resolver may be freed already. */
static void
on_addresses(int error, struct evutil_addrinfo *found, void *arg)
{
	Resolution *resolution = arg;

	if (resolution->done != NULL)
	{
		remember(resolution, error);
		tell(resolution, error, found);
	}
	if (found != NULL)
		evutil_freeaddrinfo(found);
	resolution->ended = true;
	if (!resolution->starting)
		free(resolution);
}

static Resolution *
make_resolution(Resolver *resolver, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
				const char *name, ResolveDone done, void *arg)
{
	Resolution *resolution = calloc(1, sizeof(*resolution));

	if (resolution == NULL)
		return NULL;
	resolution->resolver = resolver;
	resolution->done = done;
	resolution->arg = arg;
	memcpy(resolution->asker, asker, NEGATIVE_CACHE_ASKER_SIZE);
	snprintf(resolution->name, sizeof(resolution->name), "%s", name);
	return resolution;
}

Resolution *
resolve_start(Resolver *resolver, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE], const char *name,
			  ResolveDone done, void *arg)
{
	const struct evutil_addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
	Resolution *resolution;

	if (negative_cache_has(resolver->failed, asker, name, clock_monotonic_ms()))
	{
		done(arg, NULL, 0, RESOLVE_NOWHERE);
		return NULL;
	}
	resolution = make_resolution(resolver, asker, name, done, arg);
	if (resolution == NULL)
	{
		done(arg, NULL, 0, "out of memory");
		return NULL;
	}
	resolution->starting = true;
	resolution->request =
		evdns_getaddrinfo(resolver->dns, name, NULL, &hints, on_addresses, resolution);
	resolution->starting = false;
	if (resolution->ended)
	{
		free(resolution);
		return NULL;
	}
	return resolution;
}

void
resolve_abandon(Resolution *resolution)
{
	resolution->done = NULL;
	evdns_getaddrinfo_cancel(resolution->request);
}

void
resolve_expire(Resolution *resolution)
{
	remember(resolution, EVUTIL_EAI_AGAIN);
	resolve_abandon(resolution);
}
