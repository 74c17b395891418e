/*
 * member.h
 *		A socket that is open, and the key or person that it belongs to.
 */
#ifndef REALTIME_MEMBER_H
#define REALTIME_MEMBER_H

#include <sys/queue.h>

#include "http/websocket.h"
#include "realtime/identity.h"
#include "realtime/position.h"
#include "realtime/wanted.h"

typedef struct Realtime Realtime;
typedef struct Feed Feed;
typedef struct Holder Holder;
typedef struct Member Member;

/* Lists of holders, found by the last byte of their ids, which is random. */
#define HOLDER_LISTS 256

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

#endif
