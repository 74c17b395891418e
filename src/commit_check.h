/*-------------------------------------------------------------------------
 *
 * commit_check.h
 *		What has to hold once more when the transaction commits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_COMMIT_CHECK_H
#define SRC_COMMIT_CHECK_H

/* Registers the transaction callbacks.  Called once, at load. */
extern void wa_commit_check_init(void);

#endif
