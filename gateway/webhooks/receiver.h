/*
 * receiver.h
 *		A webhook as the database describes it: where to send, and with which header fields.
 *
 * Counted, because the webhook may be read anew while a request that was begun with the
 * old description is under way.  Whoever made it or has held it drops it; the last one's
 * drop wipes and frees it.
 */
#ifndef WEBHOOKS_RECEIVER_H
#define WEBHOOKS_RECEIVER_H

#include "db/db.h"

/* Custom header fields; wa.check_webhook() allows fewer. */
#define RECEIVER_HEADERS_MAX 20

typedef struct Receiver
{
	int holders;
	char *url;
	char *headers[RECEIVER_HEADERS_MAX + 1]; /* "Name: value"; NULL ends them */
} Receiver;

/* From a row of webhook_lane.  NULL: out of memory, or not what it should be. */
extern Receiver *receiver_read(const DbResult *result, int row);

extern Receiver *receiver_hold(Receiver *receiver);

/* May be NULL. */
extern void receiver_drop(Receiver *receiver);

#endif
