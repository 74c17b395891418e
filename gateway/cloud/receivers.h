/*
 * receivers.h
 *		The sessions that a notification may be for, and which of them may trust it.
 *
 * Any process gets the notifications of any session, also of one that another process leases.  So
 * the database is asked for the sessions that have the numbers which stand in the body.
 *
 * Each session has a secret of its own.  A session gets what is said of its number if, and only
 * if, the notification was signed with that secret.  Whoever signs with the secret of one session,
 * such as the customer who knows it, can say nothing of another one.
 */
#ifndef CLOUD_RECEIVERS_H
#define CLOUD_RECEIVERS_H

#include "cloud/credentials.h"
#include "cloud/notification.h"
#include "cloud/signature.h"
#include "connector/id.h"

/* The most different secrets that are tried; an app has one. */
#define RECEIVERS_SECRETS_MAX 8

typedef struct SignedBody
{
	uint8_t signature[SIGNATURE_SIZE];
	const char *bytes;
	size_t len;
} SignedBody;

typedef struct Receiver
{
	ConnectorId org;
	ConnectorId session;
	char number[NOTIFICATION_ID_MAX + 1];
	char account[NOTIFICATION_ID_MAX + 1];
	bool has_number; /* false: it may get the number later */
	bool trusts;     /* the body is signed with its secret */
} Receiver;

typedef struct Receivers
{
	Receiver *list;
	int count;
} Receivers;

/* Reads the answer of receivers.sql.  False: out of memory. */
extern bool receivers_read(Receivers *receivers, const DbResult *result, const CloudKeys *keys,
						   const SignedBody *body);

extern void receivers_free(Receivers *receivers);

/* Whether any of them trusts the body. */
extern bool receivers_trust(const Receivers *receivers);

/*
 * The session to which a number belongs: the one that has it, and else the one that may get it and
 * trusts the body, and else one that does not.  NULL: no session has to do with the number.
 */
extern const Receiver *receivers_find(const Receivers *receivers, const char *number);

/* Whether a session of this answer has the verify token, for a request that is not signed. */
extern bool
receivers_have_token(const DbResult *result, const CloudKeys *keys, const char *token, size_t len);

#endif
