/*-------------------------------------------------------------------------
 *
 * epoch_ms.h
 *		Times as the API writes them: milliseconds since 1970.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_EPOCH_MS_H
#define SRC_EPOCH_MS_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* Rounds down.  Infinity is the end of the year 9999, or the beginning of the year 1. */
extern int64 wa_epoch_milliseconds(TimestampTz at);

#endif
