/*
 * open.h
 *		Turns a request into an open socket.
 */
#ifndef REALTIME_OPEN_H
#define REALTIME_OPEN_H

#include <sys/queue.h>

#include "realtime/realtime.h"

struct Opening;
TAILQ_HEAD(OpeningList, Opening);

/* Called when the HTTP server is gone, so that no client waits for these openings any more. */
extern void openings_end(Realtime *realtime);

#endif
