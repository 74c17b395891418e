/*
 * settings.c
 *		The settings of a program that uses a store; see settings.h.
 */
#include "media/settings.h"

#include <string.h>

#define IN_HOST "virtual-host"

const char *const media_s3_styles[] = {"path", IN_HOST, NULL};

bool
media_settings_check(MediaSettings *settings, char *problem, size_t size)
{
	S3Config *s3 = &settings->store.s3;

	s3->in_host = strcmp(settings->s3_style, IN_HOST) == 0;
	s3->credentials = &settings->s3_credentials;
	return media_store_check(&settings->store, problem, size) &&
		   (s3->bucket == NULL ||
			s3_credentials_read(&settings->s3_credentials, settings->s3_credentials_file, problem,
								size));
}
