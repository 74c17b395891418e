/*
 * org.h
 *		The organizations that have sockets here, and whether the database tells of their changes.
 */
#ifndef REALTIME_ORG_H
#define REALTIME_ORG_H

#include <sys/queue.h>

#include "realtime/member.h"

typedef struct Org Org;

/* Lists of organizations, found by the last byte of their ids, which is random. */
#define ORG_LISTS 256

typedef enum OrgState
{
	ORG_UNWATCHED, /* on realtime->unwatched: the database is to be asked to watch it */
	ORG_HANDED,    /* on realtime->unwatched: the wait that is under way asks for it */
	ORG_WATCHED    /* the database tells of its changes */
} OrgState;

/* An organization with sockets here. */
struct Org
{
	TAILQ_ENTRY(Org) link; /* realtime->orgs[...] */
	TAILQ_ENTRY(Org) unwatched_link;
	Realtime *realtime;
	uint8_t id[DB_UUID_SIZE];
	OrgState state;
	struct FeedList feeds;
};

TAILQ_HEAD(OrgList, Org);

/* NULL: it has no feed here. */
extern Org *org_find(Realtime *realtime, const uint8_t id[DB_UUID_SIZE]);

/* ... or memory is out. */
extern Org *org_find_or_make(Realtime *realtime, const uint8_t id[DB_UUID_SIZE]);

/* Ends it, when it has no feed. */
extern void org_free_if_empty(Org *org);

/* Something may have happened there. */
extern void org_wake(Org *org);

/* Changes its state; on realtime->unwatched it goes to the end. */
extern void org_enter(Org *org, OrgState state);

/* The database watches none of them any more. */
extern void orgs_unwatch_all(Realtime *realtime);

/* The credential of one of its sockets; NULL: there is none at the moment. */
extern const char *org_credential(const Org *org);

#endif
