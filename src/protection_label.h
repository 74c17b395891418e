/*-------------------------------------------------------------------------
 *
 * protection_label.h
 *		The security label that wa.protect() leaves on a table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_PROTECTION_LABEL_H
#define SRC_PROTECTION_LABEL_H

/* Register the label provider "wa_apikeys"; called once, at load. */
extern void wa_protection_label_init(void);

#endif
