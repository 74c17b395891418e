/*
 * heap.c
 *		Gives unused memory back to the system; see heap.h.
 *
 * malloc_trim() walks through all free memory, so it is called only when there is much to
 * give back.  The C library does not say which free pages it has already given back.  So we
 * compare the resident memory of the process with the memory that malloc() has in use.
 */
#include "lib/heap.h"

#include <fcntl.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"

/* Bytes of this process that are in physical memory; 0: unknown. */
static size_t
resident_bytes(void)
{
	char text[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	const char *second;

	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = '\0';
	second = strchr(text, ' ');
	return second == NULL ? 0 : strtoul(second, NULL, 10) * (size_t) sysconf(_SC_PAGESIZE);
}

/* Resident bytes that malloc() does not have in use; includes the program and its libraries. */
static size_t
unused_bytes(void)
{
	struct mallinfo2 heap = mallinfo2();
	size_t used = heap.uordblks + heap.hblkhd;
	size_t resident = resident_bytes();

	return resident > used ? resident - used : 0;
}

void
heap_give_back(void)
{
	static int64_t next_ms;
	static size_t least = SIZE_MAX; /* the fewest unused bytes since memory was given back */
	int64_t now = clock_monotonic_ms();
	size_t unused;

	if (now < next_ms)
		return;
	next_ms = now + HEAP_LOOK_MS;
	unused = unused_bytes();
	if (unused < least)
		least = unused;
	if (unused - least < HEAP_SPARE)
		return;
	malloc_trim(0);
	least = unused_bytes();
}
