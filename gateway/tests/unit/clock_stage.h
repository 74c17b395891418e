/*
 * clock_stage.h
 *		A clock that stands until a test moves it, in place of lib/clock.c.
 */
#ifndef TESTS_UNIT_CLOCK_STAGE_H
#define TESTS_UNIT_CLOCK_STAGE_H

#include <stdint.h>

extern int64_t clock_stage_ms;

#endif
