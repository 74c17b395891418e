/*
 * cookie.c
 *		The sign-in cookie (RFC 6265).
 *
 * HttpOnly: no script reads it.  SameSite=Strict: no other site's page sends it.  No
 * Max-Age: the browser forgets it when it is closed; how long it is good is the database's
 * to say.
 */
#include "api/cookie.h"

#include <stdio.h>
#include <string.h>

typedef struct CookieForm
{
	const char *name;
	const char *attributes;
} CookieForm;

/* __Host- demands Path=/. */
static const CookieForm plain = {"wa_session", "Path=/auth; HttpOnly; SameSite=Strict"};
static const CookieForm secure = {"__Host-wa_session", "Path=/; Secure; HttpOnly; SameSite=Strict"};

static const CookieForm *
form_for(const HttpRequest *request)
{
	return http_request_is_secure(request) ? &secure : &plain;
}

/*
 * Cut the next "name=value" off the text; false at its end.
 */
static bool
next_pair(HttpText *rest, HttpText *pair)
{
	const char *end;

	while (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == ';'))
	{
		rest->data++;
		rest->len--;
	}
	end = rest->len > 0 ? memchr(rest->data, ';', rest->len) : NULL;
	*pair = (HttpText){rest->data, end != NULL ? (size_t) (end - rest->data) : rest->len};
	rest->data += pair->len;
	rest->len -= pair->len;
	return pair->len > 0;
}

/*
 * Look for the name in one header; every find is counted, the last one kept.
 */
static int
find_in(HttpText rest, const char *name, Credential *cookie)
{
	size_t length = strlen(name);
	HttpText pair;
	int count = 0;

	while (next_pair(&rest, &pair))
	{
		if (pair.len > length && pair.data[length] == '=' && memcmp(pair.data, name, length) == 0)
		{
			cookie->text = pair.data + length + 1;
			cookie->length = pair.len - length - 1;
			count++;
		}
	}
	return count;
}

bool
cookie_find(const HttpRequest *request, Credential *cookie)
{
	const char *name = form_for(request)->name;
	int count = 0;

	for (size_t i = 0; i < request->n_headers; i++)
	{
		if (strcmp(request->headers[i].name.data, "cookie") == 0)
		{
			count += find_in(request->headers[i].value, name, cookie);
		}
	}
	return count == 1 && wak_check(cookie->text, cookie->length, &cookie->kind) == WAK_OK &&
		   cookie->kind == WAK_SIGN_IN;
}

bool
cookie_set(const HttpRequest *request, const char *cookie, size_t length,
		   char header[COOKIE_HEADER_MAX])
{
	const CookieForm *form = form_for(request);
	int written = snprintf(header, COOKIE_HEADER_MAX, "%s=%.*s; %s%s", form->name, (int) length,
						   cookie, form->attributes, length == 0 ? "; Max-Age=0" : "");

	return written > 0 && written < COOKIE_HEADER_MAX;
}
