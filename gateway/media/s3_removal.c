/*
 * s3_removal.c
 *		Removes an object of an S3-compatible store; see s3_removal.h.
 *
 * The request has a connection of its own: curl would send it a second time when one that was kept
 * is closed, maybe much later than the first.  In a bucket with versions the store keeps the
 * object as an older one.
 */
#include "media/s3_removal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "media/removal.h"
#include "media/s3_request.h"

typedef struct S3Removal
{
	MediaRemoval removal; /* the first member */
	S3Request request;
} S3Removal;

static void
end(MediaRemoval *removing)
{
	S3Removal *removal = (S3Removal *) removing;

	s3_request_free(&removal->request);
	free(removal);
}

static bool
is_gone(const S3Request *request)
{
	char code[S3_CODE_MAX];

	if (request->problem != NULL)
		return false;
	s3_request_code(request, code);
	return s3_request_is_good(request) ||
		   (request->status == 404 && strcmp(code, "NoSuchKey") == 0);
}

static void
on_moved(void *context)
{
	S3Removal *removal = context;
	MediaRemoved done = removal->removal.done;
	void *told = removal->removal.context;
	bool removed;

	if (!removal->request.ended)
		return;
	removed = is_gone(&removal->request);
	if (!removed)
		s3_request_log(&removal->request, "media_not_removed");
	end(&removal->removal);
	done(told, removed);
}

static bool
set_removal(CURL *easy, int64_t left_ms)
{
	return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE") == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) left_ms) == CURLE_OK;
}

MediaRemoval *
s3_remove(S3 *s3, const uint8_t org[MEDIA_ORG_SIZE], const uint8_t digest[MEDIA_DIGEST_SIZE],
		  int64_t until_ms, MediaRemoved done, void *context)
{
	int64_t left_ms = until_ms - clock_elapsed_ms();
	S3Removal *removal = left_ms <= 0 ? NULL : calloc(1, sizeof(*removal));

	if (removal == NULL)
		return NULL;
	removal->removal = (MediaRemoval){.end = end, .done = done, .context = context};
	if (s3_request_make(&removal->request, s3, org, digest, NULL, on_moved, removal) &&
		set_removal(removal->request.easy,
					left_ms < MEDIA_REMOVAL_MS ? left_ms : MEDIA_REMOVAL_MS) &&
		s3_request_send(&removal->request))
		return &removal->removal;
	end(&removal->removal);
	return NULL;
}
