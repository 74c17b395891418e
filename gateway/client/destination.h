/*
 * destination.h
 *		Finds out where a URL leads, and whether connections may go there.
 *
 * The URL is parsed (egress.h), its name is looked up (resolve.h), and every address is
 * checked.  Who connects gives these addresses to a transfer (transfer.h), so that a name
 * cannot lead elsewhere afterwards.
 */
#ifndef CLIENT_DESTINATION_H
#define CLIENT_DESTINATION_H

#include "client/egress.h"
#include "client/resolve.h"

/* What all destinations of a process share.  Everything is borrowed. */
typedef struct DestinationSetup
{
	struct event_base *base;
	Resolver *resolver;
	const EgressRules *rules;
} DestinationSetup;

/* What is found.  It is valid until the function that is given it returns. */
typedef struct DestinationFound
{
	const char *problem; /* why no connection may be made, a constant; NULL: it may */
	bool may_pass;       /* the problem is the name's, and another look-up may find more */
	const EgressTarget *target;
	const struct sockaddr_storage *addresses; /* of the target's name, all allowed */
	int count;                                /* 0 when the target is an address */
} DestinationFound;

typedef struct Destination Destination;
typedef void (*DestinationDone)(void *arg, const DestinationFound *found);

/*
 * Finds the destination of a URL, which is borrowed until this returns, within timeout_ms.
 * asker is the organization.  done is called once, from the loop, never from within.  NULL: out
 * of memory.
 */
extern Destination *
destination_find(const DestinationSetup *setup, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
				 const char *url, int timeout_ms, DestinationDone done, void *arg);

/* Ends the search; done is not called. */
extern void destination_abandon(Destination *destination);

#endif
