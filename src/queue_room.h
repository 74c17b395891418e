/*-------------------------------------------------------------------------
 *
 * queue_room.h
 *		How many messages may still be queued before a session's queue is counted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_QUEUE_ROOM_H
#define SRC_QUEUE_ROOM_H

/* Requests the memory.  Called once, while shared_preload_libraries is processed. */
extern void wa_queue_room_init(void);

#endif
