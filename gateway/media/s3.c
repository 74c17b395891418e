/*
 * s3.c
 *		A bucket of an S3-compatible store; see s3.h.
 */
#include "media/s3.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/s3_request.h"

/* The length of a bucket's name. */
#define BUCKET_MIN 3
#define BUCKET_MAX 63

/* Whether a text has that many characters, all of them letters, digits or of "more". */
static bool
is_word(const char *text, size_t least, size_t most, const char *more)
{
	size_t len = strlen(text);

	if (len < least || len > most)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char) text[i]) && strchr(more, text[i]) == NULL)
			return false;
	return true;
}

/* Splits an endpoint into scheme and what follows; false unless that is a host and a port. */
static bool
split_endpoint(const char *endpoint, char scheme[8], const char **host)
{
	const char *separator = strstr(endpoint, "://");
	size_t len = separator == NULL ? 0 : (size_t) (separator - endpoint);

	if (len < 4 || len > 5)
		return false;
	snprintf(scheme, 8, "%.*s", (int) len, endpoint);
	*host = separator + 3;
	return (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
		   is_word(*host, 1, S3_HOST_MAX, "-.:[]_");
}

static bool
make_base(const S3Config *config, char base[S3_BASE_MAX])
{
	char scheme[8];
	const char *host;

	if (!split_endpoint(config->endpoint, scheme, &host))
		return false;
	if (config->in_host)
		snprintf(base, S3_BASE_MAX, "%s://%s.%s", scheme, config->bucket, host);
	else
		snprintf(base, S3_BASE_MAX, "%s://%s/%s", scheme, host, config->bucket);
	return true;
}

bool
s3_check(const S3Config *config, char *error, size_t size)
{
	char base[S3_BASE_MAX];
	const char *wrong = NULL;

	if (config->endpoint == NULL)
		wrong = "--media-s3-bucket needs --media-s3-endpoint";
	else if (!is_word(config->bucket, BUCKET_MIN, BUCKET_MAX, "-._"))
		wrong = "--media-s3-bucket takes the name of a bucket";
	else if (!make_base(config, base))
		wrong = "--media-s3-endpoint takes an URL without a path, like https://s3.example.com";
	else if (!is_word(config->region, 1, S3_REGION_MAX, "-_"))
		wrong = "--media-s3-region takes the name of a region";
	else if (config->ca_file != NULL && access(config->ca_file, R_OK) != 0)
		wrong = "the file of --media-s3-ca-file cannot be read";
	if (wrong != NULL)
		snprintf(error, size, "%s", wrong);
	return wrong == NULL;
}

S3 *
s3_open(struct event_base *base, const S3Config *config, char *error, size_t size)
{
	S3 *s3;

	if (!s3_check(config, error, size))
		return NULL;
	s3 = calloc(1, sizeof(*s3));
	if (s3 == NULL || !curl_loop_open(&s3->curl, base, S3_KEPT, &s3_request_events, s3))
	{
		snprintf(error, size, "out of memory");
		free(s3);
		return NULL;
	}
	s3->config = config;
	TAILQ_INIT(&s3->moved);
	places_init(&s3->reads, S3_READS_MAX);
	make_base(config, s3->base);
	snprintf(s3->signer, sizeof(s3->signer), "aws:amz:%s:s3", config->region);
	return s3;
}

void
s3_close(S3 *s3)
{
	if (s3 == NULL)
		return;
	curl_loop_close(&s3->curl);
	free(s3);
}
