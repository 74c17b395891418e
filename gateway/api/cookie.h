/*
 * cookie.h
 *		The sign-in cookie, which is valid for /auth/ only, and the device cookie, by which
 *		a browser is recognized in which somebody has signed in before.
 *
 * Over TLS the names begin with "__Host-".  A browser accepts such a name only with Secure,
 * for this host and from this host, so that another host of the same domain cannot set one.
 * Over plain HTTP, on a developer's machine, the names have no prefix.  A request is
 * searched only for the name that would be set over the same kind of connection.
 */
#ifndef API_COOKIE_H
#define API_COOKIE_H

#include "api/credential.h"

/* Bytes of a Set-Cookie value, with the NUL. */
#define COOKIE_HEADER_MAX 256

typedef enum Cookie
{
	COOKIE_SIGN_IN, /* was_..., kept until the browser is closed */
	COOKIE_DEVICE   /* wad_..., kept longer than any sign-in */
} Cookie;

/*
 * Finds a cookie of a request; the result points into the request.  Returns false when
 * there is none, when it is malformed, or when there are several, since none of them can be
 * preferred.
 */
extern bool cookie_find(const HttpRequest *request, Cookie which, Credential *cookie);

/*
 * Writes the value of the Set-Cookie header that sets the cookie, or removes it if len is
 * 0.  Returns false when it is too long.  The caller wipes "header".
 */
extern bool cookie_set(const HttpRequest *request, Cookie which, const char *cookie, size_t len,
					   char header[COOKIE_HEADER_MAX]);

#endif
