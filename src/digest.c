/*-------------------------------------------------------------------------
 *
 * digest.c
 *		SHA-256 for credentials and statement texts, and the making of credentials.
 *
 * PostgreSQL's own pg_cryptohash allocates a context for each digest and ties
 * it to a resource owner.  Every request needs a digest, so this file makes one
 * OpenSSL context per backend at the first use, keeps it, and starts it anew
 * for each digest.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/evp.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "src/common/key_format.h"
#include "src/common/memory.h"
#include "src/compatibility.h"
#include "src/digest.h"

PG_FUNCTION_INFO_V1(wa_hash_key);
PG_FUNCTION_INFO_V1(wa_make_secret);
PG_FUNCTION_INFO_V1(wa_random_bytes);

/* More than any secret needs. */
#define RANDOM_BYTES_MAX 1024


void
wa_sha256(const void *data, size_t len, uint8 digest[WA_DIGEST_LENGTH])
{
	static EVP_MD_CTX *context = NULL;
	static EVP_MD *sha256 = NULL;

	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (context == NULL)
		context = EVP_MD_CTX_new();
	if (sha256 == NULL || context == NULL || EVP_DigestInit_ex2(context, sha256, NULL) != 1 ||
		EVP_DigestUpdate(context, data, len) != 1 || EVP_DigestFinal_ex(context, digest, NULL) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256 digest")));
}

/* wa.hash_key(text): the digest of a key, as the key table stores it. */
Datum
wa_hash_key(PG_FUNCTION_ARGS)
{
	text *credential = PG_GETARG_TEXT_PP(0);
	bytea *result = palloc(VARHDRSZ + WA_DIGEST_LENGTH);

	SET_VARSIZE(result, VARHDRSZ + WA_DIGEST_LENGTH);
	wa_sha256(VARDATA_ANY(credential), VARSIZE_ANY_EXHDR(credential), (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}

static WakKind
credential_kind(const char *name)
{
	if (strcmp(name, "test_key") == 0)
		return WAK_TEST_KEY;
	if (strcmp(name, "api_key") == 0)
		return WAK_API_KEY;
	if (strcmp(name, "user_token") == 0)
		return WAK_USER_TOKEN;
	if (strcmp(name, "sign_in") == 0)
		return WAK_SIGN_IN;
	if (strcmp(name, "device") == 0)
		return WAK_DEVICE;
	if (strcmp(name, "ticket") == 0)
		return WAK_TICKET;
	if (strcmp(name, "invitation") == 0)
		return WAK_INVITATION;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("unrecognized kind of credential: \"%s\"", name)));
}

/*
 * wa.make_secret(kind): a new credential, its digest, and the part of it that may be shown.
 * The secret exists only in the row that is returned.
 */
Datum
wa_make_secret(PG_FUNCTION_ARGS)
{
	WakKind kind = credential_kind(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char credential[WAK_CREDENTIAL_MAX + 1];
	uint8 random[WAK_RANDOM_LENGTH];
	bytea *digest = palloc(VARHDRSZ + WA_DIGEST_LENGTH);
	TupleDesc row_type;
	Datum values[3];
	bool nulls[3] = {false, false, false};

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!pg_strong_random(random, sizeof(random)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	wak_make(kind, random, credential);

	SET_VARSIZE(digest, VARHDRSZ + WA_DIGEST_LENGTH);
	wa_sha256(credential, strlen(credential), (uint8 *) VARDATA(digest));
	values[0] = CStringGetTextDatum(credential);
	values[1] = PointerGetDatum(digest);
	values[2] = PointerGetDatum(cstring_to_text_with_len(credential, wak_shown_length(kind)));
	wak_wipe(credential, sizeof(credential));
	wak_wipe(random, sizeof(random));

	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row_type), values, nulls)));
}

/* wa.random_bytes(length): 1 to 1024 strong random bytes. */
Datum
wa_random_bytes(PG_FUNCTION_ARGS)
{
	int32 len = PG_GETARG_INT32(0);
	bytea *result;

	if (len < 1 || len > RANDOM_BYTES_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("length must be between 1 and %d", RANDOM_BYTES_MAX)));
	result = palloc(VARHDRSZ + len);
	SET_VARSIZE(result, VARHDRSZ + len);
	if (!pg_strong_random(VARDATA(result), len))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	PG_RETURN_BYTEA_P(result);
}
