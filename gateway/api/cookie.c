/*
 * cookie.c
 *		The cookies of the dashboard (RFC 6265).
 *
 * With HttpOnly no script can read them; with SameSite=Strict no other site's page can send
 * them.  The sign-in cookie has no Max-Age, so the browser forgets it when it is closed.
 * The database decides how long each cookie is valid.
 */
#include "api/cookie.h"

#include <stdio.h>
#include <string.h>

/* The longest time that a browser keeps a cookie; browsers accept no more. */
#define DEVICE_MAX_AGE "; Max-Age=34560000"

typedef struct CookieForm
{
	WakKind kind;
	const char *name;
	const char *attributes;
	const char *max_age;
} CookieForm;

static const CookieForm plain[] = {
	[COOKIE_SIGN_IN] = {WAK_SIGN_IN, "wa_session", "Path=/auth; HttpOnly; SameSite=Strict", ""},
	[COOKIE_DEVICE] = {WAK_DEVICE, "wa_device", "Path=/auth/sign-in; HttpOnly; SameSite=Strict",
					   DEVICE_MAX_AGE},
};

/* The prefix __Host- requires Path=/. */
static const CookieForm secure[] = {
	[COOKIE_SIGN_IN] = {WAK_SIGN_IN, "__Host-wa_session",
						"Path=/; Secure; HttpOnly; SameSite=Strict", ""},
	[COOKIE_DEVICE] = {WAK_DEVICE, "__Host-wa_device", "Path=/; Secure; HttpOnly; SameSite=Strict",
					   DEVICE_MAX_AGE},
};

static const CookieForm *
form_for(const HttpRequest *request, Cookie which)
{
	return http_request_is_secure(request) ? &secure[which] : &plain[which];
}

/* Takes the next "name=value" from the text.  Returns false at its end. */
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

/* Looks for the name in one header.  Returns how often it is there; the last value is kept. */
static int
find_in(HttpText rest, const char *name, Credential *cookie)
{
	size_t len = strlen(name);
	HttpText pair;
	int count = 0;

	while (next_pair(&rest, &pair))
	{
		if (pair.len > len && pair.data[len] == '=' && memcmp(pair.data, name, len) == 0)
		{
			cookie->text = pair.data + len + 1;
			cookie->len = pair.len - len - 1;
			count++;
		}
	}
	return count;
}

bool
cookie_find(const HttpRequest *request, Cookie which, Credential *cookie)
{
	const CookieForm *form = form_for(request, which);
	int count = 0;

	for (size_t i = 0; i < request->n_headers; i++)
		if (strcmp(request->headers[i].name.data, "cookie") == 0)
			count += find_in(request->headers[i].value, form->name, cookie);
	return count == 1 && wak_check(cookie->text, cookie->len, &cookie->kind) == WAK_OK &&
		   cookie->kind == form->kind;
}

bool
cookie_set(const HttpRequest *request, Cookie which, const char *cookie, size_t len,
		   char header[COOKIE_HEADER_MAX])
{
	const CookieForm *form = form_for(request, which);
	int written = snprintf(header, COOKIE_HEADER_MAX, "%s=%.*s; %s%s", form->name, (int) len,
						   cookie, form->attributes, len == 0 ? "; Max-Age=0" : form->max_age);

	return written > 0 && written < COOKIE_HEADER_MAX;
}
