/*-------------------------------------------------------------------------
 *
 * memory.c
 *		Comparing and wiping memory that holds secrets.
 *
 * Compilers may shorten both operations: they may leave a comparison early, or
 * remove a store whose result is never read.  Comparisons therefore go through
 * volatile pointers, which costs little at the lengths of credentials and
 * digests.  Wiping may concern a whole answer and uses memset().  It is called
 * through a pointer that the compiler must read each time, so the compiler
 * cannot know what is called and cannot remove the call.
 *
 *-------------------------------------------------------------------------
 */
#include "src/common/memory.h"

#include <string.h>

static void *(*const volatile set_bytes)(void *, int, size_t) = memset;

bool
wak_equal(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *left = a;
	const volatile unsigned char *right = b;
	unsigned char difference = 0;

	for (size_t i = 0; i < len; i++)
		difference |= (unsigned char) (left[i] ^ right[i]);

	return difference == 0;
}

void
wak_wipe(void *p, size_t len)
{
	if (len > 0)
		set_bytes(p, 0, len);
}
