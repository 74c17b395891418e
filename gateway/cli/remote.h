/*
 * remote.h
 *		Runs a command over HTTP, with a user token, at a gateway.
 *
 * The database decides there what the person may do, as it does for the dashboard.  Nothing is
 * sent but to the URL that was given (client/exchange.h).
 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include "cli/invocation.h"

typedef enum RemoteResult
{
	REMOTE_DONE,
	REMOTE_REFUSED, /* it has said why on standard error */
	REMOTE_WRONG    /* the invocation's problem says what cannot be read */
} RemoteResult;

extern RemoteResult remote_run(Invocation *invocation);

#endif
