/*
 * realtime_internal.h
 *		The inside of gateway/realtime: holders, feeds, members.
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
#ifndef REALTIME_REALTIME_INTERNAL_H
#define REALTIME_REALTIME_INTERNAL_H

#include <sys/queue.h>

#include <event2/event.h>

#include "src/common/key_format.h"
#include "http/websocket.h"
#include "realtime/position.h"
#include "realtime/realtime.h"

/* Lists of organizations, found by the last byte of their ids, which is random. */
#define ORG_LISTS 256

/* Lists of holders, found by the last byte of their ids, which is random. */
#define HOLDER_LISTS 256

/*
 * Reads under way at a time, of all feeds, for each connection; others wait for their turn.
 * Two keep a connection busy, and a request behind them does not wait for long.
 */
#define READS_PER_CONNECTION 2

/* Events of one read; both this and a bound of 1 MiB are in realtime_batch. */
#define READ_EVENTS_MAX 200

/* Bytes of the frames of one read: the 1 MiB, the last event beyond it, the heads. */
#define FRAMES_MAX (8 * 1024 * 1024)

/*
 * Until the next look when events are committed that a transaction still under way keeps
 * back, or when the database could not be asked: doubled from the first to the last.
 */
#define RETRY_FIRST_MS 10
#define RETRY_LAST_MS 1000

/* How often it is looked whether all is given back. */
#define DRAIN_TICK_MS 20

/* How often feeds that are to be looked at again are looked for, while there are any. */
#define LATE_TICK_MS 10

/* A credential is asked about when it should be over, and then every so often. */
#define EXPIRY_AGAIN_MS 1000

/* The clocks of gateway and database may differ by so much. */
#define CLOCK_DIFFERENCE_MS 5000

/* Timers are set for what ends within the next hour or so; that is looked at so often. */
#define EXPIRY_SWEEP_MS (60 * 60 * 1000)

/* One wait in the database, and the time in which it has to answer. */
#define WAIT_MS 5000
#define WAIT_TIMEOUT_MS (WAIT_MS + 4000)

/* The connection that waits is closed when there was no socket for so long. */
#define WAIT_IDLE_MS 30000

/* Until the next try when waiting failed. */
#define WAIT_RETRY_MS 250

/* Nothing can be said of sockets whose credentials could not be asked about for so long. */
#define WAIT_LOST_MS 30000

/* Sockets' credentials that are to be given back; what is beyond it ends by its age. */
#define FORGET_MAX 20000

/* ... and how many at a time. */
#define FORGETS_AT_ONCE 8

/* A key has ended when so many of its sockets' credentials are refused in a row. */
#define REFUSED_OF_KEY 2

/* A socket's credential has the length of every credential that we make; and a NUL. */
#define CREDENTIAL_SIZE (WAK_API_KEY_LENGTH + 1)

/* Filter of a socket: types, and characters of one. */
#define TYPES_MAX 64
#define TYPE_MAX 64

typedef struct Feed Feed;
typedef struct Holder Holder;
typedef struct Member Member;
typedef struct Org Org;
typedef struct Waiting Waiting;

/* The permission that every read needs. */
#define NEEDS "events"

/* The state that says that a position is not kept any more. */
#define RESYNC_STATE "WA001"

/* Columns of realtime_start. */
enum
{
	POSITION_EPOCH,
	POSITION_ORDINAL,
	POSITION_ID,
	POSITION_KEY,
	POSITION_SINCE
};

/* Which events a socket gets. */
typedef struct Filter
{
	bool has_session;
	uint8_t session[DB_UUID_SIZE];
	char *types; /* in order, separated by commas; NULL = all */
} Filter;

/* What a socket was opened for. */
typedef struct Wanted
{
	Filter filter;
	bool has_since;
	uint8_t since[DB_UUID_SIZE];
	const char *problem; /* the parameter that is wrong, told once the credential is good */
	const char *problem_text;
} Wanted;

/* Whose a socket is, and what it presents to the database. */
typedef struct Identity
{
	uint8_t holder[DB_UUID_SIZE]; /* key or person */
	bool is_key;
	uint8_t org[DB_UUID_SIZE];
	int64_t expires_ms; /* wall clock */
	char credential[CREDENTIAL_SIZE];
	char client[DB_ADDRESS_MAX + 1]; /* where it comes from, for the record of the key's use */
} Identity;

struct Member
{
	TAILQ_ENTRY(Member) link; /* feed->members */
	Feed *feed;
	WebSocket *socket;
	bool skips;     /* what is not above "after" */
	Position after; /* what the member has had when it came to the feed */
	int64_t expires_ms;
	int64_t opened_ms; /* monotonic */
	char credential[CREDENTIAL_SIZE];
	char client[DB_ADDRESS_MAX + 1];
};

TAILQ_HEAD(MemberList, Member);

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
	struct event *expiry; /* NULL: nothing ends soon */
};

TAILQ_HEAD(FeedList, Feed);

struct Holder
{
	TAILQ_ENTRY(Holder) link; /* realtime->holders[...] */
	uint8_t id[DB_UUID_SIZE];
	bool is_key;
	int sockets;
	struct FeedList feeds;
};

TAILQ_HEAD(HolderList, Holder);

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

typedef struct Forget
{
	TAILQ_ENTRY(Forget) link; /* realtime->forgets */
	Realtime *realtime;
	DbRequest *request; /* NULL: its turn has not come */
	char credential[CREDENTIAL_SIZE];
} Forget;

TAILQ_HEAD(ForgetList, Forget);

struct Opening;
TAILQ_HEAD(OpeningList, Opening);

/* Statements, by their index. */
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
	struct OrgList unwatched; /* those that the database is to watch for us */
	struct FeedList due;
	struct FeedList late;
	struct OpeningList openings; /* requests that may become sockets */
	int opening_count;
	int sockets;
	int reads;               /* feeds in FEED_READING, */
	int reads_max;           /* ... and how many may be */
	struct event *late_tick; /* runs while there are late feeds */
	struct event *sweep;     /* for expiry; runs while there are sockets */
	Buffer frames;           /* of the read that is being sent */
	Waiting *waiting;
	struct ForgetList forgets;
	int forget_count;
	int forgetting; /* under way */

	/* draining */
	void (*drained)(void *context); /* NULL: not, or done */
	void *drained_context;
	int64_t drain_deadline; /* monotonic milliseconds */
	struct event *drain;    /* looks whether it is over */
};

/* ---- open.c ---- */

/* The HTTP server is gone: nobody waits for these any more. */
extern void openings_end(Realtime *realtime);

/* ---- wanted.c ---- */

/* Reads what the query says: a ticket and nothing else, or the filter and since. */
extern void wanted_read_query(Wanted *wanted, const HttpRequest *request, bool is_ticket);

/* Reads what a ticket says from these columns of the first row; false when it cannot be. */
extern bool
wanted_read_row(Wanted *wanted, const DbResult *result, int session, int types, int since);

/* The types are none that the database knows. */
extern void wanted_refuse_types(Wanted *wanted);

/* Adds the filter's types as a parameter. */
extern bool filter_add_types(DbRequest *request, const Filter *filter);

/* Whether two sockets with these see the same. */
extern bool filter_same(const Filter *a, const Filter *b);

/* ---- member.c ---- */

/* Ends it, when it has neither sockets nor feeds. */
extern void holder_free_if_empty(Realtime *realtime, Holder *holder);

/* How many sockets the key or person has. */
extern int holder_sockets(const Realtime *realtime, const uint8_t id[DB_UUID_SIZE]);

/*
 * The owner of a socket that is about to be; it is nowhere yet.  filter.types is taken
 * over, also on failure.  NULL: memory is out.
 */
extern Member *member_create(Realtime *realtime, const Identity *identity, Filter *filter,
							 const Position *position);

/* Its socket is there: from now on it gets events. */
extern void member_join(Member *member);

/* Which events it gets. */
extern const Filter *member_filter(const Member *member);

/* It has come to nothing. */
extern void member_abandon(Member *member);

/* Sends frames; false: it was dropped, and is gone. */
extern bool member_send(Member *member, const char *frames, size_t len);

/* Says why, when error is not NULL, and closes; the member is gone. */
extern void member_close(Member *member, int code, const char *error, const char *reason);

/* What its socket tells it. */
extern const WebSocketEvents member_events;

/* Closes all sockets. */
extern void members_close_all(Realtime *realtime, int code, const char *reason);

/* ---- feed.c ---- */

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
extern void feeds_on_late_tick(evutil_socket_t fd, short what, void *context);
extern void feeds_on_sweep(evutil_socket_t fd, short what, void *context);

/* ---- read.c ---- */

/* Sends the feed's next request; false: it could not. */
extern bool read_start(Feed *feed);

/* Gives up the request that is under way. */
extern void read_abandon(Feed *feed);

/* ---- for read.c: feed.c ---- */
extern void feed_enter(Feed *feed, FeedState state);
extern void feed_retry(Feed *feed, bool progress);
extern void feed_settle(Feed *feed);

/* ---- org.c ---- */

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

/* ---- wait.c ---- */

extern Waiting *waiting_create(Realtime *realtime);
extern void waiting_free(Waiting *waiting);

/* There is another socket, which may close all sockets; or the last one has gone. */
extern void waiting_begin(Waiting *waiting);
extern void waiting_end(Waiting *waiting);

/* ---- forget.c ---- */

/* Gives a socket's credential back to the database, some time soon; the text is wiped. */
extern void forget_credential(Realtime *realtime, char *credential);
extern void forgets_free(Realtime *realtime);

/* ---- words.c ---- */

/*
 * Append one frame; false when it does not fit.  since is the event behind which the socket
 * begins; NULL: there is none.
 */
extern bool words_connected(Buffer *out, int heartbeat_ms, const Identity *identity,
							const Filter *filter, const uint8_t *since);
extern bool words_resync_required(Buffer *out);
extern bool words_error(Buffer *out, const char *error);

#endif
