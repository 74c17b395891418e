/*
 * sessions.h
 *		The sessions that this sandbox leases, and how it pairs them.
 */
#ifndef SANDBOX_SESSIONS_H
#define SANDBOX_SESSIONS_H

#include "sandbox/identity.h"
#include "sandbox/sandbox.h"

#define SESSIONS_MAX 256 /* leased at once; other sandboxes take the rest */

typedef struct Sessions Sessions;

/*
 * Takes and renews leases every second.  While a session waits to be paired this happens
 * every poll_ms, since a pairing code may be asked for at any time.  renewed(context) is
 * called after each renewal.  The sandbox is borrowed.  NULL: out of memory.
 */
extern Sessions *
sessions_start(const Sandbox *sandbox, int poll_ms, void (*renewed)(void *context), void *context);

/* Whether a session is leased; one that was stopped, logged out or deleted is not. */
extern bool sessions_have(const Sessions *sessions, const ConnectorId *id);

/* Ends pairing and the renewal of leases. */
extern void sessions_stop(Sessions *sessions);

/*
 * Gives the leases back, so that another sandbox need not wait until they expire.  Then it
 * calls released(context).
 */
extern void sessions_release(Sessions *sessions, void (*released)(void *context), void *context);

/* Ends all at once.  The argument may be NULL. */
extern void sessions_free(Sessions *sessions);

#endif
