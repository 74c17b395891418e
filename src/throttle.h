/*-------------------------------------------------------------------------
 *
 * throttle.h
 *		Limits on guessing that no rollback takes back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_THROTTLE_H
#define SRC_THROTTLE_H

/* Installs the shared memory hooks.  Called once, at load by shared_preload_libraries. */
extern void wa_throttle_init(void);

/*
 * A password is about to be hashed, and nothing will interrupt it: what this transaction has
 * charged stays charged, however the transaction ends.
 */
extern void wa_throttle_hashing(void);

#endif
