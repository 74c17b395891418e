/*
 * signature.c
 *		The signatures of a webhook request, for two families of receivers.
 */
#include "worker/signature.h"

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "common/memory.h"

#define STANDARD_PREFIX "whsec_"

#define SHA256_BYTES 32
#define SHA512_BYTES 64

typedef struct Piece
{
	const char *data;
	size_t length;
} Piece;

typedef struct Key
{
	unsigned char bytes[SIGNATURE_SECRET_MAX + 3]; /* EVP_DecodeBlock() writes whole blocks */
	size_t length;
} Key;

/* ---- keys ---- */

/*
 * Decodes base64 of the common alphabet, with or without its "=" at the end.
 */
static bool
decode_base64(const char *text, Key *key)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char padded[SIGNATURE_SECRET_MAX + 4];
	size_t length = strspn(text, digits);
	size_t ends = strspn(text + length, "=");
	size_t missing = (4 - length % 4) % 4;
	int decoded;

	if (length == 0 || missing == 3 || text[length + ends] != '\0' ||
		(ends != 0 && ends != missing) || length + missing >= sizeof(padded))
		return false;
	memcpy(padded, text, length);
	memset(padded + length, '=', missing);
	decoded = EVP_DecodeBlock(key->bytes, (const unsigned char *) padded, (int) (length + missing));
	wak_wipe(padded, sizeof(padded));
	if (decoded < 0)
		return false;
	key->length = (size_t) decoded - missing;
	return true;
}

/*
 * The key of Standard Webhooks.  What is behind the prefix and is no base64 is no secret of
 * theirs either, and is taken as it stands.
 */
static void
standard_key(const char *secret, Key *key)
{
	size_t prefix = strlen(STANDARD_PREFIX);

	if (strncmp(secret, STANDARD_PREFIX, prefix) == 0 && decode_base64(secret + prefix, key))
		return;
	key->length = strlen(secret);
	memcpy(key->bytes, secret, key->length);
}

/* ---- HMAC ---- */

static bool
hmac(const char *digest, const unsigned char *key, size_t key_length, const Piece *pieces,
	 size_t count, unsigned char *out, size_t out_length)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *) (uintptr_t) digest, 0),
		OSSL_PARAM_construct_end()};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
	bool ok = context != NULL && EVP_MAC_init(context, key, key_length, params) == 1;
	size_t written = 0;

	for (size_t i = 0; ok && i < count; i++)
		ok = EVP_MAC_update(context, (const unsigned char *) pieces[i].data, pieces[i].length) == 1;
	ok = ok && EVP_MAC_final(context, out, &written, out_length) == 1 && written == out_length;
	EVP_MAC_CTX_free(context);
	EVP_MAC_free(mac);
	return ok;
}

static bool
sign_waha(const SignatureInput *input, char out[SIGNATURE_HEX_SIZE])
{
	const Piece body = {input->body, input->body_length};
	unsigned char digest[SHA512_BYTES];

	if (!hmac("SHA512", (const unsigned char *) input->secret, strlen(input->secret), &body, 1,
			  digest, sizeof(digest)))
		return false;
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return true;
}

/* Appends "v1,SIGNATURE", behind a blank if something is there. */
static bool
sign_standard(const SignatureInput *input, const char *secret, char out[SIGNATURE_STANDARD_SIZE])
{
	char stamp[32];
	int stamp_length =
		snprintf(stamp, sizeof(stamp), ".%lld.", (long long) (input->timestamp_ms / 1000));
	const Piece pieces[] = {{input->id, strlen(input->id)},
							{stamp, (size_t) stamp_length},
							{input->body, input->body_length}};
	unsigned char digest[SHA256_BYTES];
	unsigned char text[4 * (SHA256_BYTES + 2) / 3 + 1];
	size_t before = strlen(out);
	Key key;
	bool ok;

	standard_key(secret, &key);
	ok = hmac("SHA256", key.bytes, key.length, pieces, 3, digest, sizeof(digest));
	wak_wipe(&key, sizeof(key));
	if (!ok)
		return false;
	EVP_EncodeBlock(text, digest, sizeof(digest));
	snprintf(out + before, SIGNATURE_STANDARD_SIZE - before, "%sv1,%s", before > 0 ? " " : "",
			 (const char *) text);
	return true;
}

bool
signature_make(const SignatureInput *input, Signature *signature)
{
	bool ok = strlen(input->secret) <= SIGNATURE_SECRET_MAX &&
			  (input->previous == NULL || strlen(input->previous) <= SIGNATURE_SECRET_MAX);

	memset(signature, 0, sizeof(*signature));
	ok = ok && sign_waha(input, signature->hmac) &&
		 sign_standard(input, input->secret, signature->standard) &&
		 (input->previous == NULL || sign_standard(input, input->previous, signature->standard));
	if (!ok)
		memset(signature, 0, sizeof(*signature));
	return ok;
}
