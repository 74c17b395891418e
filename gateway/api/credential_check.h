/*
 * credential_check.h
 *		Asks again and again, while a file is sent or taken, whether its credential is still valid.
 *
 * A file may take hours.  A key that is revoked or restricted, or a person who signs out, is to
 * lose it soon, and not only when its last byte has come.
 */
#ifndef API_CREDENTIAL_CHECK_H
#define API_CREDENTIAL_CHECK_H

#include "api/call.h"
#include "lib/timer.h"

/* From one question to the next; there is one at a time. */
#define CREDENTIAL_CHECK_MS 5000

typedef struct CredentialCheck
{
	const Api *api;
	void (*refused)(void *context); /* a new request would be refused; called in the loop */
	void *context;
	char *credential; /* a copy, because a call ends when its answer begins */
	size_t len;
	const char *needs; /* the permission */
	bool in_session;   /* the path names a session */
	uint8_t session[DB_UUID_SIZE];
	char client[HTTP_CLIENT_MAX]; /* the client's address */
	size_t client_len;
	Timer timer;
	DbRequest *db; /* NULL: it does not ask now */
} CredentialCheck;

/*
 * Begins to ask, for the credential, permission, address and session of a call.  The check must be zeroed or stopped, and its
 * address must not change until it is stopped.  False: out of memory, and nothing is to be stopped.
 */
extern bool credential_check_start(CredentialCheck *check, const Call *call,
								   void (*refused)(void *context), void *context);

/* Has no effect on what was not started, or was stopped. */
extern void credential_check_stop(CredentialCheck *check);

#endif
