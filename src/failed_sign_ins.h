/*-------------------------------------------------------------------------
 *
 * failed_sign_ins.h
 *		Wrong passwords of accounts, until the audit log has them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_FAILED_SIGN_INS_H
#define SRC_FAILED_SIGN_INS_H

/* Installs the shared memory hooks.  Called once, at load by shared_preload_libraries. */
extern void wa_failed_sign_ins_init(void);

#endif
