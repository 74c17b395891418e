/*-------------------------------------------------------------------------
 *
 * leak_report.c
 *		wa.leak_report: a report of leaked keys on its way into the database.
 *
 * The report contains keys that may still be accepted, and the server prints
 * parameters into its log and into its views.  So a value prints its length
 * only.  Unlike wa.secret and wa.password it has to keep the bytes, because
 * they are what is signed; only wa_owner may execute wa.leak_bytes(), which
 * returns them.
 *
 * In binary form it is the bytes as the service sent them.  In text form it is
 * their characters, which only in a database in UTF-8 are the bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "src/compatibility.h"

PG_FUNCTION_INFO_V1(wa_leak_report_in);
PG_FUNCTION_INFO_V1(wa_leak_report_out);
PG_FUNCTION_INFO_V1(wa_leak_report_recv);
PG_FUNCTION_INFO_V1(wa_leak_report_send);
PG_FUNCTION_INFO_V1(wa_leak_bytes);

static Datum
report_of(const char *bytes, Size len)
{
	bytea *report = palloc(VARHDRSZ + len);

	SET_VARSIZE(report, VARHDRSZ + len);
	memcpy(VARDATA(report), bytes, len);
	PG_RETURN_BYTEA_P(report);
}

/* wa.leak_report_in(cstring) */
Datum
wa_leak_report_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);

	return report_of(text, strlen(text));
}

/* wa.leak_report_recv(internal): the bytes */
Datum
wa_leak_report_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int len = buf->len - buf->cursor;

	return report_of(pq_getmsgbytes(buf, len), (Size) len);
}

static char *
mask(const bytea *report)
{
	return psprintf("(%zu bytes)", VARSIZE_ANY_EXHDR(report));
}

/* wa.leak_report_out(wa.leak_report): the length */
Datum
wa_leak_report_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(mask(PG_GETARG_BYTEA_PP(0)));
}

/* wa.leak_report_send(wa.leak_report): the length as well */
Datum
wa_leak_report_send(PG_FUNCTION_ARGS)
{
	const char *shown = mask(PG_GETARG_BYTEA_PP(0));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendtext(&buf, shown, (int) strlen(shown));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* wa.leak_bytes(wa.leak_report) */
Datum
wa_leak_bytes(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_PP(0));
}
