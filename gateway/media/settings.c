/*
 * settings.c
 *		The settings of a program that uses a store; see settings.h.
 */
#include "media/settings.h"

#include <string.h>

#include "lib/log.h"

#define IN_HOST "virtual-host"

const char *const media_s3_styles[] = {"path", IN_HOST, NULL};

bool
media_settings_check(MediaSettings *settings, const char *agent, char *problem, size_t size)
{
	S3Config *s3 = &settings->store.s3;

	s3->in_host = strcmp(settings->s3_style, IN_HOST) == 0;
	s3->credentials = &settings->s3_credentials;
	s3->agent = agent;
	return media_store_check(&settings->store, problem, size) &&
		   (s3->bucket == NULL ||
			s3_credentials_read(&settings->s3_credentials, settings->s3_credentials_file, problem,
								size));
}

void
media_settings_reload(MediaSettings *settings)
{
	S3Credentials read;
	char error[256];

	if (settings->store.s3.bucket == NULL || settings->s3_credentials_file == NULL)
		return;
	if (s3_credentials_read(&read, settings->s3_credentials_file, error, sizeof(error)))
	{
		settings->s3_credentials = read;
		log_line(LOG_LEVEL_INFO, "media_credentials_reloaded");
	}
	else
		log_line(LOG_LEVEL_ERROR, "media_credentials_not_reloaded", log_text("reason", error));
	s3_credentials_wipe(&read);
}
