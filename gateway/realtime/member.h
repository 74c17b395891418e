/*
 * member.h
 *		Open sockets, and the keys or persons that they belong to.
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

/*
 * The number of lists of holders.  The list is chosen by the last byte of the id, which is
 * random.
 */
#define HOLDER_LISTS 256

struct Member
{
	TAILQ_ENTRY(Member) link; /* feed->members */
	Feed *feed;
	WebSocket *socket;
	bool skips;     /* skips events that are not above "after" */
	Position after; /* the member had received events up to here when it joined the feed */
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

/* Frees the holder if it has neither sockets nor feeds. */
extern void holder_free_if_empty(Realtime *realtime, Holder *holder);

/* The number of sockets that the key or person has. */
extern int holder_sockets(const Realtime *realtime, const uint8_t id[DB_UUID_SIZE]);

/*
 * Makes a member for a socket that will be opened.  It gets no events yet.  filter.types is
 * taken over, also on failure.  NULL: memory is out.
 */
extern Member *member_create(Realtime *realtime, const Identity *identity, Filter *filter,
							 const Position *position);

/* Called when its socket is open.  From now on it gets events. */
extern void member_join(Member *member);

/* Says which events it gets. */
extern const Filter *member_filter(const Member *member);

/* Frees a member whose socket was not opened. */
extern void member_abandon(Member *member);

/* Sends frames.  Returns false when the socket was dropped; then the member is freed. */
extern bool member_send(Member *member, const char *frames, size_t len);

/* Sends the error, if it is not NULL, and closes the socket.  The member is freed. */
extern void member_close(Member *member, int code, const char *error, const char *reason);

/* The callbacks of a member's socket. */
extern const WebSocketEvents member_events;

/* Closes all sockets. */
extern void members_close_all(Realtime *realtime, int code, const char *reason);

#endif
