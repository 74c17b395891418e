/*
 * memory.c
 *		Comparing and wiping memory that holds secrets.
 *
 * Compilers may shorten both jobs: leave a comparison early, or drop a store
 * that is never read.  Going through a volatile pointer forbids them that; it
 * costs little at the lengths of credentials and digests.
 */
#include "common/memory.h"

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
	volatile unsigned char *byte = p;

	while (len-- > 0)
		*byte++ = 0;
}
