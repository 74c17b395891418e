/*-------------------------------------------------------------------------
 *
 * password.c
 *		wa.password: a person's password on its way into the database.
 *
 * As with wa.secret (secret.c), a value does not contain the text, because the
 * server copies, compares and prints values without asking the type.  The input
 * function takes the SHA-256 digest and forgets the text.  A constant prefix in
 * front of the text makes this digest different from those of other password
 * stores.  bcrypt gets the digest in hexadecimal, 64 characters: of the text
 * itself it would use only 72 bytes.  The digest of a weak password could be
 * guessed.  So the output is a mask, and only wa_owner may execute
 * wa.password_key().
 *
 * No error quotes the input, and the server must not quote it either.  The
 * server keeps text-format parameters as they came and quotes them in the
 * context of later errors (log_parameter_max_length_on_error); a failed sign-in
 * is such an error.  So this file remembers until the end of the transaction
 * that a password was read, and redact.c then leaves out the context and
 * shortens the statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "src/common/memory.h"
#include "src/compatibility.h"
#include "src/password.h"

#define MASK "********"
#define DIGEST_NAME "wa_apikeys password "

#define PG_GETARG_PASSWORD_P(n) ((WaPassword *) PG_GETARG_POINTER(n))

static bool password_is_near = false;

PG_FUNCTION_INFO_V1(wa_password_in);
PG_FUNCTION_INFO_V1(wa_password_out);
PG_FUNCTION_INFO_V1(wa_password_recv);
PG_FUNCTION_INFO_V1(wa_password_send);
PG_FUNCTION_INFO_V1(wa_password_key);
PG_FUNCTION_INFO_V1(wa_password_length);

static void
transaction_changed(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		password_is_near = false;
}

void
wa_password_init(void)
{
	RegisterXactCallback(transaction_changed, NULL);
}

bool
wa_password_is_near(void)
{
	return password_is_near;
}

/* Raises an error that shows none of the input; see refuse() in secret.c. */
static void
refuse(const char *problem)
{
	error_context_stack = NULL;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("password %s", problem),
					err_generic_string(PG_DIAG_COLUMN_NAME, "password"), errhidestmt(true),
					errhidecontext(true)));
}

/* Makes a value of a text in the database's encoding, or raises an error. */
static WaPassword *
digested(const char *text, size_t len)
{
	const size_t name_len = sizeof(DIGEST_NAME) - 1;
	char named[sizeof(DIGEST_NAME) + WA_PASSWORD_MAX];
	WaPassword *password;

	password_is_near = true;
	if (len > WA_PASSWORD_MAX)
		refuse("is too long");

	password = palloc0(sizeof(WaPassword));
	memcpy(named, DIGEST_NAME, name_len);
	memcpy(named + name_len, text, len);
	wa_sha256(named, name_len + len, password->digest);
	wak_wipe(named, sizeof(named));
	password->len = (uint8) Min(pg_mbstrlen_with_len(text, (int) len), 255);
	return password;
}

/* wa.password_in(cstring) */
Datum
wa_password_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);

	PG_RETURN_POINTER(digested(text, strlen(text)));
}

/*
 * wa.password_recv(internal): the characters.  They are checked here, because the server's own
 * check would show the bytes that are not valid.
 */
Datum
wa_password_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int len = buf->len - buf->cursor;
	const char *sent = pq_getmsgbytes(buf, len);
	char *text;
	WaPassword *password;

	password_is_near = true;
	if (len > WA_PASSWORD_MAX)
		refuse("is too long");
	if (!pg_verify_mbstr(pg_get_client_encoding(), sent, len, true))
		refuse("is not valid text");
	text = pg_client_to_server(sent, len);
	password = digested(text, text == sent ? (size_t) len : strlen(text));
	if (text != sent)
	{
		wak_wipe(text, strlen(text));
		pfree(text);
	}
	PG_RETURN_POINTER(password);
}

/* wa.password_out(wa.password): the mask */
Datum
wa_password_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(pstrdup(MASK));
}

/* wa.password_send(wa.password): the mask as well */
Datum
wa_password_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendtext(&buf, MASK, strlen(MASK));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* wa.password_key(wa.password): the text that bcrypt gets in place of the password */
Datum
wa_password_key(PG_FUNCTION_ARGS)
{
	WaPassword *password = PG_GETARG_PASSWORD_P(0);
	text *result = palloc(VARHDRSZ + 2 * WA_DIGEST_LENGTH);

	SET_VARSIZE(result, VARHDRSZ + 2 * WA_DIGEST_LENGTH);
	hex_encode((const char *) password->digest, WA_DIGEST_LENGTH, VARDATA(result));
	PG_RETURN_TEXT_P(result);
}

/* wa.password_length(wa.password): in characters */
Datum
wa_password_length(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(PG_GETARG_PASSWORD_P(0)->len);
}
