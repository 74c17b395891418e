/*
 * forget.h
 *		Sockets' credentials that are given back.
 */
#ifndef REALTIME_FORGET_H
#define REALTIME_FORGET_H

#include <sys/queue.h>

#include "realtime/identity.h"
#include "realtime/realtime.h"

/* Sockets' credentials that are to be given back; what is beyond it ends by its age. */
#define FORGET_MAX 20000

/* ... and how many at a time. */
#define FORGETS_AT_ONCE 8

typedef struct Forget
{
	TAILQ_ENTRY(Forget) link; /* realtime->forgets */
	Realtime *realtime;
	DbRequest *request; /* NULL: its turn has not come */
	char credential[CREDENTIAL_SIZE];
} Forget;

TAILQ_HEAD(ForgetList, Forget);

/* Gives a socket's credential back to the database, some time soon; the text is wiped. */
extern void forget_credential(Realtime *realtime, char *credential);
extern void forgets_free(Realtime *realtime);

#endif
