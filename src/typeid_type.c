/*-------------------------------------------------------------------------
 *
 * typeid_type.c
 *		wa.org_id, wa.key_id, wa.user_id and wa.session_id: what administration
 *		functions take as an id.
 *
 * A value is a uuid.  Input takes both forms of an id: the uuid that tables
 * have, and the TypeID that people see, whose prefix must be that of the type.
 * Output writes the TypeID.  The binary form is that of a uuid.
 *
 * As in typeid_sql.c, errors do not quote the text: people paste all kinds of
 * text there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/uuid.h"

#include "src/common/hex.h"
#include "src/common/typeid.h"
#include "src/compatibility.h"

/* A type: the prefix of its TypeIDs, and what its ids are called in errors. */
typedef struct IdType
{
	const char *prefix;
	const char *name;
} IdType;

static const IdType org_id = {"org", "organization id"};
static const IdType key_id = {"key", "key id"};
static const IdType user_id = {"usr", "user id"};
static const IdType session_id = {"sess", "session id"};

PG_FUNCTION_INFO_V1(wa_org_id_in);
PG_FUNCTION_INFO_V1(wa_org_id_out);
PG_FUNCTION_INFO_V1(wa_key_id_in);
PG_FUNCTION_INFO_V1(wa_key_id_out);
PG_FUNCTION_INFO_V1(wa_user_id_in);
PG_FUNCTION_INFO_V1(wa_user_id_out);
PG_FUNCTION_INFO_V1(wa_session_id_in);
PG_FUNCTION_INFO_V1(wa_session_id_out);
PG_FUNCTION_INFO_V1(wa_id_recv);
PG_FUNCTION_INFO_V1(wa_id_send);

/*
 * Reads a uuid as uuid_in() does: braces around it, and a hyphen behind every four digits, may
 * be left out.  (uuid_in() itself quotes what it refuses.)
 */
static bool
read_uuid(const char *text, uint8 *uuid)
{
	bool has_braces = *text == '{';

	if (has_braces)
		text++;
	for (int i = 0; i < UUID_LEN; i++)
	{
		int high = wak_hex_value(text[0]);
		int low = high < 0 ? -1 : wak_hex_value(text[1]);

		if (low < 0)
			return false;
		uuid[i] = (uint8) (high << 4 | low);
		text += 2;
		if (*text == '-' && i % 2 == 1 && i < UUID_LEN - 1)
			text++;
	}
	return strcmp(text, has_braces ? "}" : "") == 0;
}

/* The type whose id a text is, or NULL. */
static const IdType *
type_of(const char *text)
{
	static const IdType *const types[] = {&org_id, &key_id, &user_id, &session_id};
	uint8 uuid[UUID_LEN];

	for (size_t i = 0; i < lengthof(types); i++)
		if (wak_typeid_decode(text, strlen(text), types[i]->prefix, uuid) == WAK_TYPEID_OK)
			return types[i];
	return NULL;
}

static Datum
read_id(FunctionCallInfo fcinfo, const IdType *type)
{
	const char *text = PG_GETARG_CSTRING(0);
	pg_uuid_t *uuid = palloc(sizeof(pg_uuid_t));
	WakTypeidResult result = wak_typeid_decode(text, strlen(text), type->prefix, uuid->data);
	const IdType *other = result == WAK_TYPEID_WRONG_PREFIX ? type_of(text) : NULL;

	if (result != WAK_TYPEID_OK && !read_uuid(text, uuid->data))
		refuse_input(fcinfo,
					 (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					  result == WAK_TYPEID_WRONG_PREFIX
						  ? errmsg("%s must begin with \"%s_\"", type->name, type->prefix)
						  : errmsg("invalid %s", type->name),
					  other != NULL ? errhint("Another kind of id was given: %s.", other->name)
									: errhint("It is \"%s_\" and %d characters, or a UUID.",
											  type->prefix, WAK_TYPEID_SUFFIX_LENGTH)));
	PG_RETURN_UUID_P(uuid);
}

static Datum
write_id(FunctionCallInfo fcinfo, const IdType *type)
{
	char *id = palloc(WAK_TYPEID_MAX + 1);

	wak_typeid_encode(type->prefix, PG_GETARG_UUID_P(0)->data, id);
	PG_RETURN_CSTRING(id);
}

Datum
wa_org_id_in(PG_FUNCTION_ARGS)
{
	return read_id(fcinfo, &org_id);
}

Datum
wa_org_id_out(PG_FUNCTION_ARGS)
{
	return write_id(fcinfo, &org_id);
}

Datum
wa_key_id_in(PG_FUNCTION_ARGS)
{
	return read_id(fcinfo, &key_id);
}

Datum
wa_key_id_out(PG_FUNCTION_ARGS)
{
	return write_id(fcinfo, &key_id);
}

Datum
wa_user_id_in(PG_FUNCTION_ARGS)
{
	return read_id(fcinfo, &user_id);
}

Datum
wa_user_id_out(PG_FUNCTION_ARGS)
{
	return write_id(fcinfo, &user_id);
}

Datum
wa_session_id_in(PG_FUNCTION_ARGS)
{
	return read_id(fcinfo, &session_id);
}

Datum
wa_session_id_out(PG_FUNCTION_ARGS)
{
	return write_id(fcinfo, &session_id);
}

/* Binary input and output of all four. */
Datum
wa_id_recv(PG_FUNCTION_ARGS)
{
	return uuid_recv(fcinfo);
}

Datum
wa_id_send(PG_FUNCTION_ARGS)
{
	return uuid_send(fcinfo);
}
