/*
 * state.h
 *		The state of a Realtime.
 */
#ifndef REALTIME_STATE_H
#define REALTIME_STATE_H

#include "realtime/feed.h"
#include "realtime/forget.h"
#include "realtime/open.h"
#include "realtime/org.h"
#include "realtime/realtime.h"
#include "realtime/wait.h"

/*
 * The reads of all feeds that are in the database at a time, for each connection; other
 * reads wait.  Two keep a connection busy, and a request behind them does not wait for
 * long.
 */
#define READS_PER_CONNECTION 2

/* The permission that every read needs. */
#define NEEDS "events"

/* The SQLSTATE which says that a position is no longer kept. */
#define RESYNC_STATE "WA001"

/* The indexes of the statements. */
typedef struct Statements
{
	int redeem;
	int open;
	int start;
	int batch;
	int close;
	int credential;
	int wait;
	int knock;
} Statements;

struct Realtime
{
	struct event_base *base;
	Db *db;
	RealtimeConfig config;
	Statements statements;
	struct HolderList holders[HOLDER_LISTS];
	struct OrgList orgs[ORG_LISTS];
	struct OrgList unwatched; /* the organizations that the database is to be asked to watch */
	struct OrgList due;       /* the organizations with feeds in FEED_DUE; they take turns */
	struct FeedList late;
	struct OpeningList openings; /* requests that may become sockets */
	int opening_count;
	int sockets;
	int reads;       /* the number of feeds in FEED_READING */
	int reads_max;   /* its maximum */
	Timer late_tick; /* runs while there are late feeds */
	Timer sweep;     /* for expiry; runs while there are sockets */
	Buffer frames;   /* of the read whose events are being sent */
	Waiting *waiting;
	struct ForgetList forgets;
	int forget_count;
	int forgetting; /* under way */

	/* draining */
	void (*drained)(void *context); /* NULL: not, or done */
	void *drained_context;
	int64_t drain_deadline; /* monotonic milliseconds */
	Timer drain;            /* looks whether it is over */
};

#endif
