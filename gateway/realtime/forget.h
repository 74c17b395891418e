/*
 * forget.h
 *		Gives the credentials of closed sockets back to the database.
 */
#ifndef REALTIME_FORGET_H
#define REALTIME_FORGET_H

#include <sys/queue.h>

#include "realtime/identity.h"
#include "realtime/realtime.h"

/* The number of credentials that wait to be given back.  Further ones are left to expire. */
#define FORGET_MAX 20000

/* The number of requests for this at a time. */
#define FORGETS_AT_ONCE 8

typedef struct Forget
{
	TAILQ_ENTRY(Forget) link; /* realtime->forgets */
	Realtime *realtime;
	DbRequest *request; /* NULL: not submitted yet */
	char credential[CREDENTIAL_SIZE];
} Forget;

TAILQ_HEAD(ForgetList, Forget);

/* Gives a socket's credential back to the database soon.  The text is wiped. */
extern void forget_credential(Realtime *realtime, char *credential);
extern void forgets_free(Realtime *realtime);

#endif
