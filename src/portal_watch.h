/*-------------------------------------------------------------------------
 *
 * portal_watch.h
 *		A query that was stopped continues only for somebody who may still run it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_PORTAL_WATCH_H
#define SRC_PORTAL_WATCH_H

/* Installs the executor's hook.  Called once, at load. */
extern void wa_portal_watch_init(void);

#endif
