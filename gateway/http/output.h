/*
 * output.h
 *		What waits to be sent on all connections of a server together, and its bound.
 *
 * A client that does not read what it asked for leaves it with us.  Each connection has a
 * least rate for that (limits.h), which many can keep to at once; so there is one sum
 * for all of them, answers and WebSockets alike.  Beyond limits.output_all_bytes connections
 * are cut, the slowest readers first, until HTTP_OUTPUT_KEPT of it is left.  That happens
 * behind what made the sum too large, never within it.
 *
 * The slowest reader is the one whose kernel has confirmed the fewest bytes a second since
 * its output began to wait.  Who waits for less than HTTP_OUTPUT_GRACE_MS has had no time
 * to show how fast it is, and counts as HTTP_OUTPUT_FAIR_RATE: it goes behind those who
 * read more slowly, and many who have just come cannot take the place of one who reads
 * faster.
 */
#ifndef HTTP_OUTPUT_H
#define HTTP_OUTPUT_H

#include <stdbool.h>

#include "http/connection.h"

#define HTTP_OUTPUT_KEPT(bytes) ((bytes) / 8 * 7)
#define HTTP_OUTPUT_GRACE_MS 1000
#define HTTP_OUTPUT_FAIR_RATE (64 * 1024) /* bytes a second */

/* Makes what cuts connections; false when out of memory. */
extern bool http_output_start(HttpServer *server);
extern void http_output_stop(HttpServer *server);

/* From here on the connection's output is counted; false when out of memory. */
extern bool http_output_watch(HttpConnection *connection);

/* What still waits on it is not counted any longer. */
extern void http_output_forget(HttpConnection *connection);

#endif
