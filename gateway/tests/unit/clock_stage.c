/*
 * clock_stage.c
 *		A clock that stands until a test moves it; see clock_stage.h.
 */
#include "tests/unit/clock_stage.h"

#include "lib/clock.h"

int64_t clock_stage_ms = 1000;

int64_t
clock_monotonic_ms(void)
{
	return clock_stage_ms;
}

int64_t
clock_monotonic_us(void)
{
	return clock_stage_ms * 1000;
}

int64_t
clock_wall_ms(void)
{
	return clock_stage_ms;
}
