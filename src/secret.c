/*-------------------------------------------------------------------------
 *
 * secret.c
 *		wa.secret: a credential on its way into the database.
 *
 * A value of this type can be read in, passed to wa.authenticate() and printed
 * as a mask (wa_Ab3xY...).  Nothing returns its text, because the value does
 * not contain it: the input function takes the digest and forgets the rest.
 * Masking the output alone would not be enough, because the server copies and
 * compares values without asking the type.  ROW(a) *< ROW(b) compares raw bytes
 * and could be used to guess a text letter by letter, debug_print_plan writes
 * raw constants to the log, and views keep them in catalogs that everybody can
 * read.
 *
 * No value can be made from a digest: every input function takes the credential
 * itself.
 *
 * Errors never show the input.  The server's own error context would show it,
 * because it quotes text-format parameters and the statement; see refuse().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"

#include "src/common/key_format.h"
#include "src/compatibility.h"
#include "src/secret.h"

PG_FUNCTION_INFO_V1(wa_secret_in);
PG_FUNCTION_INFO_V1(wa_secret_out);
PG_FUNCTION_INFO_V1(wa_secret_recv);
PG_FUNCTION_INFO_V1(wa_secret_send);
PG_FUNCTION_INFO_V1(wa_secret_digest);

/*
 * Raises an error that says what is wrong with a credential, without showing any of it.
 *
 * errhidestmt and errhidecontext keep statement and context out of the log.  The context, with
 * the quoted parameter and the query around it, would still reach the client and PL/pgSQL
 * handlers.  So this removes the callbacks that would write it.  The code that catches the
 * error restores them.
 *
 * Callers that ask for soft errors get this error too: they report the input themselves, as
 * COPY does for rows that it skips.
 */
static void
refuse(WakResult reason)
{
	error_context_stack = NULL;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("invalid credential"),
			 errdetail("%s", wak_result_text(reason)), errhidestmt(true), errhidecontext(true)));
}

/* Checks a credential and makes a value of it, or raises an error. */
static WaSecret *
digested(const char *text, size_t len)
{
	WakKind kind;
	WakResult result = wak_check(text, len, &kind);
	WaSecret *secret;

	if (result != WAK_OK)
		refuse(result);

	secret = palloc0(sizeof(WaSecret));
	wa_sha256(text, len, secret->digest);
	secret->kind = (uint8) kind;
	memcpy(secret->shown, text + strlen(wak_kind_prefix(kind)), WAK_SHOWN_DIGITS);
	return secret;
}

/* Writes the mask, with a NUL, to "out" and returns its length. */
static int
write_mask(const WaSecret *secret, char out[WAK_SHOWN_MAX + 4])
{
	/* An ellipsis character, if the database's encoding is known to have one. */
	const char *rest = GetDatabaseEncoding() == PG_UTF8 ? "\xE2\x80\xA6" : "...";

	return snprintf(out, WAK_SHOWN_MAX + 4, "%s%.*s%s", wak_kind_prefix((WakKind) secret->kind),
					WAK_SHOWN_DIGITS, secret->shown, rest);
}

/* wa.secret_in(cstring) */
Datum
wa_secret_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);

	PG_RETURN_SECRET_P(digested(text, strlen(text)));
}

/* wa.secret_recv(internal): the credential's characters and nothing else */
Datum
wa_secret_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int len = buf->len - buf->cursor;

	PG_RETURN_SECRET_P(digested(pq_getmsgbytes(buf, len), len));
}

/* wa.secret_out(wa.secret): the mask */
Datum
wa_secret_out(PG_FUNCTION_ARGS)
{
	WaSecret *secret = PG_GETARG_SECRET_P(0);
	char mask[WAK_SHOWN_MAX + 4];

	write_mask(secret, mask);
	PG_RETURN_CSTRING(pstrdup(mask));
}

/* wa.secret_send(wa.secret): the mask as well */
Datum
wa_secret_send(PG_FUNCTION_ARGS)
{
	WaSecret *secret = PG_GETARG_SECRET_P(0);
	char mask[WAK_SHOWN_MAX + 4];
	int len = write_mask(secret, mask);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendtext(&buf, mask, len);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* wa.secret_digest(wa.secret): the digest, as the tables of credentials store it */
Datum
wa_secret_digest(PG_FUNCTION_ARGS)
{
	WaSecret *secret = PG_GETARG_SECRET_P(0);
	bytea *digest = palloc(VARHDRSZ + WA_DIGEST_LENGTH);

	SET_VARSIZE(digest, VARHDRSZ + WA_DIGEST_LENGTH);
	memcpy(VARDATA(digest), secret->digest, WA_DIGEST_LENGTH);
	PG_RETURN_BYTEA_P(digest);
}
