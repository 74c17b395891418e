/*
 * turns.h
 *		Connections with input take turns by their owner.
 *
 * The owner of a connection is the organization of the last request on it, or the client's
 * address while no organization is known (http_request_set_owner()).  A connection joins when
 * its socket becomes readable, and when its input holds one more request.  In each pass of the
 * event loop at most HTTP_TURNS_MAX connections have a turn, and owners take turns
 * (lib/fair_queue.h).  So a client waits for a few requests of others and for one of each
 * other owner, however many connections others have.
 *
 * In a turn a connection reads once and handles one request.  With TLS its first turn begins
 * the handshake; no more than HTTP_HANDSHAKES_MAX begin in one pass.
 */
#ifndef HTTP_TURNS_H
#define HTTP_TURNS_H

#include <stdbool.h>

#include "http/connection.h"

/* Makes the queue and its event; false when out of memory. */
extern bool http_turns_start(HttpServer *server);

/* Frees both; no connection waits any more. */
extern void http_turns_stop(HttpServer *server);

/*
 * The connection waits for a turn, in which http_connection_take_turn() is called for it.
 * Nothing changes if it already waits.  False: out of memory; the connection was closed, and
 * may have been freed.
 */
extern bool http_turns_join(HttpConnection *connection);

/* The connection does not wait any more. */
extern void http_turns_leave(HttpConnection *connection);

extern bool http_turns_waits(const HttpConnection *connection);

#endif
