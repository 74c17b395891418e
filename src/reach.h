/*-------------------------------------------------------------------------
 *
 * reach.h
 *		The sessions that the bound credential reaches.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_REACH_H
#define SRC_REACH_H

#include "postgres.h"

/*
 * Between "begin" and "end" every session is reached.  "end" must be called after an error as
 * well.
 */
extern void wa_reach_begin_all(void);
extern void wa_reach_end_all(void);

#endif
