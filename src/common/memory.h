/*-------------------------------------------------------------------------
 *
 * memory.h
 *		Memory that holds secrets: comparing and wiping it.
 *
 * Shared by the extension and the gateway: no allocation, no state, safe in
 * any thread.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SRC_COMMON_MEMORY_H
#define SRC_COMMON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether two areas of "len" bytes are equal.  The time depends only on "len" and never on
 * where they differ.  Areas of length 0 are equal.
 */
extern bool wak_equal(const void *a, const void *b, size_t len);

/*
 * Overwrites "len" bytes with zeros, even if the compiler can see that nobody reads them again.
 * "p" may be NULL if "len" is 0.
 */
extern void wak_wipe(void *p, size_t len);

#endif
