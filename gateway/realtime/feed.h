/*
 * feed.h
 *		What is read for sockets that get the same events.
 *
 * A *member* is an open socket.  A *feed* is what is read for one or more members that see
 * the same events: those of one key with the same filter.  A *holder* is a key or a person
 * with its feeds.  Sockets of persons never share a feed, since each rests on a sign-in of
 * its own, and sockets of different keys never do.
 *
 * Who owns what: the Realtime its holders, a holder its feeds, a feed its members.  The
 * last member that leaves takes its feed along, and the last feed its holder.
 *
 * A new socket gets a feed of its own, which begins at its position and is *catching up* until
 * it has read to the horizon.  Then its member moves to the feed of its kind that is live,
 * or the feed becomes the live one.  What the live feed is behind of the member is skipped
 * for it: that is all there is to the seam.
 *
 *	IDLE		nothing to do; woken by its organization, or by its retry time when on realtime->late
 *	DUE			on realtime->due; reads when a read is free
 *	READING		request is in the database; what happens meanwhile is noted in "again"
 *
 * feed_enter() is the only place where that changes.
 */
#ifndef REALTIME_FEED_H
#define REALTIME_FEED_H

#include <sys/queue.h>

#include "lib/timer.h"
#include "realtime/member.h"
#include "realtime/org.h"

/*
 * Until the next look when events are committed that a transaction still under way keeps
 * back, or when the database could not be asked: doubled from the first to the last.
 */
#define RETRY_FIRST_MS 10
#define RETRY_LAST_MS 1000

/* Timers are set for what ends within the next hour or so; that is looked at so often. */
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
	READ_EVENTS,     /* what is behind its position */
	READ_CREDENTIAL, /* only whether its reader may still listen: nothing more can be sent now */
	READ_POSITION    /* where to begin anew, because its position is not kept any more */
} ReadKind;

struct Feed
{
	TAILQ_ENTRY(Feed) holder_link; /* holder->feeds */
	TAILQ_ENTRY(Feed) org_link;    /* org->feeds */
	TAILQ_ENTRY(Feed) due_link;    /* FEED_DUE: realtime->due */
	TAILQ_ENTRY(Feed) late_link;   /* retry_at > 0: realtime->late */
	Realtime *realtime;
	Holder *holder;
	Org *org;
	struct MemberList members;
	Filter filter;
	Position position; /* everything up to it has been sent */
	FeedState state;
	bool live;     /* it has read to the horizon: others may join it */
	bool again;    /* FEED_READING: something happened that this read may not have seen */
	bool waits;    /* catching up: its member's queue has to empty before it reads on */
	bool restarts; /* the next read is a READ_POSITION */
	bool busy;     /* an answer is being worked on: it stays, also without a member */
	DbRequest *request;
	ReadKind kind;    /* of the request */
	Member *reader;   /* whose credential the request has; NULL when that one has left */
	int refused;      /* readers in a row whose credentials were refused before their time */
	int64_t retry_at; /* monotonic milliseconds; 0: none */
	int retry_ms;
	Timer expiry; /* not open: nothing ends soon */
};

/* A feed with no member yet.  filter.types is taken over, also on failure.  NULL: memory is out. */
extern Feed *
feed_create(Realtime *realtime, Holder *holder, Org *org, Filter *filter, const Position *position);

/* Ends it, and a holder and an organization of which it was the last, when it has no member and nobody is busy with it. */
extern void feed_free_if_empty(Feed *feed);

/* Something may have happened. */
extern void feed_wake(Feed *feed);

/* The member's queue has emptied. */
extern void feed_drained(Feed *feed);

/* Moves the members to the feed of their kind that is live, if it can: true, and the feed may be gone. */
extern bool feed_merge(Feed *feed);

/* Sets the timer for the next credential that ends, if that is soon. */
extern void feed_watch_expiry(Feed *feed);

/* Lets feeds that are due read, as many as may. */
extern void feeds_run(Realtime *realtime);

/* Timers of the whole. */
extern void feeds_on_late_tick(void *context);
extern void feeds_on_sweep(void *context);

extern void feed_enter(Feed *feed, FeedState state);
extern void feed_retry(Feed *feed, bool progress);
extern void feed_settle(Feed *feed);

#endif
