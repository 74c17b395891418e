/*
 * listener.h
 *		The listener for what Meta sends: https://HOST/webhook/APP, for each app by its id.
 *
 *	GET		Meta asks, when the address is set up in the app, whether it is ours: the answer is
 *			the challenge, if a session with the app's credentials has the verify token.
 *	POST	a notification (posts.h).
 *
 * Everything else is answered with 404 or 405.
 */
#ifndef CLOUD_LISTENER_H
#define CLOUD_LISTENER_H

#include "cloud/posts.h"

/* Connections at once, and of one address; Meta, or a proxy before us, opens many. */
#define LISTENER_CONNECTIONS_MAX 1000
#define LISTENER_ADDRESS_CONNECTIONS_MAX 500

/* Questions about an address at once; more are refused with 503. */
#define LISTENER_QUESTIONS_MAX 8

/* All texts are borrowed until listener_close(). */
typedef struct ListenerConfig
{
	const char *listen;
	const char *tls_certificate; /* PEM files, both or neither */
	const char *tls_key;
} ListenerConfig;

typedef struct Listener Listener;

/* Checks what listener_open() would use, without listening.  False: error says why. */
extern bool listener_check(const ListenerConfig *config, char *error, size_t size);

/* As posts_open(), and it listens.  NULL: error (of size bytes) says why not. */
extern Listener *listener_open(const Cloud *cloud, const ListenerConfig *config,
							   void (*changed)(void *context, const ConnectorId *session),
							   void *context, char *error, size_t size);

/* Reads certificate and key again; what goes wrong is logged, and the old ones stay in use. */
extern void listener_reload(const Listener *listener);

/*
 * Accepts nothing new, lets what has come be stored, at most so long, and then calls
 * done(context).
 */
extern void
listener_drain(Listener *listener, int bound_ms, void (*done)(void *context), void *context);

/* Ends all at once, before the database pool is closed.  The argument may be NULL. */
extern void listener_close(Listener *listener);

#endif
