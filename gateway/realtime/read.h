/*
 * read.h
 *		One read of a feed: the request, its answer, the frames that come of it.
 */
#ifndef REALTIME_READ_H
#define REALTIME_READ_H

#include "realtime/feed.h"

/* Events of one read; both this and a bound of 1 MiB are in realtime_batch. */
#define READ_EVENTS_MAX 200

/* Bytes of the frames of one read: the 1 MiB, the last event beyond it, the heads. */
#define FRAMES_MAX (8 * 1024 * 1024)

/* Sends the feed's next request; false: it could not. */
extern bool read_start(Feed *feed);

/* Gives up the request that is under way. */
extern void read_abandon(Feed *feed);

#endif
