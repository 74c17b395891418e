/*-------------------------------------------------------------------------
 *
 * send_limits.h
 *		How messages are counted against a session's limits without a convoy.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_SEND_LIMITS_H
#define SRC_SEND_LIMITS_H

/* Requests the memory.  Called once, while shared_preload_libraries is processed. */
extern void wa_send_limits_init(void);

#endif
