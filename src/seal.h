/*-------------------------------------------------------------------------
 *
 * seal.h
 *		Sealed roles run registered statements and nothing else.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_SEAL_H
#define SRC_SEAL_H

/* Installs the hooks.  Called once, at load by shared_preload_libraries. */
extern void wa_seal_init(void);

#endif
