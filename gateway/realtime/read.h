/*
 * read.h
 *		One read of a feed: its request, its answer and the frames made from it.
 */
#ifndef REALTIME_READ_H
#define REALTIME_READ_H

#include "realtime/feed.h"

/* The number of events of one read.  realtime_batch has this bound, and one of 1 MiB. */
#define READ_EVENTS_MAX 200

/*
 * Bytes of the frames of one read: 1 MiB, the last event, which may go beyond it, and the
 * frames' heads.
 */
#define FRAMES_MAX (8 * 1024 * 1024)

/* Submits the feed's next request.  Returns false when that fails. */
extern bool read_start(Feed *feed);

/* Abandons the request that is in the database. */
extern void read_abandon(Feed *feed);

#endif
