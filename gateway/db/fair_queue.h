/*
 * fair_queue.h
 *		A queue in which everybody has a turn.
 *
 * An *item* waits in a *flow* (one credential), a flow is of a *group* (one organization, or
 * one network address), a group of a *class*.  At each of the three levels the turns go
 * round (round robin): the classes that have something waiting take turns, in a class its
 * groups, in a group its flows, and in a flow the oldest item is first.  So whoever has a
 * thousand items waiting, or a thousand credentials, is as far ahead of another
 * organization as with one.
 *
 * Two bounds.  Beyond that of a group, the flow of the group that is longest loses its newest
 * item; beyond that of the queue, the longest flow of the longest group of the longest class
 * does.  Of equals the newcomer's loses.
 *
 * An item that was taken is *under way* until it leaves.  Of each group it is known how many
 * are, so that whoever takes can pass a group over.
 *
 * The caller owns the items; the queue owns groups and flows, which exist while there are
 * items of theirs.  Keys must not be predictable (they are digests), since they are also
 * the hash.
 */
#ifndef DB_FAIR_QUEUE_H
#define DB_FAIR_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define FAIR_KEY_SIZE 16

typedef struct FairKey
{
	uint8_t bytes[FAIR_KEY_SIZE];
} FairKey;

typedef enum FairClass
{
	FAIR_OWN,     /* the program's own requests; no bound but the queue's */
	FAIR_ORG,     /* of an organization */
	FAIR_ADDRESS, /* of whoever is known by the network address only */
	FAIR_CLASSES
} FairClass;

/* Whose item it is. */
typedef struct FairOwner
{
	FairClass class;
	FairKey group;
	FairKey flow;
} FairOwner;

/* A part of what waits; all zero before it is added, and after it has left. */
typedef struct FairItem
{
	TAILQ_ENTRY(FairItem) link;
	struct FairFlow *flow;   /* while it waits */
	struct FairGroup *group; /* while it waits or is under way */
} FairItem;

typedef struct FairQueue FairQueue;

/* NULL: memory is out.  No items of a group beyond group_max wait, and none beyond max. */
extern FairQueue *fair_queue_create(int max, int group_max);

/* All items have left. */
extern void fair_queue_free(FairQueue *queue);

/* An item that has left because a bound was met. */
typedef struct FairLoss
{
	FairItem *item; /* NULL: there is none */
	bool crowded;   /* others of its group wait: it has lost its place to its own */
} FairLoss;

/* The item waits from now on, or has lost its place at once, or another has to it. */
extern FairLoss fair_queue_add(FairQueue *queue, const FairOwner *owner, FairItem *item);

/*
 * May the next item of a group be taken that has under_way others under way, while in all so
 * many groups have items waiting or under way?
 */
typedef bool (*FairMay)(void *context, const FairItem *next, int under_way, int groups);

/*
 * The item whose turn it is, among the groups that may have theirs; it is under way from now
 * on.  A group that was passed over keeps its turn.  NULL: there is none.
 */
extern FairItem *fair_queue_take(FairQueue *queue, FairMay may, void *context);

/* The item waits no more, or is not under way any more. */
extern void fair_queue_leave(FairQueue *queue, FairItem *item);

/* How many items wait, and how many groups have items waiting or under way. */
extern int fair_queue_waiting(const FairQueue *queue);
extern int fair_queue_groups(const FairQueue *queue);

#endif
