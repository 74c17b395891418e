/*
 * destination.c
 *		Finds out where a URL leads; see destination.h.
 *
 *	start ──name──▶ RESOLVING ──addresses, or none in time──▶ end
 *	   └──── an address, or anything wrong ──▶ FOUND ──next turn of the loop──▶ end
 */
#include "client/destination.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/timer.h"

#define NOT_ALLOWED "the address is not allowed"

struct Destination
{
	const DestinationSetup *setup;
	DestinationDone done;
	void *arg;
	EgressTarget target;
	Resolution *resolution; /* NULL: nothing is looked up */
	bool resolving;
	bool looked_up;
	Timer timer;
	const char *problem; /* when it is found */
	struct sockaddr_storage addresses[RESOLVE_ADDRESSES_MAX];
	int count;
};

static void
free_destination(Destination *destination)
{
	timer_close(&destination->timer);
	free(destination);
}

/* Tells what was found in the next turn of the loop. */
static void
tell_soon(Destination *destination, const char *problem)
{
	destination->resolving = false;
	destination->problem = problem;
	timer_start(&destination->timer, 0);
}

/* The log names the refused address for the operator; who gave the URL does not see it. */
static bool
all_allowed(const Destination *destination, const struct sockaddr_storage *addresses, int count)
{
	for (int i = 0; i < count; i++)
	{
		const struct sockaddr *address = (const struct sockaddr *) &addresses[i];

		if (!egress_allows(destination->setup->rules, address))
		{
			log_line(LOG_LEVEL_WARNING, "egress_refused",
					 log_text("host", destination->target.host),
					 log_text("kind", egress_kind(address)));
			return false;
		}
	}
	return true;
}

static void
on_resolved(void *arg, const struct sockaddr_storage *addresses, int count, const char *problem)
{
	Destination *destination = arg;
	struct sockaddr_storage *kept = destination->addresses;

	destination->resolution = NULL;
	if (problem != NULL)
	{
		tell_soon(destination, problem);
		return;
	}
	memcpy(kept, addresses, sizeof(*addresses) * (size_t) count);
	destination->count =
		egress_keep_allowed(destination->setup->rules, destination->target.host, kept, count);
	tell_soon(destination,
			  all_allowed(destination, kept, destination->count) ? NULL : RESOLVE_NOWHERE);
}

static void
find(Destination *destination, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE], const char *url,
	 int timeout_ms)
{
	const char *problem = egress_parse(url, &destination->target);

	if (problem != NULL)
		tell_soon(destination, problem);
	else if (destination->target.kind == EGRESS_NAME)
	{
		destination->resolving = true;
		destination->looked_up = true;
		timer_start(&destination->timer, timeout_ms);
		destination->resolution = resolve_start(destination->setup->resolver, asker,
												destination->target.host, on_resolved, destination);
	}
	else
		tell_soon(destination,
				  all_allowed(destination, &destination->target.address, 1) ? NULL : NOT_ALLOWED);
}

static void
on_timer(void *context)
{
	Destination *destination = context;
	DestinationFound found = {.problem = destination->problem,
							  .may_pass = destination->looked_up,
							  .target = &destination->target,
							  .addresses = destination->addresses,
							  .count = destination->count};

	if (destination->resolving)
	{
		resolve_expire(destination->resolution);
		found.problem = RESOLVE_LATE;
	}
	destination->done(destination->arg, &found);
	free_destination(destination);
}

Destination *
destination_find(const DestinationSetup *setup, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
				 const char *url, int timeout_ms, DestinationDone done, void *arg)
{
	Destination *destination = calloc(1, sizeof(*destination));

	if (destination == NULL)
		return NULL;
	destination->setup = setup;
	destination->done = done;
	destination->arg = arg;
	if (!timer_open(&destination->timer, setup->base, on_timer, destination))
	{
		free(destination);
		return NULL;
	}
	find(destination, asker, url, timeout_ms);
	return destination;
}

void
destination_abandon(Destination *destination)
{
	if (destination->resolution != NULL)
		resolve_abandon(destination->resolution);
	free_destination(destination);
}
