/*
 * settings.h
 *		The settings of a program that uses a store of a folder or a bucket.
 */
#ifndef MEDIA_SETTINGS_H
#define MEDIA_SETTINGS_H

#include "lib/config.h"
#include "media/store.h"

/* All texts are borrowed from argv and the environment. */
typedef struct MediaSettings
{
	MediaStoreConfig store;
	const char *s3_style;            /* one of media_s3_styles */
	const char *s3_credentials_file; /* NULL: they are in the environment */
	S3Credentials s3_credentials;    /* set by media_settings_check() */
} MediaSettings;

extern const char *const media_s3_styles[];

/* Rows of a program's table of options. */
/* clang-format off */
#define MEDIA_STORE_OPTIONS(settings, folder_help, bucket_help) \
	{.flag = "media-dir", .environment = "WA_MEDIA_DIR", .argument = "FOLDER", \
	 .kind = CONFIG_TEXT, .target = &(settings).store.folder, \
	 .help = (folder_help)}, \
	{.flag = "media-s3-bucket", .environment = "WA_MEDIA_S3_BUCKET", .argument = "NAME", \
	 .kind = CONFIG_TEXT, .target = &(settings).store.s3.bucket, \
	 .help = (bucket_help)}, \
	{.flag = "media-s3-endpoint", .environment = "WA_MEDIA_S3_ENDPOINT", .argument = "URL", \
	 .kind = CONFIG_TEXT, .target = &(settings).store.s3.endpoint, \
	 .help = "S3-compatible store that has the bucket, like https://s3.example.com"}, \
	{.flag = "media-s3-region", .environment = "WA_MEDIA_S3_REGION", .argument = "NAME", .fallback = "us-east-1", \
	 .kind = CONFIG_TEXT, .target = &(settings).store.s3.region, \
	 .help = "region of the bucket"}, \
	{.flag = "media-s3-style", .environment = "WA_MEDIA_S3_STYLE", .argument = "STYLE", .fallback = "path", \
	 .kind = CONFIG_CHOICE, .target = &(settings).s3_style, .choices = media_s3_styles, \
	 .help = "where the bucket is in a URL: path or virtual-host"}, \
	{.flag = "media-s3-credentials", .environment = "WA_MEDIA_S3_CREDENTIALS", .argument = "FILE", \
	 .kind = CONFIG_TEXT, .target = &(settings).s3_credentials_file, \
	 .help = "file like ~/.aws/credentials (default: AWS_ACCESS_KEY_ID and so on)"}, \
	{.flag = "media-s3-ca-file", .environment = "WA_MEDIA_S3_CA_FILE", .argument = "FILE", \
	 .kind = CONFIG_TEXT, .target = &(settings).store.s3.ca_file, \
	 .help = "authorities (PEM) that the store's certificate is verified by (default: the system's)"}
/* clang-format on */

/*
 * Checks the settings, and reads the credentials of a bucket.  These stay in the settings, because
 * the processes of a program that forks find none in the environment again.  agent is the program,
 * as a store sees it.  False: problem (of
 * size bytes) says what is wrong.
 */
extern bool
media_settings_check(MediaSettings *settings, const char *agent, char *problem, size_t size);

/*
 * Reads the credentials of a bucket again, if they are in a file, for requests from now on.  If they
 * cannot be used, those of before stay.  Either is logged.
 */
extern void media_settings_reload(MediaSettings *settings);

#endif
