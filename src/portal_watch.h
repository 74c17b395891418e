/*-------------------------------------------------------------------------
 *
 * portal_watch.h
 *		A query that was stopped is run on only by one who may still run it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_PORTAL_WATCH_H
#define SRC_PORTAL_WATCH_H

/* Install the executor's hook; called once, at load. */
extern void wa_portal_watch_init(void);

#endif
