/*
 * memory.h
 *		Memory that holds secrets: comparing and wiping it.
 *
 * Shared by the extension and the gateway: no allocation, no state, safe in
 * any thread.
 */
#ifndef SRC_COMMON_MEMORY_H
#define SRC_COMMON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether two areas of "len" bytes are equal.  The time it takes depends on
 * "len" only, never on where they differ.  Areas of no length are equal.
 */
extern bool wak_equal(const void *a, const void *b, size_t len);

/*
 * Overwrite "len" bytes with zeros, also where the compiler can see that
 * nobody reads them again.  "p" may be NULL when "len" is 0.
 */
extern void wak_wipe(void *p, size_t len);

#endif
