/*
 * credential.h
 *		The one credential of a request.
 */
#ifndef API_CREDENTIAL_H
#define API_CREDENTIAL_H

#include "src/common/key_format.h"
#include "http/http.h"

typedef enum CredentialResult
{
	CREDENTIAL_OK,
	CREDENTIAL_ABSENT,   /* none, malformed, or of a kind that opens nothing here: 401 */
	CREDENTIAL_SEVERAL,  /* more than one, even when they are equal: 400 */
	CREDENTIAL_IN_QUERY, /* in the URL, where logs would keep it: 400 */
	CREDENTIAL_FOREIGN   /* a page of another origin asks, where only our own may: 403 */
} CredentialResult;

typedef struct Credential
{
	const char *text; /* borrowed from the request */
	size_t len;
	WakKind kind;
} Credential;

/*
 * Whether the query holds one: a parameter that can only be meant as one, or that has the
 * form of one.
 */
extern bool credential_in_query(const HttpRequest *request);

/*
 * For the one path that takes a ticket in its URL: the ticket when there is one, and
 * credential->kind is WAK_TICKET then, else as credential_find().  A ticket beside another
 * credential is one too many.
 */
extern CredentialResult credential_find_ticket(const HttpRequest *request, Credential *credential);

/* The API's one credential, an API key or a user token. */
extern CredentialResult credential_find(const HttpRequest *request, Credential *credential);

#endif
