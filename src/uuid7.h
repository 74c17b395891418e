/*
 * uuid7.h
 *		UUIDs of version 7, which sort by the time they were made.
 */
#ifndef SRC_UUID7_H
#define SRC_UUID7_H

#include "utils/uuid.h"

/*
 * Fill "uuid" with a new one, greater than every one that this backend made
 * before.  Raises when no random numbers can be had.
 */
extern void wa_uuid7_make(pg_uuid_t *uuid);

#endif
