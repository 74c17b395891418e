/*
 * credentials.h
 *		The credentials of a session, which are sealed to one of the keys of this connector.
 *
 * A key file has one line: the secret half of a key pair (X25519) in base64.  Only its owner may
 * have the right to read it.
 */
#ifndef CLOUD_CREDENTIALS_H
#define CLOUD_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db.h"
#include "lib/sealed_box.h"

/* Key files that are read: those of earlier keys open what is sealed to them still. */
#define CLOUD_KEYS_MAX 8

/* Characters; as the gateway takes them (api/sealing.c). */
#define CLOUD_ID_MAX 20
#define CLOUD_TOKEN_MAX 2048
#define CLOUD_SECRET_MAX 128
#define CLOUD_VERIFY_MAX 256
#define CLOUD_VERSION_MAX 8

typedef struct CloudKeys
{
	SealedBoxKey keys[CLOUD_KEYS_MAX];
	int count;
} CloudKeys;

typedef struct CloudCredentials
{
	char phone_number_id[CLOUD_ID_MAX + 1];
	char waba_id[CLOUD_ID_MAX + 1];
	char app_id[CLOUD_ID_MAX + 1];
	char access_token[CLOUD_TOKEN_MAX + 1];
	char app_secret[CLOUD_SECRET_MAX + 1];
	char verify_token[CLOUD_VERIFY_MAX + 1];
	char graph_version[CLOUD_VERSION_MAX + 1]; /* "": the one of the program */
} CloudCredentials;

/* Reads one more key file.  False: error (of size bytes) says why, without the path's content. */
extern bool cloud_keys_read(CloudKeys *keys, const char *path, char *error, size_t size);

extern void cloud_keys_wipe(CloudKeys *keys);

/*
 * Opens the sealed credentials of a session of the organization.  The caller wipes them.  NULL, or
 * why they cannot be used, a constant text for people; then *credentials is wiped.
 */
extern const char *
cloud_credentials_open(const CloudKeys *keys, const uint8_t org[DB_UUID_SIZE],
					   const uint8_t *sealed, size_t len, CloudCredentials *credentials);

extern void cloud_credentials_wipe(CloudCredentials *credentials);

#endif
