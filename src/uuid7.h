/*-------------------------------------------------------------------------
 *
 * uuid7.h
 *		UUIDs of version 7, which sort by the time they were made.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_UUID7_H
#define SRC_UUID7_H

#include "utils/uuid.h"

/*
 * Fills "uuid" with a new one that is greater than all that this backend has made before.
 * Raises an error if there are no random numbers.
 */
extern void wa_uuid7_make(pg_uuid_t *uuid);

#endif
