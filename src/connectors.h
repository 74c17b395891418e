/*-------------------------------------------------------------------------
 *
 * connectors.h
 *		Which kinds of connector there are.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WA_CONNECTORS_H
#define WA_CONNECTORS_H

/* Defines the setting wa.connectors. */
extern void wa_connectors_init(void);

#endif /* WA_CONNECTORS_H */
