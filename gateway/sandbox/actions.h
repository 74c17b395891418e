/*
 * actions.h
 *		Reactions, edits, revocations and forwards that are on their way.
 */
#ifndef SANDBOX_ACTIONS_H
#define SANDBOX_ACTIONS_H

#include "sandbox/identity.h"
#include "sandbox/messages.h"
#include "sandbox/store.h"

#define SANDBOX_ACTIONS_MAX 1024 /* on their way at once; the rest stays queued in the database */

typedef enum ActionState
{
	ACTION_CLAIMED,   /* next: report that it was done, or that it failed */
	ACTION_DONE,      /* of a forward; next: report that the copy was delivered */
	ACTION_DELIVERED, /* of a forward; next: report that the copy was read */
	ACTION_FINISHED   /* leaves the list */
} ActionState;

typedef struct SandboxAction
{
	char org[UUID_TEXT_MAX + 1];
	char id[UUID_TEXT_MAX + 1];
	char session[UUID_TEXT_MAX + 1];
	char copy[UUID_TEXT_MAX + 1]; /* the message that a forward makes; "" = it is no forward */
	char *to;                     /* owned; whom a forward goes to, else NULL */
	ActionState state;
	int64_t due_ms; /* monotonic */
	int attempts;   /* of the report that is due */
} SandboxAction;

typedef struct SandboxActions
{
	SandboxAction action[SANDBOX_ACTIONS_MAX]; /* owns what they own */
	int count;
	const char *owner; /* borrowed */
	int step_ms;
	int lease_ms;
} SandboxActions;

/* Makes an empty list. */
extern void actions_init(SandboxActions *actions, const char *owner, int step_ms, int lease_ms);

/* Claims queued actions, as many as there is room for; how many came, or -1. */
extern int actions_claim(SandboxActions *actions, Store *store, int64_t now_ms);

/* Takes up to STORE_BATCH_MAX actions that are due one state further. */
extern void actions_step(SandboxActions *actions, Store *store, int64_t now_ms);

/* When the next action is due (monotonic), at most until_ms. */
extern int64_t actions_due(const SandboxActions *actions, int64_t until_ms);

/* Drops the delays, to be done soon; the steps themselves stay. */
extern void actions_hurry(SandboxActions *actions);

/* Frees all actions. */
extern void actions_free(SandboxActions *actions);

#endif
