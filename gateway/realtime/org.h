/*
 * org.h
 *		Organizations with sockets here, and whether the database reports their changes.
 */
#ifndef REALTIME_ORG_H
#define REALTIME_ORG_H

#include <sys/queue.h>

#include "realtime/member.h"

typedef struct Org Org;

/*
 * The number of lists of organizations.  The list is chosen by the last byte of the id,
 * which is random.
 */
#define ORG_LISTS 256

typedef enum OrgState
{
	ORG_UNWATCHED, /* on realtime->unwatched: the database is to be asked to watch it */
	ORG_HANDED,    /* on realtime->unwatched: the current wait asks for it */
	ORG_WATCHED    /* the database reports its changes */
} OrgState;

/* An organization with sockets here. */
struct Org
{
	TAILQ_ENTRY(Org) link; /* realtime->orgs[...] */
	TAILQ_ENTRY(Org) unwatched_link;
	TAILQ_ENTRY(Org) due_link; /* realtime->due, while one of its feeds is due */
	Realtime *realtime;
	uint8_t id[DB_UUID_SIZE];
	OrgState state;
	int sockets;
	int reads; /* the number of its feeds in FEED_READING */
	struct FeedList feeds;
	struct FeedList due; /* those in FEED_DUE */
};

TAILQ_HEAD(OrgList, Org);

/* Returns NULL when the organization has no feed here. */
extern Org *org_find(Realtime *realtime, const uint8_t id[DB_UUID_SIZE]);

/* Returns NULL when memory is out. */
extern Org *org_find_or_make(Realtime *realtime, const uint8_t id[DB_UUID_SIZE]);

/* How many sockets the organization has here. */
extern int org_sockets(Realtime *realtime, const uint8_t id[DB_UUID_SIZE]);

/* Frees the organization if it has no feed. */
extern void org_free_if_empty(Org *org);

/* Wakes its feeds, because there may be new events. */
extern void org_wake(Org *org);

/*
 * Changes its state.  An organization that enters realtime->unwatched goes to the end of
 * that list.
 */
extern void org_enter(Org *org, OrgState state);

/* Called when the database watches none of them any more. */
extern void orgs_unwatch_all(Realtime *realtime);

/* The credential of one of its sockets; NULL: there is none at the moment. */
extern const char *org_credential(const Org *org);

#endif
