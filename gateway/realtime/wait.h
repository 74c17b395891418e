/*
 * wait.h
 *		The one database connection that waits for changes.
 */
#ifndef REALTIME_WAIT_H
#define REALTIME_WAIT_H

#include "realtime/realtime.h"

typedef struct Waiting Waiting;

/* After this long without a check of their credentials, sockets are closed. */
#define WAIT_LOST_MS 30000

extern Waiting *waiting_create(Realtime *realtime);
extern void waiting_free(Waiting *waiting);

/*
 * waiting_begin() is called for each new socket, and may close all sockets; waiting_end()
 * after the last one.
 */
extern void waiting_begin(Waiting *waiting);
extern void waiting_end(Waiting *waiting);

#endif
