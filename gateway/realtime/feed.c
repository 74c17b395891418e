/*
 * feed.c
 *		Feeds: when they are read, and which feed a member joins.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "realtime/feed.h"
#include "realtime/position.h"
#include "realtime/read.h"
#include "realtime/state.h"
#include "realtime/wanted.h"

/* How often the late feeds are checked, while there are any. */
#define LATE_TICK_MS 10

/*
 * The database is asked about a credential when it should have expired, and then at this
 * interval.
 */
#define EXPIRY_AGAIN_MS 1000

/* Timers are set only for credentials that expire before the sweep after the next one. */
#define EXPIRY_SOON_MS (2 * EXPIRY_SWEEP_MS)

/* ---- state ---- */

static void
leave_late(Feed *feed)
{
	if (feed->retry_at > 0)
	{
		TAILQ_REMOVE(&feed->realtime->late, feed, late_link);
		feed->retry_at = 0;
	}
}

static void
join_due(Feed *feed)
{
	Org *org = feed->org;

	if (TAILQ_EMPTY(&org->due))
		TAILQ_INSERT_TAIL(&feed->realtime->due, org, due_link);
	TAILQ_INSERT_TAIL(&org->due, feed, due_link);
}

static void
leave_due(Feed *feed)
{
	Org *org = feed->org;

	TAILQ_REMOVE(&org->due, feed, due_link);
	if (TAILQ_EMPTY(&org->due))
		TAILQ_REMOVE(&feed->realtime->due, org, due_link);
}

static void
count_reads(Feed *feed, int more)
{
	feed->realtime->reads += more;
	feed->org->reads += more;
}

void
feed_enter(Feed *feed, FeedState state)
{
	if (feed->state == FEED_DUE)
		leave_due(feed);
	if (feed->state == FEED_READING)
		count_reads(feed, -1);
	feed->state = state;
	if (state == FEED_READING)
		count_reads(feed, 1);
	if (state == FEED_DUE)
	{
		leave_late(feed);
		join_due(feed);
	}
}

void
feed_wake(Feed *feed)
{
	if (feed->state == FEED_IDLE)
		feed_enter(feed, FEED_DUE);
	else if (feed->state == FEED_READING)
		feed->again = true;
}

void
feed_drained(Feed *feed)
{
	if (feed->waits)
	{
		feed->waits = false;
		feed_wake(feed);
		feeds_run(feed->realtime);
	}
}

/* Reads the feed again after a while, unless it is woken before. */
void
feed_retry(Feed *feed, bool progress)
{
	Realtime *realtime = feed->realtime;

	if (feed->state != FEED_IDLE)
		return;
	if (progress || feed->retry_ms == 0)
		feed->retry_ms = RETRY_FIRST_MS;
	else if (feed->retry_ms < RETRY_LAST_MS)
		feed->retry_ms *= 2;
	if (feed->retry_at == 0)
		TAILQ_INSERT_TAIL(&realtime->late, feed, late_link);
	feed->retry_at = clock_monotonic_ms() + feed->retry_ms;
	if (!timer_is_started(&realtime->late_tick))
		timer_repeat(&realtime->late_tick, LATE_TICK_MS);
}

void
feeds_on_late_tick(void *context)
{
	Realtime *realtime = context;
	int64_t now = clock_monotonic_ms();
	Feed *next;

	for (Feed *feed = TAILQ_FIRST(&realtime->late); feed != NULL; feed = next)
	{
		next = TAILQ_NEXT(feed, late_link);
		if (feed->retry_at <= now)
			feed_wake(feed);
	}
	if (TAILQ_EMPTY(&realtime->late))
		timer_stop(&realtime->late_tick);
	feeds_run(realtime);
}

/*
 * The feed whose turn it is, or NULL.  While a read is free, only one organization can have
 * half of them, so that the second in the list may read if the first may not.
 */
static Feed *
next_due(Realtime *realtime)
{
	Org *org = TAILQ_FIRST(&realtime->due);
	Org *other = org == NULL ? NULL : TAILQ_NEXT(org, due_link);

	if (other == NULL)
		return org == NULL ? NULL : TAILQ_FIRST(&org->due);
	if (org->reads >= realtime->reads_max / 2)
		org = other;
	TAILQ_REMOVE(&realtime->due, org, due_link);
	TAILQ_INSERT_TAIL(&realtime->due, org, due_link);
	return TAILQ_FIRST(&org->due);
}

void
feeds_run(Realtime *realtime)
{
	Feed *feed;

	while (realtime->reads < realtime->reads_max && (feed = next_due(realtime)) != NULL)
	{
		if (read_start(feed))
		{
			feed_enter(feed, FEED_READING);
		}
		else
		{
			feed_enter(feed, FEED_IDLE);
			feed_retry(feed, false);
		}
	}
}

/* ---- life ---- */

Feed *
feed_create(Realtime *realtime, Holder *holder, Org *org, Filter *filter, const Position *position)
{
	Feed *feed = calloc(1, sizeof(*feed));

	if (feed == NULL)
	{
		free(filter->types);
		filter->types = NULL;
		return NULL;
	}
	feed->realtime = realtime;
	feed->holder = holder;
	feed->org = org;
	feed->filter = *filter;
	filter->types = NULL;
	feed->position = *position;
	TAILQ_INIT(&feed->members);
	TAILQ_INSERT_TAIL(&holder->feeds, feed, holder_link);
	TAILQ_INSERT_TAIL(&org->feeds, feed, org_link);
	return feed;
}

void
feed_free_if_empty(Feed *feed)
{
	Holder *holder = feed->holder;
	Realtime *realtime = feed->realtime;

	if (feed->busy || !TAILQ_EMPTY(&feed->members))
		return;
	read_abandon(feed);
	feed_enter(feed, FEED_IDLE);
	leave_late(feed);
	timer_close(&feed->expiry);
	TAILQ_REMOVE(&holder->feeds, feed, holder_link);
	TAILQ_REMOVE(&feed->org->feeds, feed, org_link);
	org_free_if_empty(feed->org);
	free(feed->filter.types);
	free(feed);
	holder_free_if_empty(realtime, holder);
}

/* ---- merging ---- */

static Feed *
live_feed_like(const Feed *feed)
{
	Feed *other;

	TAILQ_FOREACH(other, &feed->holder->feeds, holder_link)
	{
		if (other != feed && other->live && filter_same(&other->filter, &feed->filter))
			return other;
	}
	return NULL;
}

/*
 * The members of this feed have already received everything up to its position.  What the
 * target still reads up to there is therefore skipped for them.
 */
static void
move_members(Feed *feed, Feed *target)
{
	Member *member;

	while ((member = TAILQ_FIRST(&feed->members)) != NULL)
	{
		TAILQ_REMOVE(&feed->members, member, link);
		member->feed = target;
		member->after = feed->position;
		member->skips = true;
		TAILQ_INSERT_TAIL(&target->members, member, link);
	}
	feed_watch_expiry(target);
}

/*
 * A live feed that is ahead of this one cannot take its members: they would miss the events
 * between the two positions.  Then this feed reads on.  Its next snapshot is later than the
 * live feed's, so it gets at least as far.
 */
bool
feed_merge(Feed *feed)
{
	Feed *target = feed->holder->is_key ? live_feed_like(feed) : NULL;

	if (feed->state == FEED_READING || feed->waits || feed->live || target == NULL ||
		position_compare(&target->position, &feed->position) > 0)
		return false;
	move_members(feed, target);
	feed_free_if_empty(feed);
	return true;
}

/* Called when the feed has read all events that are visible. */
void
feed_settle(Feed *feed)
{
	if (feed->live)
		return;
	if (!feed->holder->is_key || live_feed_like(feed) == NULL)
	{
		feed->live = true;
		return;
	}
	if (!feed_merge(feed))
		feed_wake(feed);
}

/* ---- credentials that expire ---- */

static int64_t
first_expiry(const Feed *feed)
{
	int64_t first = INT64_MAX;
	const Member *member;

	TAILQ_FOREACH(member, &feed->members, link)
	{
		first = member->expires_ms < first ? member->expires_ms : first;
	}
	return first;
}

static void
on_expiry(void *context)
{
	Feed *feed = context;

	feed_wake(feed);
	feed_watch_expiry(feed);
	feeds_run(feed->realtime);
}

/* The database decides whether a credential has expired; this only asks it in time. */
void
feed_watch_expiry(Feed *feed)
{
	int64_t left = first_expiry(feed) - clock_wall_ms();

	if (left > EXPIRY_SOON_MS)
		return;
	if (!timer_is_open(&feed->expiry) &&
		!timer_open(&feed->expiry, feed->realtime->base, on_expiry, feed))
		return;
	timer_start(&feed->expiry, left > 0 ? left : EXPIRY_AGAIN_MS);
}

void
feeds_on_sweep(void *context)
{
	Realtime *realtime = context;
	Org *org;
	Feed *feed;

	for (int i = 0; i < ORG_LISTS; i++)
	{
		TAILQ_FOREACH(org, &realtime->orgs[i], link)
		{
			TAILQ_FOREACH(feed, &org->feeds, org_link)
			{
				feed_watch_expiry(feed);
			}
		}
	}
}
