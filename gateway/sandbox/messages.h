/*
 * messages.h
 *		The messages that are on their way, and what happens to each next.
 */
#ifndef SANDBOX_MESSAGES_H
#define SANDBOX_MESSAGES_H

#include "sandbox/identity.h"
#include "sandbox/store.h"

#define SANDBOX_MESSAGES_MAX 4096 /* on their way at once; the rest stays queued in the database */
#define SANDBOX_CLAIM_MAX 64      /* claimed by one statement */
#define SANDBOX_ATTEMPTS_MAX 20   /* of one report that may pass, before it is given up */

typedef enum MessageState
{
	MESSAGE_CLAIMED,   /* next: report that it was sent, or that it failed */
	MESSAGE_SENT,      /* next: report that it was delivered */
	MESSAGE_DELIVERED, /* next: report that it was read */
	MESSAGE_READ,      /* next: react to it, since it asks for that */
	MESSAGE_REACTED,   /* next: answer it */
	MESSAGE_ANSWERED,  /* answered; the session's own phone writes next */
	MESSAGE_FINISHED   /* leaves the list */
} MessageState;

typedef struct SandboxMessage
{
	char org[UUID_TEXT_MAX + 1];
	char id[UUID_TEXT_MAX + 1];
	char session[UUID_TEXT_MAX + 1];
	char *chat_jid; /* owned */
	char *body;     /* owned; NULL when there is nothing to answer */
	MessageState state;
	int64_t due_ms; /* monotonic */
	int attempts;   /* of the report that is due */
} SandboxMessage;

typedef struct SandboxMessages
{
	SandboxMessage message[SANDBOX_MESSAGES_MAX]; /* owns what they own */
	int count;
	const char *owner; /* borrowed */
	int step_ms;
	int lease_ms;
} SandboxMessages;

/* Makes an empty list. */
extern void messages_init(SandboxMessages *messages, const char *owner, int step_ms, int lease_ms);

/* Claims queued messages, as many as there is room for; how many came, or -1. */
extern int messages_claim(SandboxMessages *messages, Store *store, int64_t now_ms);

/* Takes up to STORE_BATCH_MAX messages that are due one state further. */
extern void messages_step(SandboxMessages *messages, Store *store, int64_t now_ms);

/* When the next message is due (monotonic), at most until_ms. */
extern int64_t messages_due(const SandboxMessages *messages, int64_t until_ms);

/* Drops the delays, to be done soon; the steps themselves stay. */
extern void messages_hurry(SandboxMessages *messages);

/* Frees all messages. */
extern void messages_free(SandboxMessages *messages);

#endif
