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
	CREDENTIAL_ABSENT,   /* none, malformed, or of a kind that is not accepted here: 401 */
	CREDENTIAL_SEVERAL,  /* more than one, even if they are equal: 400 */
	CREDENTIAL_IN_QUERY, /* in the URL, where logs would keep it: 400 */
	CREDENTIAL_FOREIGN   /* sent by a page of another origin, where only our own may: 403 */
} CredentialResult;

typedef struct Credential
{
	const char *text; /* borrowed from the request */
	size_t len;
	WakKind kind;
} Credential;

/*
 * Whether the query has a parameter that can only be meant as a credential, or a value that
 * has the form of one.
 */
extern bool credential_in_query(const HttpRequest *request);

/*
 * For the one path that accepts a ticket in its URL.  If there is a ticket it is found, and
 * credential->kind is WAK_TICKET; otherwise this is credential_find().  A ticket and
 * another credential together are refused as several.
 */
extern CredentialResult credential_find_ticket(const HttpRequest *request, Credential *credential);

/* Finds the API's one credential, an API key or a user token. */
extern CredentialResult credential_find(const HttpRequest *request, Credential *credential);

#endif
