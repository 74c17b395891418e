/*
 * sessions.h
 *		The sessions that this sandbox leases, and how it pairs them.
 */
#ifndef SANDBOX_SESSIONS_H
#define SANDBOX_SESSIONS_H

#include "sandbox/identity.h"
#include "sandbox/store.h"

#define SANDBOX_SESSIONS_MAX 256 /* leased at once; others are left to other sandboxes */

#define PAIRING_CODE_MAX 15

typedef enum SessionState
{
	SESSION_STARTING, /* to be shown a QR code, at due_ms */
	SESSION_SCANNING, /* the code is shown; "scanned" at due_ms */
	SESSION_WORKING   /* paired; its messages are claimed */
} SessionState;

typedef struct SandboxSession
{
	char org[UUID_TEXT_MAX + 1];
	char id[UUID_TEXT_MAX + 1];
	char phone[PHONE_NUMBER_MAX + 1];
	char code[PAIRING_CODE_MAX + 1]; /* that the phone asked to be paired by; "" = none */
	SessionState state;
	int64_t due_ms; /* monotonic */
	bool leased;    /* the last renewal named it */
} SandboxSession;

typedef struct SandboxSessions
{
	SandboxSession session[SANDBOX_SESSIONS_MAX];
	int count;
	const char *owner; /* borrowed: who holds the leases */
	int step_ms;       /* between two states */
	int lease_ms;
} SandboxSessions;

/* Makes an empty list. */
extern void sessions_init(SandboxSessions *sessions, const char *owner, int step_ms, int lease_ms);

/*
 * Takes and renews leases, and forgets the sessions that were stopped or taken by
 * others.  False when the database could not be asked.
 */
extern bool sessions_renew(SandboxSessions *sessions, Store *store, int64_t now_ms);

/* Takes each session that is due one state further. */
extern void sessions_step(SandboxSessions *sessions, Store *store, int64_t now_ms);

/* When the next session is due (monotonic), at most until_ms. */
extern int64_t sessions_due(const SandboxSessions *sessions, int64_t until_ms);

/* Whether a session waits for a telephone; a pairing code may be asked for any time then. */
extern bool sessions_waiting(const SandboxSessions *sessions);

/* Gives the leases back, so that another sandbox need not wait for their end. */
extern void sessions_release(SandboxSessions *sessions, Store *store);

#endif
