/*
 * random.c
 *		Unpredictable bytes, generated in stock; see random.h.
 *
 * Bytes are wiped from the stock when they are handed out, and a child process begins with an
 * empty stock.  So nothing in memory tells which bytes were handed out before, and parent and
 * child never hand out the same ones.
 */
#include "lib/random.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <event2/util.h>

#include "src/common/memory.h"

static unsigned char stock[RANDOM_STOCK];
static size_t left; /* bytes at the end of stock that were not handed out yet */

static void
forget_stock(void)
{
	wak_wipe(stock, sizeof(stock));
	left = 0;
}

static void
refill(void)
{
	static bool watching;

	if (!watching)
		watching = pthread_atfork(NULL, NULL, forget_stock) == 0;
	evutil_secure_rng_get_bytes(stock, sizeof(stock));
	left = watching ? sizeof(stock) : 0;
}

void
random_fill(void *bytes, size_t len)
{
	unsigned char *from;

	if (left < len && len <= sizeof(stock))
		refill();
	if (left < len)
	{
		evutil_secure_rng_get_bytes(bytes, len);
		return;
	}
	from = stock + sizeof(stock) - left;
	memcpy(bytes, from, len);
	wak_wipe(from, len);
	left -= len;
}
