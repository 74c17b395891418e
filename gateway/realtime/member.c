/*
 * member.c
 *		Open sockets, and the keys or persons that they belong to.
 */
#include <stdlib.h>
#include <string.h>

#include "src/common/memory.h"
#include "src/common/typeid.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "realtime/member.h"
#include "realtime/notices.h"
#include "realtime/read.h"
#include "realtime/state.h"
#include "realtime/wait.h"

/* ---- holders ---- */

static struct HolderList *
list_of(Realtime *realtime, const uint8_t id[DB_UUID_SIZE])
{
	return &realtime->holders[id[DB_UUID_SIZE - 1]];
}

static Holder *
find_holder(const Realtime *realtime, const uint8_t id[DB_UUID_SIZE])
{
	Holder *holder;

	TAILQ_FOREACH(holder, &realtime->holders[id[DB_UUID_SIZE - 1]], link)
	{
		if (memcmp(holder->id, id, DB_UUID_SIZE) == 0)
			return holder;
	}
	return NULL;
}

int
holder_sockets(const Realtime *realtime, const uint8_t id[DB_UUID_SIZE])
{
	const Holder *holder = find_holder(realtime, id);

	return holder == NULL ? 0 : holder->sockets;
}

static Holder *
find_or_make_holder(Realtime *realtime, const Identity *identity)
{
	Holder *holder = find_holder(realtime, identity->holder);

	if (holder != NULL)
		return holder;
	holder = calloc(1, sizeof(*holder));
	if (holder != NULL)
	{
		memcpy(holder->id, identity->holder, DB_UUID_SIZE);
		holder->is_key = identity->is_key;
		TAILQ_INIT(&holder->feeds);
		TAILQ_INSERT_TAIL(list_of(realtime, identity->holder), holder, link);
	}
	return holder;
}

void
holder_free_if_empty(Realtime *realtime, Holder *holder)
{
	if (holder->sockets == 0 && TAILQ_EMPTY(&holder->feeds))
	{
		TAILQ_REMOVE(list_of(realtime, holder->id), holder, link);
		free(holder);
	}
}

/* ---- members ---- */

static void
log_member(const Member *member, const char *event, int code, const char *reason)
{
	const Holder *holder = member->feed->holder;
	char id[WAK_TYPEID_MAX + 1];

	wak_typeid_encode(holder->is_key ? "key" : "usr", holder->id, id);
	log_line(LOG_LEVEL_INFO, event, log_text("key_id", id), log_int("code", code),
			 log_text("reason", reason),
			 log_int("duration_ms", clock_monotonic_ms() - member->opened_ms));
}

/*
 * Makes a feed for one member.  If that fails, a holder or organization made for it is
 * freed again.
 */
static Feed *
make_feed(Realtime *realtime, const Identity *identity, Filter *filter, const Position *position)
{
	Holder *holder = find_or_make_holder(realtime, identity);
	Org *org = holder == NULL ? NULL : org_find_or_make(realtime, identity->org);
	Feed *feed = org == NULL ? NULL : feed_create(realtime, holder, org, filter, position);

	if (feed == NULL && org != NULL)
		org_free_if_empty(org);
	if (feed == NULL && holder != NULL)
		holder_free_if_empty(realtime, holder);
	return feed;
}

Member *
member_create(Realtime *realtime, const Identity *identity, Filter *filter,
			  const Position *position)
{
	Member *member = calloc(1, sizeof(*member));
	Feed *feed = member == NULL ? NULL : make_feed(realtime, identity, filter, position);

	if (feed == NULL)
	{
		free(filter->types);
		filter->types = NULL;
		free(member);
		return NULL;
	}
	feed->holder->sockets++;
	feed->org->sockets++;
	member->feed = feed;
	member->expires_ms = identity->expires_ms;
	member->opened_ms = clock_monotonic_ms();
	memcpy(member->credential, identity->credential, sizeof(member->credential));
	memcpy(member->client, identity->client, sizeof(member->client));
	TAILQ_INSERT_TAIL(&feed->members, member, link);
	realtime->sockets++;
	return member;
}

void
member_join(Member *member)
{
	Realtime *realtime = member->feed->realtime;

	log_line(LOG_LEVEL_DEBUG, "socket_opened", log_int("sockets", realtime->sockets));
	feed_watch_expiry(member->feed);
	/* Something may have been committed since its position was read, so it is read at once. */
	feed_wake(member->feed);
	feed_merge(member->feed);
	/*
	 * This comes last: if waiting has failed for too long it closes all sockets, including
	 * this one.
	 */
	waiting_begin(realtime->waiting);
	feeds_run(realtime);
}

/* The member leaves its feed and is freed.  It no longer owns its socket. */
static void
leave(Member *member)
{
	Feed *feed = member->feed;
	Holder *holder = feed->holder;
	Realtime *realtime = feed->realtime;

	TAILQ_REMOVE(&feed->members, member, link);
	if (feed->reader == member)
		feed->reader = NULL;
	holder->sockets--;
	feed->org->sockets--;
	realtime->sockets--;
	forget_credential(realtime, member->credential);
	wak_wipe(member, sizeof(*member));
	free(member);
	feed_free_if_empty(feed);
	if (realtime->sockets == 0)
		waiting_end(realtime->waiting);
}

void
member_abandon(Member *member)
{
	leave(member);
}

bool
member_send(Member *member, const char *frames, size_t len)
{
	if (websocket_send(member->socket, frames, len))
		return true;
	log_member(member, "socket_closed", WEBSOCKET_SLOW_READER, "client reads too slowly");
	leave(member);
	return false;
}

void
member_close(Member *member, int code, const char *error, const char *reason)
{
	Buffer frame;

	buffer_init(&frame, FRAMES_MAX);
	if (error != NULL && notice_error(&frame, error) && !member_send(member, frame.data, frame.len))
	{
		buffer_free(&frame);
		return;
	}
	buffer_free(&frame);
	log_member(member, "socket_closed", code, reason);
	websocket_close(member->socket, code, reason);
	leave(member);
}

const Filter *
member_filter(const Member *member)
{
	return &member->feed->filter;
}

static void
on_drained(void *owner)
{
	const Member *member = owner;

	feed_drained(member->feed);
}

static void
on_closed(void *owner, int code, const char *reason)
{
	Member *member = owner;

	log_member(member, "socket_closed", code, reason);
	leave(member);
}

const WebSocketEvents member_events = {
	.heartbeat = "{\"event\":\"ping\"}",
	.drained = on_drained,
	.closed = on_closed,
};

static Member *
first_open_member_of(const Org *org)
{
	const Feed *feed;

	TAILQ_FOREACH(feed, &org->feeds, org_link)
	{
		Member *member = TAILQ_FIRST(&feed->members);

		if (member != NULL && member->socket != NULL)
			return member;
	}
	return NULL;
}

/*
 * Closing a member may also free its feed and its holder, so the search starts again after
 * each one.  A member without a socket is skipped: it belongs to the code that opens it.
 */
static Member *
first_open_member(const Realtime *realtime)
{
	for (int i = 0; i < ORG_LISTS; i++)
	{
		const Org *org;

		TAILQ_FOREACH(org, &realtime->orgs[i], link)
		{
			Member *member = first_open_member_of(org);

			if (member != NULL)
				return member;
		}
	}
	return NULL;
}

void
members_close_all(Realtime *realtime, int code, const char *reason)
{
	Member *member;

	while ((member = first_open_member(realtime)) != NULL)
		member_close(member, code, NULL, reason);
}
