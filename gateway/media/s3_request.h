/*
 * s3_request.h
 *		One request to an S3-compatible store, and what s3.c opens.
 *
 * curl's callbacks only note what has come.  Whoever made the request is told after curl has
 * returned, and may then end the request.
 */
#ifndef MEDIA_S3_REQUEST_H
#define MEDIA_S3_REQUEST_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "client/curl_loop.h"
#include "lib/buffer.h"
#include "lib/places.h"
#include "media/s3.h"
#include "media/store.h"

/* Bytes of the code of an error, such as "NoSuchKey", with the NUL. */
#define S3_CODE_MAX 64

#define S3_HOST_MAX 255
#define S3_REGION_MAX 64

/* Bytes of the part that all URLs begin with: scheme, host, bucket. */
#define S3_BASE_MAX (S3_HOST_MAX + 80)

/* Bytes of what is behind it: a name, or a query with one. */
#define S3_REST_MAX (4 * 1024)

/* Bytes of the head of an answer. */
#define S3_HEAD_MAX (64 * 1024)

/* Bytes of the body of an error; what the code is looked for in, and what is read at all. */
#define S3_ERROR_MAX 4096
#define S3_ERROR_READ_MAX (64 * 1024)

typedef struct S3Request S3Request;

/*
 * Something has come of an answer: its head is complete, or there are bytes of its body, or the
 * request has ended.
 */
typedef void (*S3Moved)(void *context);

struct S3Request
{
	TAILQ_ENTRY(S3Request) link; /* while has_moved */
	S3 *s3;
	S3Moved moved;
	void *context;
	CURL *easy;
	struct curl_slist *headers;
	size_t head_bytes;
	size_t error_bytes;
	int status; /* 0: no complete head of an answer has come */
	bool sent;
	bool ended;          /* it is not on the network any more */
	bool has_moved;      /* since "moved" was called */
	bool paused;         /* body is full */
	const char *problem; /* with ended: why the answer is not complete; NULL: it is */
	Buffer body;         /* of a good answer (200 to 299): what was not taken yet; of another
						  * one: its beginning */
};

TAILQ_HEAD(S3Requests, S3Request);

struct S3
{
	CurlLoop curl;
	const S3Config *config;
	char base[S3_BASE_MAX];          /* of all URLs: the bucket */
	char signer[S3_REGION_MAX + 16]; /* for CURLOPT_AWS_SIGV4 */
	struct S3Requests moved;         /* those that have */
	Places reads;                    /* by organization */
};

/* What the loop of a store's requests calls; its context is the store. */
extern const CurlLoopEvents s3_request_events;

/*
 * Prepares a request for an object, of a body with this SHA-256 (NULL: there is none).  The
 * caller sets what it wants besides, and then calls s3_request_send() or s3_request_free().
 * False: memory is out, and there is nothing to free.
 */
extern bool s3_request_make(S3Request *request, S3 *s3, const uint8_t org[MEDIA_ORG_SIZE],
							const uint8_t digest[MEDIA_DIGEST_SIZE], const uint8_t *content,
							S3Moved moved, void *context);

/* The same for the bucket itself; the query is already encoded, and in order. */
extern bool
s3_request_make_query(S3Request *request, S3 *s3, const char *query, S3Moved moved, void *context);

extern bool s3_request_send(S3Request *request);

/* Takes it off the network, if it is there, and frees what it has. */
extern void s3_request_free(S3Request *request);

/* Takes what has come of the body, which the caller frees, so that more can come. */
extern Buffer s3_request_take(S3Request *request);

/* Whether the head of the answer has come, and says that all is well. */
extern bool s3_request_is_good(const S3Request *request);

/* The code in the body of an error; empty: there is none. */
extern void s3_request_code(const S3Request *request, char code[S3_CODE_MAX]);

/* Logs why a request that has ended is not good. */
extern void s3_request_log(const S3Request *request, const char *event);

#endif
