/*
 * loop.c
 *		The event loop of a program; see loop.h.
 */
#include "lib/loop.h"

#include <event2/event.h>

#include "lib/leftovers.h"
#include "lib/log.h"

/* event_base_dispatch() in turns, for what is to be done at the end of each. */
bool
loop_run(struct event_base *base)
{
	int result;

	log_collect(true);
	do
	{
		result = event_base_loop(base, EVLOOP_ONCE);
		log_flush();
		leftovers_wipe_stack();
	} while (result == 0 && !event_base_got_exit(base) && !event_base_got_break(base));
	log_collect(false);
	return result >= 0;
}
