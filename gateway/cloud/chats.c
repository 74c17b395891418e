/*
 * chats.c
 *		The chats in which something waits to be sent; see chats.h.
 */
#include "cloud/chats.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

#define BUCKETS 4096

/* How often a chat that rests looks whether it may be forgotten. */
#define REST_MS 60000

struct Chats
{
	struct event_base *base;
	void (*run)(void *context, Chat *chat);
	void *context;
	int count;
	LIST_HEAD(, Chat) buckets[BUCKETS];
};

/* FNV-1a. */
static unsigned
bucket_of(const ConnectorId *session, const char *jid)
{
	uint64_t hash = 14695981039346656037U;

	for (int i = 0; i < DB_UUID_SIZE; i++)
		hash = (hash ^ session->bytes[i]) * 1099511628211U;
	for (; *jid != '\0'; jid++)
		hash = (hash ^ (unsigned char) *jid) * 1099511628211U;
	return (unsigned) ((hash >> 32) % BUCKETS);
}

static void
free_chat(Chat *chat)
{
	LIST_REMOVE(chat, link);
	chat->chats->count--;
	timer_close(&chat->timer);
	free(chat->jid);
	free(chat);
}

static void
on_due(void *context)
{
	Chat *chat = context;

	chat->chats->run(chat->chats->context, chat);
}

static Chat *
add_chat(Chats *chats, unsigned bucket, const ConnectorId *session, const char *jid)
{
	Chat *chat = calloc(1, sizeof(*chat));

	if (chat == NULL)
		return NULL;
	*chat = (Chat){.chats = chats, .session = *session, .jid = strdup(jid)};
	TAILQ_INIT(&chat->waiting);
	if (chat->jid == NULL || !timer_open(&chat->timer, chats->base, on_due, chat))
	{
		free(chat->jid);
		free(chat);
		return NULL;
	}
	LIST_INSERT_HEAD(&chats->buckets[bucket], chat, link);
	chats->count++;
	return chat;
}

Chats *
chats_open(struct event_base *base, void (*run)(void *context, Chat *chat), void *context)
{
	Chats *chats = calloc(1, sizeof(*chats));

	if (chats != NULL)
	{
		chats->base = base;
		chats->run = run;
		chats->context = context;
	}
	return chats;
}

void
chats_close(Chats *chats)
{
	if (chats == NULL)
		return;
	for (int i = 0; i < BUCKETS; i++)
		while (!LIST_EMPTY(&chats->buckets[i]))
			free_chat(LIST_FIRST(&chats->buckets[i]));
	free(chats);
}

Chat *
chats_find(Chats *chats, const ConnectorId *session, const char *jid)
{
	unsigned bucket = bucket_of(session, jid);
	Chat *chat;

	LIST_FOREACH(chat, &chats->buckets[bucket], link)
	{
		if (connector_same_id(&chat->session, session) && strcmp(chat->jid, jid) == 0)
			return chat;
	}
	return add_chat(chats, bucket, session, jid);
}

void
chat_wait(Chat *chat, int64_t ms)
{
	timer_start(&chat->timer, ms);
}

void
chat_rest(Chat *chat)
{
	if (chat->chats->count > CHATS_IDLE_MAX ||
		pace_is_idle(&chat->pace, pace_recipient_rate, clock_monotonic_ms()))
		free_chat(chat);
	else
		chat_wait(chat, REST_MS);
}

void
chats_wake(Chats *chats)
{
	Chat *chat;

	for (int i = 0; i < BUCKETS; i++)
		LIST_FOREACH(chat, &chats->buckets[i], link)
		{
			if (!TAILQ_EMPTY(&chat->waiting))
				chat_wait(chat, 0);
		}
}
