/*-------------------------------------------------------------------------
 *
 * target.h
 *		Whether a webhook may be sent to the address in its URL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_TARGET_H
#define SRC_TARGET_H

/* Defines the setting wa.allowed_targets. */
extern void wa_target_init(void);

#endif
