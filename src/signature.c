/*-------------------------------------------------------------------------
 *
 * signature.c
 *		The signatures of webhook requests, for two kinds of receivers.
 *
 * WAHA: X-Webhook-Hmac is the HMAC-SHA512 of the body in lower-case hex.  The
 * key is the secret's text as it is.  Standard Webhooks: webhook-signature is
 * "v1," and the HMAC-SHA256 of "id.timestamp.body" in base64.  The key is the
 * decoded part behind "whsec_".  A secret without that prefix is used as it is.
 * If such a secret is base64, there is a second signature with the decoded
 * secret as the key, because the libraries of Standard Webhooks decode every
 * secret.
 *
 * The database signs, so that a webhook's secret never leaves it:
 * wa.take_deliveries() gives the worker the signatures of what it has taken.
 *
 * What is signed is UTF-8, as the receiver reads it, whatever the database's
 * encoding is.  Decoded keys are wiped here.  OpenSSL wipes its own copies.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "src/common/memory.h"
#include "src/compatibility.h"

#define SECRET_PREFIX "whsec_"
#define SIGNATURE_PREFIX "v1,"

#define SHA256_LENGTH 32
#define SHA512_LENGTH 64

/* The number of base64 digits for this many bytes. */
#define BASE64_LENGTH(bytes) (((bytes) + 2) / 3 * 4)

#define SIGNATURE_LENGTH (sizeof(SIGNATURE_PREFIX) - 1 + BASE64_LENGTH(SHA256_LENGTH))

PG_FUNCTION_INFO_V1(wa_webhook_hmac);
PG_FUNCTION_INFO_V1(wa_webhook_signature);

typedef struct Piece
{
	const char *data;
	size_t len;
} Piece;

static Piece
piece_of(text *value)
{
	return (Piece){VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

/* The bytes that a receiver gets. */
static Piece
utf8_piece_of(text *value)
{
	Piece piece = piece_of(value);
	const char *converted = pg_server_to_any(piece.data, (int) piece.len, PG_UTF8);

	if (converted != piece.data)
		piece = (Piece){converted, strlen(converted)};
	return piece;
}

/* ---- HMAC ---- */

static bool
try_hmac(EVP_MAC_CTX *context, const char *digest, Piece key, const Piece *pieces, int count,
		 uint8 *out, size_t len)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, unconstify(char *, digest), 0),
		OSSL_PARAM_construct_end()};
	size_t written = 0;

	if (EVP_MAC_init(context, (const uint8 *) key.data, key.len, params) != 1)
		return false;
	for (int i = 0; i < count; i++)
		if (EVP_MAC_update(context, (const uint8 *) pieces[i].data, pieces[i].len) != 1)
			return false;
	return EVP_MAC_final(context, out, &written, len) == 1 && written == len;
}

/* Returns false if OpenSSL has failed.  It raises no error, so that the caller can wipe its key. */
static bool
hmac(const char *digest, Piece key, const Piece *pieces, int count, uint8 *out, size_t len)
{
	static EVP_MAC *algorithm = NULL;
	EVP_MAC_CTX *context;
	bool done;

	if (algorithm == NULL)
		algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
	context = algorithm == NULL ? NULL : EVP_MAC_CTX_new(algorithm);
	done = context != NULL && try_hmac(context, digest, key, pieces, count, out, len);
	EVP_MAC_CTX_free(context);
	return done;
}

static void
check_hmac(bool done)
{
	if (!done)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute HMAC")));
}

/* ---- Keys of Standard Webhooks ---- */

/* The number of base64 digits, with or without "=" behind them; 0 if it is not base64. */
static size_t
base64_digits(Piece coded)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t digits = 0;
	size_t ends = 0;
	size_t missing;

	while (digits < coded.len && coded.data[digits] != '\0' &&
		   strchr(alphabet, coded.data[digits]) != NULL)
		digits++;
	while (digits + ends < coded.len && coded.data[digits + ends] == '=')
		ends++;
	missing = (4 - digits % 4) % 4;
	if (digits + ends != coded.len || missing == 3 || (ends != 0 && ends != missing))
		return 0;
	return digits;
}

/*
 * Decodes a secret behind its prefix, if it has one.  "memory" must have twice the secret's
 * length and 8 bytes more; the caller wipes it.  The result has length 0 if the secret is not
 * base64.
 */
static Piece
decoded_key(Piece secret, size_t prefix, char *memory)
{
	size_t digits = base64_digits((Piece){secret.data + prefix, secret.len - prefix});
	char *key = memory + secret.len + 4;

	if (digits == 0)
		return (Piece){key, 0};
	memset(memory, '=', secret.len + 4);
	memcpy(memory, secret.data + prefix, digits);
	if (EVP_DecodeBlock((uint8 *) key, (const uint8 *) memory, (int) (digits + 3) / 4 * 4) < 0)
		return (Piece){key, 0};
	return (Piece){key, digits * 3 / 4};
}

/*
 * The one or two keys that a secret stands for.  A text with the prefix that is not base64 is
 * no secret of Standard Webhooks and is used as it is.
 */
static int
standard_keys(Piece secret, char *memory, Piece keys[2])
{
	size_t prefix = strlen(SECRET_PREFIX);
	bool has_prefix = secret.len > prefix && memcmp(secret.data, SECRET_PREFIX, prefix) == 0;
	Piece decoded = decoded_key(secret, has_prefix ? prefix : 0, memory);
	int count = 0;

	if (!has_prefix || decoded.len == 0)
		keys[count++] = secret;
	if (decoded.len > 0)
		keys[count++] = decoded;
	return count;
}

/* ---- SQL functions ---- */

/* wa.webhook_hmac(secret, body): the value of X-Webhook-Hmac */
Datum
wa_webhook_hmac(PG_FUNCTION_ARGS)
{
	Piece secret = piece_of(PG_GETARG_TEXT_PP(0));
	Piece body = utf8_piece_of(PG_GETARG_TEXT_PP(1));
	uint8 digest[SHA512_LENGTH];
	char digits[2 * SHA512_LENGTH];

	check_hmac(hmac("SHA512", secret, &body, 1, digest, sizeof(digest)));
	hex_encode((const char *) digest, sizeof(digest), digits);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(digits, sizeof(digits)));
}

/* wa.webhook_signature(secret, id, seconds, body): the part of webhook-signature for one secret */
Datum
wa_webhook_signature(PG_FUNCTION_ARGS)
{
	Piece secret = piece_of(PG_GETARG_TEXT_PP(0));
	char stamp[32];
	int stamp_length = snprintf(stamp, sizeof(stamp), "." INT64_FORMAT ".", PG_GETARG_INT64(2));
	const Piece pieces[] = {utf8_piece_of(PG_GETARG_TEXT_PP(1)),
							{stamp, (size_t) stamp_length},
							utf8_piece_of(PG_GETARG_TEXT_PP(3))};
	char signatures[2 * SIGNATURE_LENGTH + 2] = "";
	size_t memory_size = 2 * secret.len + 8;
	char *memory = palloc(memory_size);
	Piece keys[2];
	int count = standard_keys(secret, memory, keys);
	bool done = true;

	for (int i = 0; done && i < count; i++)
	{
		uint8 digest[SHA256_LENGTH];
		char *end = signatures + strlen(signatures);

		done = hmac("SHA256", keys[i], pieces, lengthof(pieces), digest, sizeof(digest));
		end += sprintf(end, "%s" SIGNATURE_PREFIX, i > 0 ? " " : "");
		EVP_EncodeBlock((uint8 *) end, digest, sizeof(digest));
	}
	wak_wipe(memory, memory_size);
	pfree(memory);
	check_hmac(done);
	PG_RETURN_TEXT_P(cstring_to_text(signatures));
}
