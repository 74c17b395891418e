/*
 * clock.h
 *		The clocks: for measuring and deadlines, also of others, and for dates.
 */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdint.h>

/* Time since an arbitrary fixed point; it never goes back.  For durations and deadlines. */
extern int64_t clock_monotonic_ms(void);
extern int64_t clock_monotonic_us(void);

/*
 * The same, but it goes on while the machine is suspended.  For leases, whose end another machine
 * decides on.
 */
extern int64_t clock_elapsed_ms(void);

/* Milliseconds since 1970-01-01 UTC by the system's clock, which may be set.  For dates only. */
extern int64_t clock_wall_ms(void);

#endif
