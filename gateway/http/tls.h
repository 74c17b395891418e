/*
 * tls.h
 *		TLS with OpenSSL, through libevent's bufferevents.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct bufferevent;
struct event_base;
struct ssl_ctx_st;

/* Reads certificate and key.  NULL: they cannot be used, and error says why. */
extern struct ssl_ctx_st *
http_tls_create(const char *certificate, const char *key, char *error, size_t error_size);
extern void http_tls_free(struct ssl_ctx_st *tls);

/* Logs a warning for each certificate from that file that is not valid now. */
extern void http_tls_warn(struct ssl_ctx_st *tls, const char *name);

/*
 * A bufferevent that waits for the client's handshake once bufferevent_setfd() has given it the
 * socket, which it owns from then on.  NULL when out of memory.
 */
extern struct bufferevent *http_tls_accept(struct ssl_ctx_st *tls, struct event_base *base);

/* Tells the client that nothing more will be sent. */
extern void http_tls_shutdown(struct bufferevent *bev);

#endif
