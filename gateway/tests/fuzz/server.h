/*
 * server.h
 *		Calls the extension's functions as the server would, without a server.
 *
 * server.c stands in for what they call: memory, errors, messages, encodings.  A function
 * of the server that it does not have is one that no input should reach: it stays
 * unresolved, and reaching it is a crash.
 *
 *	SERVER_CALL(&call, wa_secret_in, CStringGetDatum(text));
 *	if (!call.failed) ... call.value ...
 *	server_reset();
 *
 * Nothing that a call has allocated is valid after server_reset().
 */
#ifndef TESTS_FUZZ_SERVER_H
#define TESTS_FUZZ_SERVER_H

#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "tests/fuzz/fuzz.h"

/* What became of a call. */
typedef struct ServerCall
{
	bool failed;  /* it raised */
	bool is_null; /* it returned NULL */
	Datum value;  /* when it did neither */
} ServerCall;

/* All that an error says, each part with a NUL behind it; nothing is shown of others. */
#define SERVER_ERROR_MAX 4096

typedef struct ServerError
{
	char text[SERVER_ERROR_MAX];
	size_t len;
} ServerError;

extern ServerError server_error;

/* The encoding in which clients send; the database's is UTF-8. */
extern int server_client_encoding;

#define SERVER_ARGUMENTS_MAX 2

extern void server_call(ServerCall *call, PGFunction function, int count,
						const Datum values[SERVER_ARGUMENTS_MAX]);

#define SERVER_CALL(call, function, ...)                                        \
	server_call(call, function, sizeof((Datum[]){__VA_ARGS__}) / sizeof(Datum), \
				(const Datum[SERVER_ARGUMENTS_MAX]){__VA_ARGS__})

/* A message with exactly these bytes behind what was read, as a receive function gets it. */
extern StringInfo server_message(const uint8_t *data, size_t len);

/* A copy of bytes with a NUL behind them, and nothing behind that. */
extern char *server_cstring(const uint8_t *data, size_t len);

/* A text value of these bytes. */
extern text *server_text(const void *data, size_t len);

/* Frees all that was allocated. */
extern void server_reset(void);

/* Whether any "run" bytes in a row of a secret are somewhere in an area. */
extern bool
server_shows(const void *area, size_t area_len, const void *secret, size_t secret_len, size_t run);

#endif
