/*-------------------------------------------------------------------------
 *
 * socket_credential.c
 *		Realtime sockets: the credential that a gateway presents for each of them.
 *
 * A gateway that keeps a socket open for hours must not keep the key that
 * opened it.  It keeps a credential of the socket instead.  That is made when
 * the socket is opened and told to nobody else, and the gateway authenticates
 * with it whenever it reads events for the socket.  Like a user token, this
 * credential has no permissions of its own.  It stands for the key, or for the
 * person at a sign-in, with what these may do at each use.  It is worthless as
 * soon as they lose "events", and it never has more permissions than listening
 * needs.
 *
 * A gateway reads for all sockets of a key with the credential of one of them,
 * from this one's address.  So all of them are over as soon as the key gets
 * other addresses, which a socket knows by the key's generation when it was
 * opened.
 *
 * A ticket, which opens a socket, depends on the same key or person, so the
 * checks of tickets are here too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/timestamp.h"

#include "src/compatibility.h"
#include "src/key_lookup.h"
#include "src/socket_credential.h"
#include "src/row_lookup.h"
#include "src/user_token.h"

/* The most that a socket may do: listen, and listen to auth.* if its holder may manage. */
#define SOCKET_PERMISSIONS (WA_PERMISSION_EVENTS | WA_PERMISSION_MANAGE)

enum
{
	SOCKET_DIGEST,
	SOCKET_ORG_ID,
	SOCKET_ID,
	SOCKET_KEY_ID,
	SOCKET_USER_ID,
	SOCKET_SIGN_IN_ID,
	SOCKET_CREATED_AT,
	SOCKET_EXPIRES_AT,
	SOCKET_GENERATION
};

static WaLookupTable sockets = {
	.name = "realtime",
	.index = "realtime_digest_key",
	.key_count = 1,
	.columns = {"digest", "org_id", "id", "key_id", "user_id", "sign_in_id", "created_at",
				"expires_at", "generation"},
};

enum
{
	TICKET_DIGEST,
	TICKET_ORG_ID,
	TICKET_ID
};

static WaLookupTable tickets = {
	.name = "ticket",
	.index = "ticket_digest_key",
	.key_count = 1,
	.columns = {"digest", "org_id", "id"},
};

PG_FUNCTION_INFO_V1(wa_find_ticket);
PG_FUNCTION_INFO_V1(wa_find_socket);
PG_FUNCTION_INFO_V1(wa_find_listener);

/*
 * Reads the holder of a socket: a key, or otherwise a person at a sign-in, who must have been a
 * member at made_at.  Returns false if the holder is gone.
 */
static bool
read_holder(const pg_uuid_t *org_id, const pg_uuid_t *key_id, const pg_uuid_t *user_id,
			const pg_uuid_t *sign_in_id, TimestampTz made_at, WaPrincipal *principal)
{
	bool found = key_id != NULL ? wa_key_read_by_id(org_id, key_id, principal)
								: wa_member_read(org_id, user_id, sign_in_id, made_at, principal);

	if (found)
		principal->permissions &= SOCKET_PERMISSIONS;
	return found;
}

static const pg_uuid_t *
uuid_or_null(const WaLookupRow *row, int column)
{
	return row->nulls[column] ? NULL : DatumGetUUIDP(row->values[column]);
}

bool
wa_realtime_read(const uint8 digest[WA_DIGEST_LENGTH], WaPrincipal *principal)
{
	WaLookupRow row;

	if (!wa_row_find_digest(&sockets, digest, &row) ||
		!read_holder(uuid_or_null(&row, SOCKET_ORG_ID), uuid_or_null(&row, SOCKET_KEY_ID),
					 uuid_or_null(&row, SOCKET_USER_ID), uuid_or_null(&row, SOCKET_SIGN_IN_ID),
					 DatumGetTimestampTz(row.values[SOCKET_CREATED_AT]), principal) ||
		DatumGetInt32(row.values[SOCKET_GENERATION]) != principal->generation)
		return false;
	principal->expires_at =
		Min(DatumGetTimestampTz(row.values[SOCKET_EXPIRES_AT]), principal->expires_at);
	return true;
}

/*
 * Organization and id of what a secret stands for in one of the two tables.  Both are NULL if
 * there is nothing, or if the secret is of another kind.
 */
static Datum
find_in(FunctionCallInfo fcinfo, WaLookupTable *table, int org_id_column)
{
	WaLookupRow row;
	bool found = wa_row_find_secret(fcinfo, WAK_TICKET, table, &row);

	return wa_row_answer(fcinfo, found ? &row.values[org_id_column] : NULL);
}

/* wa.find_ticket(secret): organization and id of the ticket, used or not. */
Datum
wa_find_ticket(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(find_in(fcinfo, &tickets, TICKET_ORG_ID));
}

/* wa.find_socket(secret): organization and id of the socket. */
Datum
wa_find_socket(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(find_in(fcinfo, &sockets, SOCKET_ORG_ID));
}

/*
 * wa.find_listener(org, key, person, sign_in, made_at): until when the key, or the person at the
 * sign-in who was a member at made_at, may listen, and the generation, as committed now.
 * Infinity means without end.  Both are NULL if they may not listen at all.
 */
Datum
wa_find_listener(PG_FUNCTION_ARGS)
{
	WaPrincipal principal;
	Datum answer[2];
	bool found;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(4) ||
		(PG_ARGISNULL(1) && (PG_ARGISNULL(2) || PG_ARGISNULL(3))))
		PG_RETURN_DATUM(wa_row_answer(fcinfo, NULL));
	found = read_holder(PG_GETARG_UUID_P(0), PG_ARGISNULL(1) ? NULL : PG_GETARG_UUID_P(1),
						PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2),
						PG_ARGISNULL(3) ? NULL : PG_GETARG_UUID_P(3), PG_GETARG_TIMESTAMPTZ(4),
						&principal);
	if (!found || (principal.permissions & WA_PERMISSION_EVENTS) == 0 ||
		principal.expires_at <= GetCurrentTimestamp())
		PG_RETURN_DATUM(wa_row_answer(fcinfo, NULL));
	answer[0] = TimestampTzGetDatum(principal.expires_at);
	answer[1] = Int32GetDatum(principal.generation);
	PG_RETURN_DATUM(wa_row_answer(fcinfo, answer));
}
