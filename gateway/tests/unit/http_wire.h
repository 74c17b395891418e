/*
 * http_wire.h
 *		A tiny server and its clients, for tests of the HTTP floor.
 *
 * Server and clients live in one process and one thread, on loopback; the
 * loop runs only within the functions below, so that a test sees every step.
 *
 * The server answers by path:
 *
 *	/echo		the method, the path and the body, as text
 *	/small		the same, and a body has 10 bytes at most
 *	/unwanted	the same, and nobody wants a body
 *	/of/a		the same, and the connection's owner is the organization "a"; /of/nobody: none
 *	/empty		204
 *	/large		LARGE_BYTES of "x"
 *	/hold		nothing: the request waits in wire->held
 *	/stream		the same, and its body is for a sink
 *	/file		the bytes of the file wire->file in pieces, as if there were wire->file_length
 *	/socket		a WebSocket, when the request is right: wire->socket
 *	/bad		an answer with a header that must not be sent
 *	other		404 with the JSON body
 */
#ifndef TESTS_UNIT_HTTP_WIRE_H
#define TESTS_UNIT_HTTP_WIRE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/http.h"
#include "http/websocket.h"

#define LARGE_BYTES (8 * 1024 * 1024)

typedef struct Wire
{
	struct event_base *base;
	HttpServer *server;
	HttpRequest *held; /* the last request of /hold */
	WebSocket *socket; /* the last one of /socket; NULL once it is not ours any more */
	int file;          /* of /file, which is read from where it is */
	size_t file_length;
	bool waits;         /* the source of /file gives nothing when it is asked */
	HttpStream *stream; /* what it was asked to give to; NULL once it has ended */
	int n_pieces;       /* times that it was asked */
	int n_ended;        /* times that it was ended */
	int n_drained;      /* times that it has sent all */
	int n_closed;       /* times that it was closed, */
	int closed_code;    /* ... and with what */
	int n_requests;     /* requests that reached the handler */
	int n_gone;         /* clients that left before the answer */
	bool drained;
} Wire;

/* Starts the server; limits NULL = defaults.  Fails the test when it cannot. */
extern void wire_start(Wire *wire, const HttpLimits *limits);
extern void
wire_start_tls(Wire *wire, const HttpLimits *limits, const char *certificate, const char *key);
extern void wire_stop(Wire *wire);

/* A client's socket, connected and not blocking. */
extern int wire_connect(Wire *wire);

/* The same from another address of this machine: 127.0.0.2 and so on. */
extern int wire_connect_from(Wire *wire, const char *from);

/* Sends all of it, while the server runs. */
extern void wire_send(Wire *wire, int fd, const char *data, size_t len);
extern void wire_send_text(Wire *wire, int fd, const char *text);

/* Lets the server run for some milliseconds. */
extern void wire_run(Wire *wire, int ms);

/*
 * Reads until the server closes, or the text holds "until" (NULL = only the
 * end), or 3 s have passed.  *closed tells whether the server has closed.
 * The text is valid until the next call.
 */
extern const char *wire_read(Wire *wire, int fd, const char *until, bool *closed);

/* Sends on a new connection and reads to the end or "until". */
extern const char *wire_ask(Wire *wire, const char *request, const char *until);

/* The status of the first answer in a text, or 0. */
extern int wire_status(const char *answer);

/* How many answers there are in a text. */
extern int wire_count(const char *answers);

/* Drains with this bound; sets wire->drained when done. */
extern void wire_drain(Wire *wire, int bound_ms);

#endif
