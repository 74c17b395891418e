/*
 * fair_queue.c
 *		A fair queue; see fair_queue.h.
 *
 * Each level is a list of those that have waiting items, with the next one first; after its
 * turn it moves to the end.  The search for the longest looks at all entries of a list.  It
 * happens only when a bound is exceeded, and a list has no more entries than there are items.
 */
#include "lib/fair_queue.h"

#include <stdlib.h>
#include <string.h>

/* The size of both hash tables; a power of two. */
#define BUCKETS 1024

TAILQ_HEAD(FairItems, FairItem);

typedef struct FairFlow
{
	FairKey key;
	struct FairGroup *group;
	struct FairItems items; /* never empty */
	int waiting;
	size_t weight; /* of the waiting items */
	TAILQ_ENTRY(FairFlow) turn;
	TAILQ_ENTRY(FairFlow) hash;
} FairFlow;

typedef struct FairGroup
{
	FairKey key;
	FairClass class;
	TAILQ_HEAD(, FairFlow) flows;
	int waiting; /* 0: it is not in the list of its class */
	int under_way;
	size_t weight; /* of the items that wait or are under way */
	TAILQ_ENTRY(FairGroup) turn;
	TAILQ_ENTRY(FairGroup) hash;
} FairGroup;

typedef struct FairRing
{
	TAILQ_HEAD(, FairGroup) groups;
	int waiting; /* 0: it is not in the list of the queue */
	TAILQ_ENTRY(FairRing) turn;
} FairRing;

struct FairQueue
{
	FairRing classes[FAIR_CLASSES];
	TAILQ_HEAD(, FairRing) turns;
	TAILQ_HEAD(, FairGroup) groups[BUCKETS];
	TAILQ_HEAD(, FairFlow) flows[BUCKETS];
	int waiting;
	int group_count;
	int max;
	int group_max;
	size_t group_weight;
};

FairQueue *
fair_queue_create(int max, int group_max, size_t group_weight)
{
	FairQueue *queue = calloc(1, sizeof(*queue));

	if (queue == NULL)
		return NULL;
	queue->max = max;
	queue->group_max = group_max;
	queue->group_weight = group_weight;
	TAILQ_INIT(&queue->turns);
	for (int i = 0; i < FAIR_CLASSES; i++)
		TAILQ_INIT(&queue->classes[i].groups);
	for (int i = 0; i < BUCKETS; i++)
	{
		TAILQ_INIT(&queue->groups[i]);
		TAILQ_INIT(&queue->flows[i]);
	}
	return queue;
}

void
fair_queue_free(FairQueue *queue)
{
	free(queue);
}

int
fair_queue_waiting(const FairQueue *queue)
{
	return queue->waiting;
}

int
fair_queue_groups(const FairQueue *queue)
{
	return queue->group_count;
}

/* ---- groups and flows ---- */

unsigned
fair_key_hash(const FairKey *key)
{
	unsigned hash;

	memcpy(&hash, key->bytes, sizeof(hash));
	return hash;
}

bool
fair_key_same(const FairKey *one, const FairKey *other)
{
	return memcmp(one->bytes, other->bytes, FAIR_KEY_SIZE) == 0;
}

static unsigned
bucket_of(const FairKey *key)
{
	return fair_key_hash(key) & (BUCKETS - 1);
}

/* NULL: out of memory. */
static FairGroup *
find_group(FairQueue *queue, const FairOwner *owner)
{
	unsigned bucket = bucket_of(&owner->group);
	FairGroup *group;

	TAILQ_FOREACH(group, &queue->groups[bucket], hash)
	{
		if (group->class == owner->class && fair_key_same(&group->key, &owner->group))
			return group;
	}
	group = calloc(1, sizeof(*group));
	if (group == NULL)
		return NULL;
	group->key = owner->group;
	group->class = owner->class;
	TAILQ_INIT(&group->flows);
	TAILQ_INSERT_HEAD(&queue->groups[bucket], group, hash);
	queue->group_count++;
	return group;
}

static FairFlow *
find_flow(FairQueue *queue, FairGroup *group, const FairKey *key)
{
	unsigned bucket = bucket_of(key);
	FairFlow *flow;

	TAILQ_FOREACH(flow, &queue->flows[bucket], hash)
	{
		if (flow->group == group && fair_key_same(&flow->key, key))
			return flow;
	}
	flow = calloc(1, sizeof(*flow));
	if (flow == NULL)
		return NULL;
	flow->key = *key;
	flow->group = group;
	TAILQ_INIT(&flow->items);
	TAILQ_INSERT_HEAD(&queue->flows[bucket], flow, hash);
	return flow;
}

static void
drop_idle_group(FairQueue *queue, FairGroup *group)
{
	if (group->waiting == 0 && group->under_way == 0)
	{
		TAILQ_REMOVE(&queue->groups[bucket_of(&group->key)], group, hash);
		queue->group_count--;
		free(group);
	}
}

/* ---- waiting items ---- */

/* A flow, group or class joins the end of its list when it gets its first item. */
static void
append(FairQueue *queue, FairFlow *flow, FairItem *item)
{
	FairGroup *group = flow->group;
	FairRing *ring = &queue->classes[group->class];

	if (flow->waiting++ == 0)
		TAILQ_INSERT_TAIL(&group->flows, flow, turn);
	if (group->waiting++ == 0)
		TAILQ_INSERT_TAIL(&ring->groups, group, turn);
	if (ring->waiting++ == 0)
		TAILQ_INSERT_TAIL(&queue->turns, ring, turn);
	queue->waiting++;
	flow->weight += item->weight;
	group->weight += item->weight;
	TAILQ_INSERT_TAIL(&flow->items, item, link);
	item->flow = flow;
	item->group = group;
}

/* Takes the item out of its flow.  The group stays, even if it has no more items. */
static void
detach(FairQueue *queue, FairItem *item)
{
	FairFlow *flow = item->flow;
	FairGroup *group = flow->group;
	FairRing *ring = &queue->classes[group->class];

	TAILQ_REMOVE(&flow->items, item, link);
	item->flow = NULL;
	flow->weight -= item->weight;
	queue->waiting--;
	if (--ring->waiting == 0)
		TAILQ_REMOVE(&queue->turns, ring, turn);
	if (--group->waiting == 0)
		TAILQ_REMOVE(&ring->groups, group, turn);
	if (--flow->waiting == 0)
	{
		TAILQ_REMOVE(&group->flows, flow, turn);
		TAILQ_REMOVE(&queue->flows[bucket_of(&flow->key)], flow, hash);
		free(flow);
	}
}

void
fair_queue_leave(FairQueue *queue, FairItem *item)
{
	FairGroup *group = item->group;

	if (group == NULL)
		return;
	if (item->flow != NULL)
		detach(queue, item);
	else
		group->under_way--;
	group->weight -= item->weight;
	item->group = NULL;
	drop_idle_group(queue, group);
}

/* ---- which item loses its place ---- */

/* Of equally long flows, that of the new item, then the one whose turn comes first. */
static FairFlow *
longest_flow(const FairGroup *group, FairFlow *newcomer)
{
	FairFlow *longest = newcomer->group == group ? newcomer : TAILQ_FIRST(&group->flows);
	FairFlow *flow;

	TAILQ_FOREACH(flow, &group->flows, turn)
	{
		if (flow->waiting > longest->waiting)
			longest = flow;
	}
	return longest;
}

static FairGroup *
longest_group(const FairQueue *queue, FairGroup *newcomer)
{
	const FairRing *class = &queue->classes[newcomer->class];
	FairGroup *longest = newcomer;
	FairGroup *group;

	for (int i = 0; i < FAIR_CLASSES; i++)
	{
		if (queue->classes[i].waiting > class->waiting)
		{
			class = &queue->classes[i];
			longest = TAILQ_FIRST(&class->groups);
		}
	}
	TAILQ_FOREACH(group, &class->groups, turn)
	{
		if (group->waiting > longest->waiting)
			longest = group;
	}
	return longest;
}

static FairItem *
newest_of(const FairFlow *flow)
{
	return TAILQ_LAST(&flow->items, FairItems);
}

/* The newest item of the heaviest flow of the group, if the group is light enough without it. */
static FairItem *
too_heavy(FairFlow *newcomer)
{
	size_t added = newest_of(newcomer)->weight;
	FairFlow *heaviest = newcomer;
	FairFlow *flow;

	TAILQ_FOREACH(flow, &newcomer->group->flows, turn)
	{
		if (flow->weight > heaviest->weight && newest_of(flow)->weight >= added)
			heaviest = flow;
	}
	return newest_of(heaviest);
}

static FairLoss
lose(FairQueue *queue, FairItem *item, bool crowded)
{
	fair_queue_leave(queue, item);
	return (FairLoss){.item = item, .crowded = crowded};
}

/* Removes the item that loses its place, if a bound is exceeded. */
static FairLoss
keep_bounds(FairQueue *queue, FairFlow *newcomer)
{
	FairGroup *group = newcomer->group;

	if (group->class != FAIR_OWN && group->weight > queue->group_weight)
		return lose(queue, too_heavy(newcomer), group->waiting + group->under_way > 1);
	if (group->class == FAIR_OWN || group->waiting <= queue->group_max)
	{
		if (queue->waiting <= queue->max)
			return (FairLoss){0};
		group = longest_group(queue, group);
	}
	return lose(queue, newest_of(longest_flow(group, newcomer)), group->waiting > 1);
}

FairLoss
fair_queue_add(FairQueue *queue, const FairOwner *owner, FairItem *item)
{
	FairGroup *group = find_group(queue, owner);
	FairFlow *flow = group == NULL ? NULL : find_flow(queue, group, &owner->flow);

	if (flow == NULL)
	{
		if (group != NULL)
			drop_idle_group(queue, group);
		return (FairLoss){.item = item};
	}
	append(queue, flow, item);
	return keep_bounds(queue, flow);
}

/* ---- which item is next ---- */

/* Moves the three to the ends of their lists, and takes the item out of its flow. */
static FairItem *
take_turn(FairQueue *queue, FairRing *ring, FairGroup *group)
{
	FairFlow *flow = TAILQ_FIRST(&group->flows);
	FairItem *item = TAILQ_FIRST(&flow->items);

	TAILQ_REMOVE(&queue->turns, ring, turn);
	TAILQ_INSERT_TAIL(&queue->turns, ring, turn);
	TAILQ_REMOVE(&ring->groups, group, turn);
	TAILQ_INSERT_TAIL(&ring->groups, group, turn);
	TAILQ_REMOVE(&group->flows, flow, turn);
	TAILQ_INSERT_TAIL(&group->flows, flow, turn);
	detach(queue, item);
	group->under_way++;
	return item;
}

FairItem *
fair_queue_take(FairQueue *queue, FairMay may, void *context)
{
	FairRing *ring;
	FairGroup *group;

	TAILQ_FOREACH(ring, &queue->turns, turn)
	{
		TAILQ_FOREACH(group, &ring->groups, turn)
		{
			const FairFlow *flow = TAILQ_FIRST(&group->flows);
			const FairItem *next = TAILQ_FIRST(&flow->items);

			if (may(context, next, group->under_way, queue->group_count))
				return take_turn(queue, ring, group);
		}
	}
	return NULL;
}
