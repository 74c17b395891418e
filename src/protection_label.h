/*-------------------------------------------------------------------------
 *
 * protection_label.h
 *		The security label that wa.protect() puts on a table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_PROTECTION_LABEL_H
#define SRC_PROTECTION_LABEL_H

/* Registers the label provider "wa_apikeys".  Called once, at load. */
extern void wa_protection_label_init(void);

#endif
