/*
 * http_samples.h
 *		Requests that must be refused, and requests that must be accepted.
 *
 * Used twice: by the guard's test, where each is cut at every byte, and over
 * a real connection, where a refused one must also end the connection.
 */
#ifndef TESTS_UNIT_HTTP_SAMPLES_H
#define TESTS_UNIT_HTTP_SAMPLES_H

#include <stddef.h>

typedef struct HttpSample
{
	const char *name;
	const char *text;
	size_t len;
	int status;       /* refused: the answer's */
	const char *body; /* accepted: what the handler gets */
} HttpSample;

extern const HttpSample http_refused[];
extern const int http_n_refused;
extern const HttpSample http_accepted[];
extern const int http_n_accepted;

#endif
