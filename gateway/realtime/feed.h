/*
 * feed.h
 *		Reads events for sockets that get the same events.
 *
 * A *member* is an open socket.  A *feed* is what is read for one or more members that see
 * the same events: sockets of one key with the same filter.  A *holder* is a key or a
 * person with its feeds.  Sockets of persons never share a feed, since each depends on its
 * own sign-in.  Sockets of different keys never share one.
 *
 * The Realtime owns its holders, a holder owns its feeds, and a feed owns its members.
 * When the last member leaves, its feed is freed; when the last feed goes, its holder is
 * freed.
 *
 * A new socket gets its own feed, which begins at its position.  This feed is *catching up*
 * until it has read to the horizon, the last event that can be read so far.  Then its member
 * moves to the live feed with the same key and filter; if there is none, this feed becomes
 * the live one.  If the live feed has not read as far as the member, the events in between
 * are skipped for this member when the live feed reads them.  Nothing else is needed to
 * join the two.
 *
 *	IDLE		nothing to do; woken by its organization, or at its retry time if on realtime->late
 *	DUE			on org->due; reads when it is the turn of its organization
 *	READING		its request is in the database; what happens meanwhile is noted in "again"
 *
 * Only feed_enter() changes the state.
 *
 * Organizations take turns at reading.  One of them may have thousands of feeds that are due
 * with each of its events; the feeds of the others do not wait behind all of these.
 */
#ifndef REALTIME_FEED_H
#define REALTIME_FEED_H

#include <sys/queue.h>

#include "lib/timer.h"
#include "realtime/member.h"
#include "realtime/org.h"

/*
 * The time until the next read when committed events are hidden by an older transaction, or
 * when the database could not be asked.  It is doubled from the first value to the last.
 */
#define RETRY_FIRST_MS 10
#define RETRY_LAST_MS 1000

/*
 * Timers are set for credentials that expire in the next one or two hours; the sweep
 * repeats this often.
 */
#define EXPIRY_SWEEP_MS (60 * 60 * 1000)

typedef enum FeedState
{
	FEED_IDLE,
	FEED_DUE,
	FEED_READING
} FeedState;

/* What a feed asks the database. */
typedef enum ReadKind
{
	READ_EVENTS,     /* the events after its position */
	READ_CREDENTIAL, /* only whether its reader may still listen: no more can be sent now */
	READ_POSITION    /* where to begin anew, because its position is no longer kept */
} ReadKind;

struct Feed
{
	TAILQ_ENTRY(Feed) holder_link; /* holder->feeds */
	TAILQ_ENTRY(Feed) org_link;    /* org->feeds */
	TAILQ_ENTRY(Feed) due_link;    /* FEED_DUE: org->due */
	TAILQ_ENTRY(Feed) late_link;   /* retry_at > 0: realtime->late */
	Realtime *realtime;
	Holder *holder;
	Org *org;
	struct MemberList members;
	Filter filter;
	Position position; /* all events up to it have been sent */
	FeedState state;
	bool live;     /* it has read to the horizon, so others may join it */
	bool again;    /* FEED_READING: something happened that this read may not see */
	bool waits;    /* catching up: it reads on when its member's queue is empty */
	bool restarts; /* the next read is a READ_POSITION */
	bool busy;     /* an answer is being processed: it is not freed, even without a member */
	DbRequest *request;
	ReadKind kind;    /* of the request */
	Member *reader;   /* the member whose credential the request has; NULL when it has left */
	int refused;      /* how many readers in a row were refused before their expiry */
	int64_t retry_at; /* monotonic milliseconds; 0: none */
	int retry_ms;
	Timer expiry; /* not open when no credential expires soon */
};

/*
 * Makes a feed with no member yet.  filter.types is taken over, also on failure.  NULL:
 * memory is out.
 */
extern Feed *
feed_create(Realtime *realtime, Holder *holder, Org *org, Filter *filter, const Position *position);

/*
 * Frees the feed if it has no member and is not busy.  Its holder and its organization are
 * freed with their last feed.
 */
extern void feed_free_if_empty(Feed *feed);

/* Reads the feed soon, because there may be new events. */
extern void feed_wake(Feed *feed);

/* Reads on, since the member's queue is empty. */
extern void feed_drained(Feed *feed);

/*
 * Moves the members to the live feed of the same key and filter, if possible.  After true
 * the feed may be freed.
 */
extern bool feed_merge(Feed *feed);

/* Sets the timer for the next credential that expires, if that is soon. */
extern void feed_watch_expiry(Feed *feed);

/*
 * Starts reads of feeds that are due, as many as are permitted: one for each organization in
 * turns, and at most half of all reads for one while a feed of another is due.
 */
extern void feeds_run(Realtime *realtime);

/* Called by the timers of the Realtime. */
extern void feeds_on_late_tick(void *context);
extern void feeds_on_sweep(void *context);

extern void feed_enter(Feed *feed, FeedState state);
extern void feed_retry(Feed *feed, bool progress);
extern void feed_settle(Feed *feed);

#endif
