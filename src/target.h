/*-------------------------------------------------------------------------
 *
 * target.h
 *		Whether a webhook may lead to an address that its URL spells out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_TARGET_H
#define SRC_TARGET_H

/* Defines the setting wa.allowed_targets. */
extern void wa_target_init(void);

#endif
