/*
 * org.c
 *		Organizations with sockets here, and whether the database reports their changes.
 *
 * The database reports an organization's changes to a gateway only after the gateway has
 * handed over the credential of one of its sockets (wait.c).  An organization is on
 * realtime->unwatched from its first socket until the database has said that it watches it.
 * It returns to that list when the credential that was handed over has expired, or the
 * connection was lost.
 */
#include <stdlib.h>
#include <string.h>

#include "realtime/org.h"
#include "realtime/state.h"

static struct OrgList *
list_of(Realtime *realtime, const uint8_t id[DB_UUID_SIZE])
{
	return &realtime->orgs[id[DB_UUID_SIZE - 1]];
}

void
org_enter(Org *org, OrgState state)
{
	struct OrgList *unwatched = &org->realtime->unwatched;

	if (org->state != ORG_WATCHED)
		TAILQ_REMOVE(unwatched, org, unwatched_link);
	org->state = state;
	if (state != ORG_WATCHED)
		TAILQ_INSERT_TAIL(unwatched, org, unwatched_link);
}

void
orgs_unwatch_all(Realtime *realtime)
{
	Org *org;

	for (int i = 0; i < ORG_LISTS; i++)
	{
		TAILQ_FOREACH(org, &realtime->orgs[i], link)
		{
			if (org->state == ORG_WATCHED)
				org_enter(org, ORG_UNWATCHED);
		}
	}
}

Org *
org_find(Realtime *realtime, const uint8_t id[DB_UUID_SIZE])
{
	Org *org;

	TAILQ_FOREACH(org, list_of(realtime, id), link)
	{
		if (memcmp(org->id, id, DB_UUID_SIZE) == 0)
			return org;
	}
	return NULL;
}

Org *
org_find_or_make(Realtime *realtime, const uint8_t id[DB_UUID_SIZE])
{
	Org *org = org_find(realtime, id);

	if (org != NULL)
		return org;
	org = calloc(1, sizeof(*org));
	if (org != NULL)
	{
		org->realtime = realtime;
		memcpy(org->id, id, DB_UUID_SIZE);
		TAILQ_INIT(&org->feeds);
		TAILQ_INIT(&org->due);
		TAILQ_INSERT_TAIL(list_of(realtime, id), org, link);
		TAILQ_INSERT_TAIL(&realtime->unwatched, org, unwatched_link);
	}
	return org;
}

int
org_sockets(Realtime *realtime, const uint8_t id[DB_UUID_SIZE])
{
	const Org *org = org_find(realtime, id);

	return org == NULL ? 0 : org->sockets;
}

void
org_free_if_empty(Org *org)
{
	if (TAILQ_EMPTY(&org->feeds))
	{
		org_enter(org, ORG_WATCHED);
		TAILQ_REMOVE(list_of(org->realtime, org->id), org, link);
		free(org);
	}
}

void
org_wake(Org *org)
{
	Feed *feed;

	TAILQ_FOREACH(feed, &org->feeds, org_link)
	{
		feed_wake(feed);
	}
}

/* A feed has no member while its last one is leaving. */
const char *
org_credential(const Org *org)
{
	const Feed *feed;

	TAILQ_FOREACH(feed, &org->feeds, org_link)
	{
		const Member *member = TAILQ_FIRST(&feed->members);

		if (member != NULL)
			return member->credential;
	}
	return NULL;
}
