/*
 * fetches.h
 *		Fetches files and stores them, as every connector does: those of received messages, and
 *		those of messages to send that a sender has given the URL of.
 *
 *	STORING ──the store is done──▶ REPORTING ──the database has answered──▶ gone
 *
 * The bytes are durable before the database is told so.  If the process dies in between, the
 * file is claimed again when its lease has run out, and the same bytes are stored once more.
 *
 * URLs are fetched here, by the guarded client (client/download.h).  Where received files are is
 * the connector's own business: its *source*.
 */
#ifndef CONNECTOR_FETCHES_H
#define CONNECTOR_FETCHES_H

#include "client/download.h"
#include "connector/id.h"
#include "media/store.h"
#include "program/statements.h"

#define FETCHES_MAX 16 /* on their way at once; the rest stays pending in the database */

/* The most bytes of a reference. */
#define FETCH_REFERENCE_MAX 2048

typedef struct Fetches Fetches;
typedef struct Fetch Fetch;

/* A received file.  Borrowed until begin() returns, except for the ids, which stay. */
typedef struct FetchFile
{
	const ConnectorId *org;
	const ConnectorId *session;
	const char *reference; /* what the connector has called it (wa.connector_receive()) */
} FetchFile;

/* Where received files are.  NULL functions are not allowed. */
typedef struct FetchSource
{
	/*
	 * Begins to get a file.  It calls fetch_attach() first, then, in this call or later,
	 * fetch_store(), fetch_bytes() for all bytes and fetch_complete(), or else fetch_fail().
	 */
	void (*begin)(void *context, Fetch *fetch, const FetchFile *file);

	/* There is room again after fetch_bytes() has returned false. */
	void (*resume)(void *get);

	/* Nothing more of the file is wanted; frees what was attached. */
	void (*end)(void *get);
} FetchSource;

/* Everything is borrowed until fetches_free(). */
typedef struct FetchesSetup
{
	struct event_base *base;
	Db *db;
	const ProgramStatements *statements;
	int claim, stored, failed; /* of these: media.sql, media_stored.sql, media_failed.sql */
	const char *connector;     /* the kind, as sessions name it */
	const char *owner;         /* who holds the leases */
	struct MediaStore *media;  /* NULL: all files fail */
	const DownloadSetup *downloads;
	int poll_ms;
	int lease_ms; /* at least; a file has to come from a URL within it */
	const FetchSource *source;
	void *context; /* of the source */
} FetchesSetup;

/* Claims files every poll_ms.  The setup is copied.  NULL: out of memory. */
extern Fetches *fetches_start(const FetchesSetup *setup);

/* Claims nothing more. */
extern void fetches_stop(Fetches *fetches);

/*
 * Ends all at once; what is not stored yet is claimed again by somebody.  The argument may be
 * NULL.
 */
extern void fetches_free(Fetches *fetches);

/* ---- for the source ---- */

/* From now on resume() and end() are called with this. */
extern void fetch_attach(Fetch *fetch, void *get);

/* Begins to store the file.  False: there is no room now, which is reported; end() was called. */
extern bool fetch_store(Fetch *fetch);

/* The next bytes.  False: the store has no room for more now, or has failed and end() was called. */
extern bool fetch_bytes(Fetch *fetch, const void *bytes, size_t len);

/* All bytes were given. */
extern void fetch_complete(Fetch *fetch);

/*
 * The file cannot be fetched: for good, unless "retry"; "expired": WhatsApp has it no longer.  The
 * error is copied.  Calls end().
 */
extern void fetch_fail(Fetch *fetch, const char *error, bool retry, bool expired);

#endif
