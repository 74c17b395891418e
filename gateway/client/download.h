/*
 * download.h
 *		Fetches what a URL that a tenant has written leads to.
 *
 *	start ──▶ FINDING ──all addresses allowed──▶ FETCHING ──200, and all bytes──▶ done
 *	             ▲                                  │
 *	             └───────────── a redirect ─────────┘
 *
 * Each redirect begins with a new check of where it leads, and there are at most
 * DOWNLOAD_REDIRECTS_MAX.  One deadline bounds all of it, and take_max the bytes.  Nothing but the
 * URL is sent: no cookie, not the page before, and no credential, unless the file is said to be on
 * hosts that may have it (DownloadAccess).
 */
#ifndef CLIENT_DOWNLOAD_H
#define CLIENT_DOWNLOAD_H

#include "client/destination.h"
#include "client/transfer.h"

#define DOWNLOAD_REDIRECTS_MAX 5

/* The most bytes of a text that says why a download has failed. */
#define DOWNLOAD_PROBLEM_MAX 128

/* What all downloads of a process share.  Everything is borrowed. */
typedef struct DownloadSetup
{
	DestinationSetup destination;
	Transfers *transfers;
	int timeout_ms;    /* of one download, look-ups and redirects included */
	int64_t bytes_max; /* of one file */
} DownloadSetup;

/*
 * A credential that is sent along, for a URL that lives for a short time.  The URL and all redirects
 * have to lead to one of the hosts, over TLS or to the machine itself.
 */
typedef struct DownloadAccess
{
	const char *header;       /* "Authorization: Bearer …"; copied, and wiped after its use */
	const char *const *hosts; /* borrowed; ends with NULL; ".example" is every name that ends so */
} DownloadAccess;

typedef struct Download Download;

typedef struct DownloadEvents
{
	/* The next bytes.  It must not end the download.  False: no more, until download_resume(). */
	TransferTake bytes;

	/*
	 * All bytes were given, or problem, valid until this returns, says why not; retry: another
	 * try may get them.  Called once, from the loop, never from within download_start().
	 */
	void (*done)(void *context, const char *problem, bool retry);
} DownloadEvents;

/*
 * Begins to fetch the URL, which is copied, for an organization.  The events are borrowed.
 * access may be NULL.  NULL: out of memory.
 */
extern Download *
download_start(const DownloadSetup *setup, const uint8_t asker[NEGATIVE_CACHE_ASKER_SIZE],
			   const char *url, const DownloadAccess *access, const DownloadEvents *events,
			   void *context);

/* Lets events->bytes() get bytes again, also from within this. */
extern void download_resume(Download *download);

/* Ends the download; done is not called. */
extern void download_abandon(Download *download);

#endif
