/*-------------------------------------------------------------------------
 *
 * media.c
 *		Files and media types of messages in SQL: wa.read_file_text() and
 *		wa.read_media_type().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "src/common/file_text.h"
#include "src/compatibility.h"

PG_FUNCTION_INFO_V1(wa_read_file_text);
PG_FUNCTION_INFO_V1(wa_read_media_type);

/* wa.read_media_type(written text): the normal form, or NULL if it is no media type. */
Datum
wa_read_media_type(PG_FUNCTION_ARGS)
{
	text *given = PG_GETARG_TEXT_PP(0);
	char written[WAK_MEDIA_TYPE_WRITTEN_MAX + 1];

	if (!wak_media_type_read(VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given), written))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(written));
}

static text *
describe_problem(const WakFileText *file)
{
	if (file->at == 0)
		return cstring_to_text(file->problem);
	return cstring_to_text(psprintf("%s, at character %zu", file->problem, file->at));
}

/* The media type that a data: URL names; NULL for base64 and for a URL that names none. */
static Datum
type_of(const WakFileText *file, bool *is_null)
{
	*is_null = !file->has_type;
	return file->has_type ? CStringGetTextDatum(file->type) : (Datum) 0;
}

/* wa.read_file_text(written text, OUT bytes bytea, OUT media_type text, OUT problem text) */
Datum
wa_read_file_text(PG_FUNCTION_ARGS)
{
	text *given = PG_GETARG_TEXT_PP(0);
	size_t len = VARSIZE_ANY_EXHDR(given);
	bytea *bytes = palloc(VARHDRSZ + Min(len, WAK_FILE_TEXT_MAX));
	Datum values[3] = {0};
	bool nulls[3] = {true, true, true};
	WakFileText file;
	TupleDesc row;

	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (wak_file_text_read(VARDATA_ANY(given), len, (uint8_t *) VARDATA(bytes), &file))
	{
		SET_VARSIZE(bytes, VARHDRSZ + file.len);
		values[0] = PointerGetDatum(bytes);
		nulls[0] = false;
		values[1] = type_of(&file, &nulls[1]);
	}
	else
	{
		values[2] = PointerGetDatum(describe_problem(&file));
		nulls[2] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), values, nulls)));
}
