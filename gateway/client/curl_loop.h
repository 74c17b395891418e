/*
 * curl_loop.h
 *		Transfers of curl on the loop.
 *
 * curl says which sockets to watch and when it wants to be called next; both are passed on to
 * libevent.  What a transfer's end leads to is done after curl has returned, because within
 * curl's own callbacks no transfer may be added or removed.
 */
#ifndef CLIENT_CURL_LOOP_H
#define CLIENT_CURL_LOOP_H

#include <stdbool.h>

#include <curl/curl.h>

#include "lib/timer.h"

struct event_base;

typedef struct CurlLoopEvents
{
	/*
	 * The transfer has ended, with what CURLOPT_PRIVATE has set.  The function removes it from
	 * the multi handle.
	 */
	void (*ended)(void *transfer, CURLcode code);

	/* curl has returned, and all ends were told.  NULL: nobody wants to know. */
	void (*returned)(void *context);
} CurlLoopEvents;

/* Its address must not change while it is open. */
typedef struct CurlLoop
{
	struct event_base *base;
	CURLM *multi;
	Timer timer;
	const CurlLoopEvents *events;
	void *context;
} CurlLoop;

/*
 * Sets up curl for this process, and a multi handle that keeps that many idle connections.  The
 * events are borrowed.  False: out of memory, and nothing is open.
 */
extern bool curl_loop_open(CurlLoop *loop, struct event_base *base, long kept,
						   const CurlLoopEvents *events, void *context);

/*
 * Keeps a transfer from what none of ours may do: another protocol, a redirect, a proxy, a netrc
 * file, a server without a certificate for its name, a signal.  False: out of memory.
 */
extern bool curl_loop_guard(CURL *easy);

/* All transfers have to be removed before. */
extern void curl_loop_close(CurlLoop *loop);

#endif
