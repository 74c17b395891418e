/*
 * identity.h
 *		Whose a socket is, and what it presents to the database.
 */
#ifndef REALTIME_IDENTITY_H
#define REALTIME_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "src/common/key_format.h"
#include "db/db.h"

/* A socket's credential has the length of every credential that we make; and a NUL. */
#define CREDENTIAL_SIZE (WAK_API_KEY_LENGTH + 1)

/* Whose a socket is, and what it presents to the database. */
typedef struct Identity
{
	uint8_t holder[DB_UUID_SIZE]; /* key or person */
	bool is_key;
	uint8_t org[DB_UUID_SIZE];
	int64_t expires_ms; /* wall clock */
	char credential[CREDENTIAL_SIZE];
	char client[DB_ADDRESS_MAX + 1]; /* where it comes from, for the record of the key's use */
} Identity;

#endif
