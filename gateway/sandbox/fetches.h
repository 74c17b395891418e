/*
 * fetches.h
 *		Fetches files and stores them, as every connector does: those of received messages, and
 *		those of messages to send that a sender has given the URL of.
 *
 *	STORING ──the store is done──▶ REPORTING ──the database has answered──▶ gone
 *
 * The bytes are durable before the database is told so.  If the process dies in between, the
 * file is claimed again when its lease has run out, and the same bytes are stored once more.
 */
#ifndef SANDBOX_FETCHES_H
#define SANDBOX_FETCHES_H

#include "media/store.h"
#include "sandbox/sandbox.h"

#define FETCHES_MAX 16 /* on their way at once; the rest stays pending in the database */

typedef struct Fetches Fetches;

/*
 * Claims files every poll_ms.  The sandbox is borrowed; if it has no store, all files fail.  NULL:
 * out of memory.
 */
extern Fetches *fetches_start(const Sandbox *sandbox, int poll_ms);

/* Claims nothing more. */
extern void fetches_stop(Fetches *fetches);

/*
 * Ends all at once; what is not stored yet is claimed again by somebody.  The argument may be
 * NULL.
 */
extern void fetches_free(Fetches *fetches);

#endif
