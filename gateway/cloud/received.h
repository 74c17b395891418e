/*
 * received.h
 *		Where the files are that people send: a source of connector/fetches.h.
 *
 * A reference is Meta's id of a file.  Meta is asked for its URL, which lives for five minutes, and
 * the file is fetched from there, with the access token.  Meta keeps it for seven days.
 */
#ifndef CLOUD_RECEIVED_H
#define CLOUD_RECEIVED_H

#include "cloud/sessions.h"
#include "connector/fetches.h"

typedef struct CloudReceived
{
	const Cloud *cloud;
	const Sessions *sessions;
	const DownloadSetup *downloads;
	const char *const *hosts; /* that files may come from; ends with NULL */
} CloudReceived;

/* The context is a CloudReceived, which outlives the fetches. */
extern const FetchSource cloud_received;

#endif
