/*
 * signature.h
 *		The signatures of a webhook request, for two families of receivers.
 *
 * WAHA: X-Webhook-Hmac is the HMAC-SHA512 of the body in lower-case hex, keyed with the
 * secret's text as it stands.  Standard Webhooks: webhook-signature is the HMAC-SHA256 of
 * id, timestamp and body in base64, keyed with the decoded part behind "whsec_"; any other
 * secret is taken as it stands.
 *
 * While a secret is being replaced, webhook-signature holds one signature of each, the new
 * secret's first; X-Webhook-Hmac has room for one and is the new secret's.
 */
#ifndef WA_WORKER_SIGNATURE_H
#define WA_WORKER_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a secret; wa.check_webhook() allows fewer. */
#define SIGNATURE_SECRET_MAX 256

#define SIGNATURE_HEX_SIZE (2 * 64 + 1)

/* "v1," and 44 digits of base64, twice, a blank between and a NUL. */
#define SIGNATURE_STANDARD_SIZE (2 * (3 + 44) + 1 + 1)

typedef struct SignatureInput
{
	const char *secret;
	const char *previous; /* the secret that is being replaced; NULL: none */
	const char *id;       /* of the event, as the receiver sees it */
	int64_t timestamp_ms; /* of this attempt */
	const char *body;
	size_t body_length;
} SignatureInput;

typedef struct Signature
{
	char hmac[SIGNATURE_HEX_SIZE];
	char standard[SIGNATURE_STANDARD_SIZE];
} Signature;

/* Signs.  False, and nothing in *signature: a secret is too long, or OpenSSL failed. */
extern bool signature_make(const SignatureInput *input, Signature *signature);

#endif /* WA_WORKER_SIGNATURE_H */
