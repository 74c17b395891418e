/*
 * wait.h
 *		The one database connection that waits for something to happen.
 */
#ifndef REALTIME_WAIT_H
#define REALTIME_WAIT_H

#include "realtime/realtime.h"

typedef struct Waiting Waiting;

/* Nothing can be said of sockets whose credentials could not be asked about for so long. */
#define WAIT_LOST_MS 30000

extern Waiting *waiting_create(Realtime *realtime);
extern void waiting_free(Waiting *waiting);

/* There is another socket, which may close all sockets; or the last one has gone. */
extern void waiting_begin(Waiting *waiting);
extern void waiting_end(Waiting *waiting);

#endif
