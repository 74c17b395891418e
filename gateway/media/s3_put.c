/*
 * s3_put.c
 *		Stores a file as an object of an S3-compatible store; see s3_put.h.
 *
 *	LOOKING --> SENDING --> done
 *	       \________________/
 *
 * First the store is asked whether it has the object already, with as many bytes: a HEAD is much
 * cheaper than a file that is sent for nothing.  Any other answer leads to a PUT, because some
 * credentials may only write.  The PUT is not conditional: not all stores know If-None-Match
 * there, and it would keep an object that is damaged.  Two at once write the same bytes.
 *
 * curl may send again what it has sent on a connection that was closed; that is harmless here.
 */
#include "media/s3_put.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "media/s3_request.h"

#define MOVING_MS 1000

struct S3Put
{
	S3Request request;
	S3 *s3;
	const S3PutEvents *events;
	void *context;
	uint8_t org[MEDIA_ORG_SIZE];
	uint8_t digest[MEDIA_DIGEST_SIZE];
	int fd;
	uint64_t size;
	uint64_t at; /* of the next bytes that are sent */
	int64_t told_ms;
};

static void
end(S3Put *put, bool stored)
{
	const S3PutEvents *events = put->events;
	void *context = put->context;

	s3_put_cancel(put);
	events->done(context, stored);
}

/* ---- sending ---- */

static size_t
on_read(char *bytes, size_t size, size_t count, void *context)
{
	S3Put *put = context;
	int64_t now = clock_monotonic_ms();
	ssize_t got;

	do
	{
		got = pread(put->fd, bytes, size * count, (off_t) put->at);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return CURL_READFUNC_ABORT;
	put->at += (uint64_t) got;
	if (now >= put->told_ms + MOVING_MS)
	{
		put->told_ms = now;
		put->events->moving(put->context);
	}
	return (size_t) got;
}

static int
on_seek(void *context, curl_off_t offset, int origin)
{
	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_FAIL;
	((S3Put *) context)->at = (uint64_t) offset;
	return CURL_SEEKFUNC_OK;
}

static void
on_sent(void *context)
{
	S3Put *put = context;
	bool stored = s3_request_is_good(&put->request) && put->request.problem == NULL;

	if (!put->request.ended)
		return;
	if (!stored)
		s3_request_log(&put->request, "media_not_stored");
	end(put, stored);
}

static bool
set_file(CURL *easy, S3Put *put)
{
	return curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t) put->size) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_READDATA, put) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_SEEKDATA, put) == CURLE_OK;
}

static bool
send_file(S3Put *put)
{
	return s3_request_make(&put->request, put->s3, put->org, put->digest, put->digest, on_sent,
						   put) &&
		   set_file(put->request.easy, put) && s3_request_send(&put->request);
}

/* ---- looking ---- */

static bool
has_object(const S3Put *put)
{
	curl_off_t length = -1;

	curl_easy_getinfo(put->request.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return put->request.status == 200 && put->request.problem == NULL &&
		   length == (curl_off_t) put->size;
}

static void
on_looked(void *context)
{
	S3Put *put = context;

	if (!put->request.ended)
		return;
	if (put->request.status == 0)
		s3_request_log(&put->request, "media_not_stored");
	if (put->request.status == 0 || has_object(put))
	{
		end(put, put->request.status != 0);
		return;
	}
	s3_request_free(&put->request);
	if (!send_file(put))
		end(put, false);
}

S3Put *
s3_put(S3 *s3, const uint8_t org[MEDIA_ORG_SIZE], const uint8_t digest[MEDIA_DIGEST_SIZE], int fd,
	   uint64_t size, const S3PutEvents *events, void *context)
{
	S3Put *put = calloc(1, sizeof(*put));

	if (put == NULL)
		return NULL;
	*put = (S3Put){.s3 = s3, .events = events, .context = context, .fd = fd, .size = size};
	memcpy(put->org, org, MEDIA_ORG_SIZE);
	memcpy(put->digest, digest, MEDIA_DIGEST_SIZE);
	if (s3_request_make(&put->request, s3, org, digest, NULL, on_looked, put) &&
		curl_easy_setopt(put->request.easy, CURLOPT_NOBODY, 1L) == CURLE_OK &&
		s3_request_send(&put->request))
		return put;
	s3_put_cancel(put);
	return NULL;
}

void
s3_put_cancel(S3Put *put)
{
	s3_request_free(&put->request);
	free(put);
}
