/*
 * cookie.h
 *		The sign-in cookie, good for /auth/ and nothing else; and the one by which a browser
 *		is known in which somebody has signed in before.
 *
 * Over TLS their names begin with "__Host-": a browser takes such a name only with Secure,
 * for this host and from this host, so that no neighbour under the same domain can plant
 * one.  Over plain HTTP, on a developer's machine, they do not.  Each is looked for only
 * where it is also set.
 */
#ifndef API_COOKIE_H
#define API_COOKIE_H

#include "api/credential.h"

/* Bytes of a Set-Cookie value, with the NUL. */
#define COOKIE_HEADER_MAX 256

typedef enum Cookie
{
	COOKIE_SIGN_IN, /* was_..., until the browser is closed */
	COOKIE_DEVICE   /* wad_..., for longer than any sign-in */
} Cookie;

/*
 * A cookie of a request, which points into it.  False: there is none, it is malformed, or
 * there are several, so that nobody knows which one counts.
 */
extern bool cookie_find(const HttpRequest *request, Cookie which, Credential *cookie);

/*
 * What sets it, as the value of a Set-Cookie; a length of 0 takes it away.  False when it
 * is too long.  The caller wipes "header".
 */
extern bool cookie_set(const HttpRequest *request, Cookie which, const char *cookie, size_t len,
					   char header[COOKIE_HEADER_MAX]);

#endif
