/*
 * listen.h
 *		Parses the address to listen on, and binds a socket to it.
 */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Returns a socket bound to "ADDR:PORT", not yet listening.  -1: error says why not. */
extern int http_listen_bind(const char *listen, bool reuse_port, char *error, size_t error_size);

/* Whether the text is an address to listen on, "ADDR:PORT".  False: error says why not. */
extern bool http_listen_check(const char *listen, char *error, size_t error_size);

/* Writes the address as text, and sets *port to its port. */
extern void http_listen_name(const struct sockaddr *address, char *name, size_t size, int *port);

#endif
