/*
 * s3_read.c
 *		Reads of an object of an S3-compatible store; see s3_read.h.
 *
 * curl fills one piece ahead and is paused while that was not asked for, so that the store sends
 * no faster than the client takes.  A paused request is not too slow.  But it keeps its place, of
 * which there are few: so a read may lose it to another organization's.
 */
#include "media/s3_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "media/read.h"
#include "media/s3_request.h"

/* Bytes of "first-last", and of Content-Range. */
#define RANGE_MAX 48
#define CONTENT_RANGE_MAX 80

typedef struct S3Read
{
	MediaRead read; /* the first member */
	S3 *s3;
	Place place; /* not taken: the read has lost it */
	S3Request request;
	MediaWanted wanted;
	uint64_t left; /* bytes that were not given yet */
	bool opened;   /* "opened" was called */
	bool asked;    /* the next bytes were asked for */
} S3Read;

/* Only whether the object is there is wanted. */
static bool
is_head(const MediaWanted *wanted)
{
	return wanted->length == 0;
}

static bool
is_part(const MediaWanted *wanted)
{
	return !is_head(wanted) && wanted->length < wanted->size;
}

/* ---- the head of the answer ---- */

/* Whether the answer has the part that was asked for, of an object of the right size. */
static bool
is_what_was_wanted(const S3Read *read)
{
	const MediaWanted *wanted = &read->wanted;
	char expected[CONTENT_RANGE_MAX];
	struct curl_header *header = NULL;
	curl_off_t length = -1;

	if (!is_part(wanted))
	{
		curl_easy_getinfo(read->request.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
		return read->request.status == 200 && length == (curl_off_t) wanted->size;
	}
	snprintf(expected, sizeof(expected), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, wanted->first,
			 wanted->first + wanted->length - 1, wanted->size);
	return read->request.status == 206 &&
		   curl_easy_header(read->request.easy, "Content-Range", 0, CURLH_HEADER, -1, &header) ==
			   CURLHE_OK &&
		   strcmp(header->value, expected) == 0;
}

static MediaFound
find_out(const S3Read *read)
{
	char code[S3_CODE_MAX];

	s3_request_code(&read->request, code);
	if (s3_request_is_good(&read->request) || read->request.status == 416)
	{
		if (s3_request_is_good(&read->request) && is_what_was_wanted(read))
			return MEDIA_FOUND;
		log_line(LOG_LEVEL_ERROR, "media_not_read",
				 log_text("reason", "the object has not the bytes that were stored"));
		return MEDIA_DAMAGED;
	}
	if (read->request.status == 404 &&
		(strcmp(code, "NoSuchKey") == 0 || is_head(&read->wanted))) /* which has no code */
		return MEDIA_GONE;
	s3_request_log(&read->request, "media_not_read");
	return MEDIA_UNREACHABLE;
}

/* ---- the bytes ---- */

static void
fail(S3Read *read)
{
	s3_request_log(&read->request, "media_not_read");
	read->asked = false;
	read->read.events->failed(read->read.context);
}

/* Gives what has come, if it was asked for.  The events may end the read. */
static void
give(S3Read *read)
{
	Buffer piece;

	if (!read->asked)
		return;
	if (read->place.holder == NULL)
	{
		read->asked = false;
		read->read.events->failed(read->read.context);
	}
	else if (read->request.body.len > 0 && read->request.body.len <= read->left)
	{
		piece = s3_request_take(&read->request);
		read->asked = false;
		read->left -= piece.len;
		read->read.events->bytes(read->read.context, piece.data, piece.len);
		buffer_free(&piece);
	}
	else if (read->request.body.len > 0 || read->request.ended)
		fail(read);
}

static void
on_moved(void *context)
{
	S3Read *read = context;

	if (read->opened)
		give(read);
	else if (read->request.ended || s3_request_is_good(&read->request))
	{
		read->opened = true;
		read->read.events->opened(read->read.context, find_out(read));
	}
}

static void
next(MediaRead *read)
{
	((S3Read *) read)->asked = true;
	give((S3Read *) read);
}

static void
end(MediaRead *reading)
{
	S3Read *read = (S3Read *) reading;

	place_leave(&read->s3->reads, &read->place);
	s3_request_free(&read->request);
	free(read);
}

/* ---- the beginning ---- */

/* The place was given to another read.  The events may end this one. */
static void
lose(S3Read *read)
{
	log_line(LOG_LEVEL_INFO, "media_not_read",
			 log_text("reason", "a read of another organization has taken its place"));
	s3_request_free(&read->request);
	if (read->opened)
	{
		give(read);
		return;
	}
	read->opened = true;
	read->read.events->opened(read->read.context, MEDIA_UNREACHABLE);
}

static bool
take_place(S3Read *read)
{
	void *loser;
	PlaceResult result = place_take(&read->s3->reads, &read->place, read->wanted.org, read, &loser);

	if (loser != NULL)
		lose(loser);
	return result == PLACE_TAKEN;
}

static bool
set_wanted(CURL *easy, const MediaWanted *wanted)
{
	char range[RANGE_MAX];

	if (is_head(wanted))
		return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
	if (!is_part(wanted))
		return true;
	snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, wanted->first,
			 wanted->first + wanted->length - 1);
	return curl_easy_setopt(easy, CURLOPT_RANGE, range) == CURLE_OK;
}

MediaRead *
s3_read(S3 *s3, const MediaWanted *wanted, const MediaReadEvents *events, void *context)
{
	static const MediaReadKind kind = {.next = next, .end = end};
	S3Read *read = calloc(1, sizeof(*read));

	if (read == NULL)
		return NULL;
	*read = (S3Read){.read = {.kind = &kind, .events = events, .context = context},
					 .s3 = s3,
					 .wanted = *wanted,
					 .left = wanted->length};
	if (take_place(read) &&
		s3_request_make(&read->request, s3, wanted->org, wanted->digest, NULL, on_moved, read) &&
		set_wanted(read->request.easy, wanted) && s3_request_send(&read->request))
		return &read->read;
	end(&read->read);
	return NULL;
}
