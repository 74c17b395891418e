/*-------------------------------------------------------------------------
 *
 * typeid_sql.c
 *		Public identifiers in SQL: wa.typeid() and wa.from_typeid().
 *
 * Errors do not quote the text that was passed as an identifier: people paste
 * all kinds of text there, including credentials.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/uuid.h"

#include "src/common/typeid.h"
#include "src/compatibility.h"

PG_FUNCTION_INFO_V1(wa_typeid);
PG_FUNCTION_INFO_V1(wa_from_typeid);

static void
refuse_prefix(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid TypeID prefix"),
					errdetail("A prefix has at most %d characters from a to z and underscores, "
							  "and begins and ends with a letter.",
							  WAK_TYPEID_PREFIX_MAX)));
}

/* wa.typeid(prefix text, id uuid) */
Datum
wa_typeid(PG_FUNCTION_ARGS)
{
	char *prefix = text_to_cstring(PG_GETARG_TEXT_PP(0));
	pg_uuid_t *uuid = PG_GETARG_UUID_P(1);
	char id[WAK_TYPEID_MAX + 1];

	if (wak_typeid_encode(prefix, uuid->data, id) != WAK_TYPEID_OK)
		refuse_prefix();
	PG_RETURN_TEXT_P(cstring_to_text(id));
}

/* wa.from_typeid(prefix text, id text) */
Datum
wa_from_typeid(PG_FUNCTION_ARGS)
{
	char *prefix = text_to_cstring(PG_GETARG_TEXT_PP(0));
	text *id = PG_GETARG_TEXT_PP(1);
	pg_uuid_t *uuid = palloc(sizeof(pg_uuid_t));
	char unused[WAK_TYPEID_MAX + 1];

	/*
	 * This separates a prefix that is not valid, which is the caller's mistake, from a wrong
	 * identifier.
	 */
	memset(uuid, 0, sizeof(*uuid));
	if (wak_typeid_encode(prefix, uuid->data, unused) != WAK_TYPEID_OK)
		refuse_prefix();

	if (wak_typeid_decode(VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id), prefix, uuid->data) !=
		WAK_TYPEID_OK)
		ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						errmsg("invalid TypeID for prefix \"%s\"", prefix)));
	PG_RETURN_UUID_P(uuid);
}
