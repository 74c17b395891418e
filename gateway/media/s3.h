/*
 * s3.h
 *		A bucket of an S3-compatible store: its configuration, and requests to it.
 *
 * Each request is signed by curl, with Signature Version 4 of AWS, also over the SHA-256 of what
 * it sends.  So the store refuses bytes that are not those that were stored here.  Requests have
 * no redirect; with the names of name.h nothing in a URL has to be encoded.
 *
 * curl verifies certificates, and uses neither proxies of the environment nor netrc.
 */
#ifndef MEDIA_S3_H
#define MEDIA_S3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/s3_credentials.h"

struct event_base;

/*
 * A request fails when it cannot connect within this time, or when fewer bytes than
 * S3_SLOW_BYTES a second move for S3_SLOW_SECONDS.
 */
#define S3_CONNECT_MS 5000
#define S3_SLOW_BYTES 1024
#define S3_SLOW_SECONDS 15

/*
 * The reads at once, half of which may be of one organization.  Each has at most one piece
 * (MEDIA_PIECE_MAX) and a buffer of curl in memory.
 */
#define S3_READS_MAX 256

/* The idle connections that are kept. */
#define S3_KEPT 16

typedef struct S3Config
{
	const char *endpoint; /* "https://s3.example.com", "http://127.0.0.1:9000" */
	const char *bucket;   /* NULL: none is configured */
	const char *region;
	bool in_host;        /* the bucket is a part of the host, not of the path */
	const char *ca_file; /* PEM; NULL: the system's */
	const S3Credentials *credentials;
	const char *agent; /* what the store sees as User-Agent; NULL: none */
} S3Config;

typedef struct S3 S3;

/*
 * Whether the configuration can be used; nothing is asked over the network.  False: error says
 * why.
 */
extern bool s3_check(const S3Config *config, char *error, size_t size);

/* The configuration must outlive the result.  NULL: error says why. */
extern S3 *s3_open(struct event_base *base, const S3Config *config, char *error, size_t size);

/* All uploads and reads have to be ended before. */
extern void s3_close(S3 *s3);

#endif
