/*
 * chats.h
 *		The chats in which something waits to be sent, or that have to be paced.
 *
 * In each chat one job at a time is on its way, so that messages keep their order.  A chat is
 * forgotten when nothing waits in it and its pace has nothing to remember.
 */
#ifndef CLOUD_CHATS_H
#define CLOUD_CHATS_H

#include <sys/queue.h>

#include "cloud/pace.h"
#include "connector/id.h"
#include "lib/timer.h"

/* What is kept for chats in which nothing waits; beyond, they are forgotten at once. */
#define CHATS_IDLE_MAX 65536

typedef struct Chats Chats;
typedef struct Chat Chat;
struct Job;

TAILQ_HEAD(ChatQueue, Job);

struct Chat
{
	LIST_ENTRY(Chat) link;
	Chats *chats;
	ConnectorId session;
	char *jid;
	struct ChatQueue waiting;
	struct Job *current; /* on its way; NULL: none */
	Pace pace;
	int64_t not_before; /* the next try, by clock_monotonic_ms() */
	Timer timer;
};

/* run(context, chat) is called when a chat is due, from the loop; it may let the chat rest. */
extern Chats *
chats_open(struct event_base *base, void (*run)(void *context, Chat *chat), void *context);

/* Nothing may wait.  The argument may be NULL. */
extern void chats_close(Chats *chats);

/* The chat of a session with this jid, which is made if there is none.  NULL: out of memory. */
extern Chat *chats_find(Chats *chats, const ConnectorId *session, const char *jid);

/* Makes the chat due in ms milliseconds. */
extern void chat_wait(Chat *chat, int64_t ms);

/* Nothing waits in the chat: it is forgotten, now or when its pace is idle. */
extern void chat_rest(Chat *chat);

/* Makes all chats due now. */
extern void chats_wake(Chats *chats);

#endif
