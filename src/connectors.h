/*-------------------------------------------------------------------------
 *
 * connectors.h
 *		The setting wa.connectors: which kinds of connector there are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_CONNECTORS_H
#define SRC_CONNECTORS_H

/* Defines the setting wa.connectors. */
extern void wa_connectors_init(void);

#endif
