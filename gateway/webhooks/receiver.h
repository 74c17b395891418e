/*
 * receiver.h
 *		A webhook as the database describes it: where to send, and with which header fields.
 *
 * A receiver is counted, because the webhook may be read again while a request with the old
 * description is under way.  Whoever has made or held it drops it.  The last drop wipes and
 * frees it.
 */
#ifndef WEBHOOKS_RECEIVER_H
#define WEBHOOKS_RECEIVER_H

#include "db/db.h"

/* The most custom header fields that fit; wa.check_webhook() allows fewer. */
#define RECEIVER_HEADERS_MAX 20

typedef struct Receiver
{
	int holders;
	char *url;
	char *headers[RECEIVER_HEADERS_MAX + 1]; /* "Name: value"; ends with NULL */
} Receiver;

/*
 * Reads URL and header fields from these columns of the first row.  Returns NULL when memory
 * is out, or the row is malformed.
 */
extern Receiver *receiver_read(const DbResult *result, int url_column, int headers_column);

extern Receiver *receiver_hold(Receiver *receiver);

/* The argument may be NULL. */
extern void receiver_drop(Receiver *receiver);

#endif
