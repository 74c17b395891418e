/*-------------------------------------------------------------------------
 *
 * plan_permissions.h
 *		A query needs the permissions of all tables that it names.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_PLAN_PERMISSIONS_H
#define SRC_PLAN_PERMISSIONS_H

/* Installs the hooks of the planner and the executor.  Called once, at load. */
extern void wa_plan_permissions_init(void);

#endif
