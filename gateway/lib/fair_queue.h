/*
 * fair_queue.h
 *		A fair queue: organizations, and the credentials within them, take turns.
 *
 * An *item* waits in a *flow* (one credential).  A flow belongs to a *group* (one
 * organization, or one network address), and a group belongs to a *class*.  Turns are round
 * robin at three levels: classes with waiting items take turns, groups within a class take
 * turns, and flows within a group take turns.  Within a flow the oldest item is first.  So
 * an organization with a thousand waiting items, or a thousand credentials, is served no
 * sooner than one with a single item.
 *
 * The queue has three bounds.  When a group exceeds its bound, the longest flow of the group
 * loses its newest item.  When the queue exceeds its bound, the longest flow of the longest
 * group of the longest class loses its newest item.  If several are equally long, the one
 * with the new item loses.
 *
 * An item can have a weight: the bytes that are kept in memory for it, also while it is under
 * way.  When a group weighs more than it may, the heaviest flow of the group loses its newest
 * item, or the new item loses its place if it weighs more than that one.
 *
 * An item that was taken is *under way* until it leaves.  The queue counts the items of each
 * group that are under way, so that the caller can pass a group over.
 *
 * The caller owns the items.  The queue owns groups and flows, which exist as long as they
 * have items.  Part of a key is used as its hash, so keys must not be predictable; they are
 * digests.
 */
#ifndef LIB_FAIR_QUEUE_H
#define LIB_FAIR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define FAIR_KEY_SIZE 16

typedef struct FairKey
{
	uint8_t bytes[FAIR_KEY_SIZE];
} FairKey;

/* A part of the key, as it is. */
extern unsigned fair_key_hash(const FairKey *key);
extern bool fair_key_same(const FairKey *one, const FairKey *other);

typedef enum FairClass
{
	FAIR_OWN,     /* the program's own requests; the bound of a group does not apply */
	FAIR_ORG,     /* requests of an organization */
	FAIR_ADDRESS, /* requests of which only the network address is known */
	FAIR_CLASSES
} FairClass;

/* The owner of an item. */
typedef struct FairOwner
{
	FairClass class;
	FairKey group;
	FairKey flow;
} FairOwner;

/*
 * Embedded in what waits.  All zero before it is added, except the weight; both pointers NULL
 * after it has left.
 */
typedef struct FairItem
{
	TAILQ_ENTRY(FairItem) link;
	size_t weight;
	struct FairFlow *flow;   /* while it waits */
	struct FairGroup *group; /* while it waits or is under way */
} FairItem;

typedef struct FairQueue FairQueue;

/*
 * At most max items wait, and at most group_max of one group, whose items weigh at most
 * group_weight.  NULL: out of memory.
 */
extern FairQueue *fair_queue_create(int max, int group_max, size_t group_weight);

/* Frees the queue, from which all items must have left; queue may be NULL. */
extern void fair_queue_free(FairQueue *queue);

/* An item that has lost its place because a bound was exceeded. */
typedef struct FairLoss
{
	FairItem *item; /* NULL: there is none */
	bool crowded;   /* other items of its group wait, so its own group had too many */
} FairLoss;

/* Adds the item.  If a bound is exceeded, this item or another one loses its place. */
extern FairLoss fair_queue_add(FairQueue *queue, const FairOwner *owner, FairItem *item);

/*
 * Whether the next item of a group may be taken.  under_way is the number of the group's items
 * that are under way, and groups the number of groups with items waiting or under way.
 */
typedef bool (*FairMay)(void *context, const FairItem *next, int under_way, int groups);

/*
 * Takes the next item, of the first group for which "may" returns true; the item is then under
 * way.  A group that is passed over keeps its turn.  NULL: there is no such item.
 */
extern FairItem *fair_queue_take(FairQueue *queue, FairMay may, void *context);

/* Removes an item that waits or is under way. */
extern void fair_queue_leave(FairQueue *queue, FairItem *item);

/* The number of waiting items, and the number of groups with items waiting or under way. */
extern int fair_queue_waiting(const FairQueue *queue);
extern int fair_queue_groups(const FairQueue *queue);

#endif
