/*
 * listen.h
 *		The address to listen on: from text to a bound socket.
 */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* A socket that is bound to "ADDR:PORT", not listening; -1 and error when there is none. */
extern int http_listen_bind(const char *listen, bool reuse_port, char *error, size_t error_size);

/* Whether "ADDR:PORT" is an address to listen on; false and error when it is not. */
extern bool http_listen_check(const char *listen, char *error, size_t error_size);

/* Writes the address as text; *port is its port. */
extern void http_listen_name(const struct sockaddr *address, char *name, size_t size, int *port);

#endif
