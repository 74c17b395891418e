/*
 * identity.h
 *		Who a socket belongs to, and the credential that it presents to the database.
 */
#ifndef REALTIME_IDENTITY_H
#define REALTIME_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "src/common/key_format.h"
#include "db/db.h"

/*
 * Bytes of a socket's credential, with the NUL.  All credentials that we make have this
 * length.
 */
#define CREDENTIAL_SIZE (WAK_API_KEY_LENGTH + 1)

/* Who a socket belongs to, and the credential that it presents to the database. */
typedef struct Identity
{
	uint8_t holder[DB_UUID_SIZE]; /* the id of the key or person */
	bool is_key;
	uint8_t org[DB_UUID_SIZE];
	int64_t expires_ms; /* wall clock */
	char credential[CREDENTIAL_SIZE];
	char client[DB_ADDRESS_MAX + 1]; /* the client's address, for the record of the key's use */
} Identity;

#endif
