/*
 * open.h
 *		From the request to the socket.
 */
#ifndef REALTIME_OPEN_H
#define REALTIME_OPEN_H

#include <sys/queue.h>

#include "realtime/realtime.h"

struct Opening;
TAILQ_HEAD(OpeningList, Opening);

/* The HTTP server is gone: nobody waits for these any more. */
extern void openings_end(Realtime *realtime);

#endif
