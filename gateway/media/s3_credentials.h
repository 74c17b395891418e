/*
 * s3_credentials.h
 *		The credentials of an S3-compatible store.
 *
 * They come from the environment, under the names that the tools of AWS use, or from a file in
 * the form of ~/.aws/credentials.  They are never an option and never in the log.
 */
#ifndef MEDIA_S3_CREDENTIALS_H
#define MEDIA_S3_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes with the NUL. */
#define S3_KEY_ID_MAX 129
#define S3_SECRET_MAX 257
#define S3_TOKEN_MAX 4097

/* Bytes of a file of credentials. */
#define S3_CREDENTIALS_FILE_MAX (64 * 1024)

typedef struct S3Credentials
{
	char key_id[S3_KEY_ID_MAX];
	char secret[S3_SECRET_MAX];
	char token[S3_TOKEN_MAX]; /* of temporary credentials; empty: they are not */
} S3Credentials;

/*
 * Reads the profile "default" of the file, or with file NULL the variables AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, whose values are wiped from the environment then.
 * False: error says what is wrong, without a value.
 */
extern bool
s3_credentials_read(S3Credentials *credentials, const char *file, char *error, size_t size);

extern void s3_credentials_wipe(S3Credentials *credentials);

#endif
