/*-------------------------------------------------------------------------
 *
 * scanner_signature.c
 *		Verifies who reports secrets that were found in public.
 *
 * Services that scan public code sign their reports with ECDSA on the curve
 * NIST P-256 over SHA-256, as the secret scanning partner program of GitHub
 * specifies it.  Their keys are public and published as PEM; they are stored as
 * a DER-encoded SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).  The signature is
 * DER (RFC 3279, 2.2.3) in base64.
 *
 * Everything here is an input from outside.  What OpenSSL refuses is "no", and
 * its error queue, which the backend's TLS shares, is left empty.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/base64.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "src/compatibility.h"

#define CURVE "prime256v1"

/* A signature has at most 72 bytes in DER. */
#define SIGNATURE_MAX 72

PG_FUNCTION_INFO_V1(wa_read_scanner_key);
PG_FUNCTION_INFO_V1(wa_signed_by_scanner);

/* A public key needs none.  Without this function OpenSSL would ask for one at a terminal. */
static int
no_passphrase(char *buffer, int size, int writing, void *argument)
{
	return -1;
}

static bool
is_on_curve(EVP_PKEY *key)
{
	char group[32];

	return EVP_PKEY_is_a(key, "EC") &&
		   EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
		   strcmp(group, CURVE) == 0;
}

/* The key in DER, allocated with palloc; NULL if the text is no public key on this curve. */
static bytea *
der_of_pem(const char *pem, int len)
{
	BIO *source = BIO_new_mem_buf(pem, len);
	EVP_PKEY *key = source == NULL ? NULL : PEM_read_bio_PUBKEY(source, NULL, no_passphrase, NULL);
	int size = key != NULL && is_on_curve(key) ? i2d_PUBKEY(key, NULL) : 0;
	bytea *der = size <= 0 ? NULL : palloc_extended(VARHDRSZ + (Size) size, MCXT_ALLOC_NO_OOM);

	if (der != NULL)
	{
		uint8 *end = (uint8 *) VARDATA(der);

		SET_VARSIZE(der, VARHDRSZ + i2d_PUBKEY(key, &end));
	}
	EVP_PKEY_free(key);
	BIO_free(source);
	ERR_clear_error();
	return der;
}

static bool
is_signed(const uint8 *der, long der_len, const uint8 *signature, size_t signature_len,
		  const uint8 *data, size_t len)
{
	EVP_PKEY *key = d2i_PUBKEY(NULL, &der, der_len);
	EVP_MD_CTX *context = key == NULL ? NULL : EVP_MD_CTX_new();
	bool verified = context != NULL &&
					EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
					EVP_DigestVerify(context, signature, signature_len, data, len) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return verified;
}

/* wa.read_scanner_key(pem): the key as it is stored, or NULL for what is no such key */
Datum
wa_read_scanner_key(PG_FUNCTION_ARGS)
{
	text *pem = PG_GETARG_TEXT_PP(0);
	bytea *der = der_of_pem(VARDATA_ANY(pem), (int) VARSIZE_ANY_EXHDR(pem));

	if (der == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(der);
}

/* wa.signed_by_scanner(key, signature, payload) */
Datum
wa_signed_by_scanner(PG_FUNCTION_ARGS)
{
	bytea *key = PG_GETARG_BYTEA_PP(0);
	text *coded = PG_GETARG_TEXT_PP(1);
	bytea *payload = PG_GETARG_BYTEA_PP(2);
	uint8 signature[SIGNATURE_MAX];
	int len = pg_b64_decode(VARDATA_ANY(coded), (int) VARSIZE_ANY_EXHDR(coded), (void *) signature,
							sizeof(signature));

	PG_RETURN_BOOL(len > 0 &&
				   is_signed((const uint8 *) VARDATA_ANY(key), (long) VARSIZE_ANY_EXHDR(key),
							 signature, (size_t) len, (const uint8 *) VARDATA_ANY(payload),
							 VARSIZE_ANY_EXHDR(payload)));
}
