/*
 * output.h
 *		Limits the output that waits on all connections of a server together.
 *
 * When a client does not read its answer, the answer stays in our memory.  Each connection
 * must read at a minimum rate (limits.h), but many connections can do that and still use much
 * memory together.  So the waiting bytes of all connections are added up, of answers and of
 * WebSockets.  When the sum exceeds limits.output_all_bytes, connections are closed, the
 * slowest readers first, until HTTP_OUTPUT_KEPT of that limit is left.  This is done in an
 * event of its own, never while a function is still queueing output.
 *
 * The slowest reader is the connection whose client's kernel has confirmed the fewest bytes a
 * second since the output began to wait.  A connection that has waited for less than
 * HTTP_OUTPUT_GRACE_MS could not yet show its speed, so its rate counts as
 * HTTP_OUTPUT_FAIR_RATE.  It is closed after those that are slower than that, and before
 * those that are faster, so that many new connections cannot displace a fast reader.
 */
#ifndef HTTP_OUTPUT_H
#define HTTP_OUTPUT_H

#include <stdbool.h>

#include "http/connection.h"

#define HTTP_OUTPUT_KEPT(bytes) ((bytes) / 8 * 7)
#define HTTP_OUTPUT_GRACE_MS 1000
#define HTTP_OUTPUT_FAIR_RATE (64 * 1024) /* bytes a second */

/* Makes the event that closes slow readers; false when out of memory. */
extern bool http_output_start(HttpServer *server);
extern void http_output_stop(HttpServer *server);

/* Begins to count the connection's output; false when out of memory. */
extern bool http_output_watch(HttpConnection *connection);

/* Stops counting the connection's output, and subtracts what still waits. */
extern void http_output_forget(HttpConnection *connection);

#endif
