/*
 * credential.c
 *		Finds the credential of a request, by the rules of the API.
 *
 * A request has one credential: "Authorization: Bearer C" or "x-api-key: C".  With two it
 * would be unclear which one counts, and a proxy in front might read the other one.  A
 * credential in the URL is refused before anything else, even when a valid one is in a
 * header: URLs are kept in logs, histories and referrers, so the sender has to learn that
 * this credential is no longer secret.
 *
 * A credential whose checksum is wrong is refused here, without a database call.
 *
 * What is malformed by its checksum is refused here, without a database call.
 */
#include "api/credential.h"

#include <string.h>
#include <strings.h>

/*
 * Query parameters that can only be meant as a credential.  "-" and "_" are ignored in the
 * comparison.
 */
static const char *const query_names[] = {
	"apikey",        "xapikey", "key",        "token",  "accesstoken", "authtoken", "bearertoken",
	"authorization", "bearer",  "credential", "secret", "auth",        NULL};

static bool
is_credential_name(const HttpText *name)
{
	char plain[32];
	size_t len = 0;

	for (size_t i = 0; i < name->len; i++)
	{
		if (name->data[i] != '-' && name->data[i] != '_')
		{
			if (len == sizeof(plain) - 1)
				return false;
			plain[len++] = name->data[i];
		}
	}
	plain[len] = '\0';
	for (int i = 0; query_names[i] != NULL; i++)
		if (strcasecmp(plain, query_names[i]) == 0)
			return true;
	return false;
}

bool
credential_in_query(const HttpRequest *request)
{
	for (size_t i = 0; i < request->n_parameters; i++)
	{
		const HttpField *parameter = &request->parameters[i];

		if (is_credential_name(&parameter->name) ||
			wak_check(parameter->value.data, parameter->value.len, NULL) == WAK_OK)
			return true;
	}
	return false;
}

/* Takes the text after "Bearer" and white space. */
static bool
bearer(const HttpText *header, Credential *credential)
{
	static const char scheme[] = "bearer";
	size_t at = sizeof(scheme) - 1;

	if (header->len <= at || strncasecmp(header->data, scheme, at) != 0 || header->data[at] != ' ')
		return false;
	while (at < header->len && header->data[at] == ' ')
		at++;
	credential->text = header->data + at;
	credential->len = header->len - at;
	return true;
}

/*
 * A ticket is worthless after its first use, and half a minute after it was made, so a log
 * that keeps the URL keeps no secret.  Any other credential in the URL is refused here as
 * everywhere.
 */
CredentialResult
credential_find_ticket(const HttpRequest *request, Credential *credential)
{
	size_t tickets;
	const HttpText *ticket = http_request_parameter(request, "ticket", &tickets);
	bool others = http_request_header(request, "authorization", NULL) != NULL ||
				  http_request_header(request, "x-api-key", NULL) != NULL;
	WakResult result;

	if (ticket == NULL)
		return credential_find(request, credential);
	if (tickets > 1 || others)
		return CREDENTIAL_SEVERAL;
	for (size_t i = 0; i < request->n_parameters; i++)
	{
		const HttpText *value = &request->parameters[i].value;

		if (value != ticket && (is_credential_name(&request->parameters[i].name) ||
								wak_check(value->data, value->len, NULL) == WAK_OK))
			return CREDENTIAL_IN_QUERY;
	}
	credential->text = ticket->data;
	credential->len = ticket->len;
	result = wak_check(ticket->data, ticket->len, &credential->kind);
	if (result == WAK_OK && credential->kind != WAK_TICKET)
		return CREDENTIAL_IN_QUERY;
	return result == WAK_OK ? CREDENTIAL_OK : CREDENTIAL_ABSENT;
}

CredentialResult
credential_find(const HttpRequest *request, Credential *credential)
{
	size_t authorizations;
	size_t keys;
	const HttpText *authorization = http_request_header(request, "authorization", &authorizations);
	const HttpText *key = http_request_header(request, "x-api-key", &keys);

	if (credential_in_query(request))
		return CREDENTIAL_IN_QUERY;
	if (authorizations + keys > 1)
		return CREDENTIAL_SEVERAL;
	if (key != NULL)
	{
		credential->text = key->data;
		credential->len = key->len;
	}
	else if (authorization == NULL || !bearer(authorization, credential))
	{
		return CREDENTIAL_ABSENT;
	}
	if (wak_check(credential->text, credential->len, &credential->kind) != WAK_OK)
		return CREDENTIAL_ABSENT;
	/* Cookies, tickets and invitations are not accepted in a header. */
	switch (credential->kind)
	{
		case WAK_TEST_KEY:
		case WAK_API_KEY:
		case WAK_IMPORTED_KEY:
		case WAK_USER_TOKEN:
			return CREDENTIAL_OK;
		case WAK_SIGN_IN:
		case WAK_DEVICE:
		case WAK_TICKET:
		case WAK_INVITATION:
			break;
	}
	return CREDENTIAL_ABSENT;
}
