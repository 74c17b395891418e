/*
 * clock.c
 *		The clocks; see clock.h.
 *
 * On the systems that we build for, clock_gettime() cannot fail for these clocks.  It reads
 * them through the vDSO, without a system call.
 */
#include "lib/clock.h"

#include <time.h>

static int64_t
read_clock(clockid_t which, int64_t per_second)
{
	struct timespec now;

	clock_gettime(which, &now);
	return (int64_t) now.tv_sec * per_second + (int64_t) now.tv_nsec / (1000000000 / per_second);
}

int64_t
clock_monotonic_ms(void)
{
	return read_clock(CLOCK_MONOTONIC, 1000);
}

int64_t
clock_monotonic_us(void)
{
	return read_clock(CLOCK_MONOTONIC, 1000000);
}

int64_t
clock_elapsed_ms(void)
{
	return read_clock(CLOCK_BOOTTIME, 1000);
}

int64_t
clock_wall_ms(void)
{
	return read_clock(CLOCK_REALTIME, 1000);
}
