/*
 * cork.h
 *		Collects what libpq sends, so that several requests leave in one system call.
 *
 * libpq before 17 writes to its socket at each Sync (PQpipelineSync).  libpq 17 has
 * PQsendPipelineSync, which leaves that to PQflush(), so with it nothing is collected here.
 *
 * Between cork_begin() and cork_end() what libpq sends is appended to the connection's Cork,
 * and libpq takes it as sent.  With TLS these bytes are encrypted already.  cork_flush() writes
 * them to the socket.  They may contain credentials, so they are wiped when they have left.
 *
 * Once a connection is corked, libpq must send nothing outside of these two calls, because
 * that would overtake what waits.
 */
#ifndef DB_CORK_H
#define DB_CORK_H

#include <stdbool.h>

#include "lib/buffer.h"

typedef struct Cork
{
	Buffer waiting;
	size_t left; /* how many of these bytes have left */
} Cork;

extern void cork_open(Cork *cork);

/* Wipes and frees what waits.  The Cork can be used again. */
extern void cork_drop(Cork *cork);

/* Never two at a time. */
extern void cork_begin(Cork *cork);
extern void cork_end(void);

typedef enum CorkResult
{
	CORK_EMPTY, /* nothing waits */
	CORK_FULL,  /* the socket is full: call again when it is writable */
	CORK_BROKEN /* nothing more can be sent; what the server has sent can still be read */
} CorkResult;

extern CorkResult cork_flush(Cork *cork, int socket) __attribute__((warn_unused_result));

#endif
