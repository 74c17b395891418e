/*
 * tls.c
 *		TLS with OpenSSL, through libevent's bufferevents; see tls.h.
 *
 * The server supports TLS 1.2 and later with OpenSSL's default ciphers, without renegotiation
 * and compression.  The only ALPN protocol is http/1.1.
 *
 * When a file cannot be used, the error message says which file and why.  An encrypted key
 * cannot be used, because the server has no way to ask for its passphrase.
 */
#include "http/tls.h"

#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/pemerr.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/log.h"

#define SUBJECT_MAX 256

/* Chooses http/1.1 if the client offers it; otherwise continues without ALPN. */
static int
choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
				const unsigned char *offered, unsigned int offered_len, void *context)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *protocol;

	(void) ssl;
	(void) context;
	if (SSL_select_next_proto(&protocol, chosen_len, ours, sizeof(ours) - 1, offered,
							  offered_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*chosen = protocol;
	return SSL_TLSEXT_ERR_OK;
}

/* ---- files ---- */

/* Checks this before OpenSSL does, because OpenSSL's error does not say why it cannot read. */
static bool
can_read(const char *what, const char *name, char *error, size_t error_size)
{
	FILE *file = fopen(name, "r");
	bool ok = file != NULL && (getc(file) != EOF || ferror(file) == 0);

	if (!ok)
		snprintf(error, error_size, "could not read TLS %s file \"%s\": %s", what, name,
				 strerror(errno));
	if (file != NULL)
		fclose(file);
	return ok;
}

/* Whether OpenSSL's errors say that the file contains nothing of this kind; clears the errors. */
static bool
found_nothing(void)
{
	unsigned long code;
	bool nothing = false;

	while ((code = ERR_get_error()) != 0)
	{
		int library = ERR_GET_LIB(code);
		int reason = ERR_GET_REASON(code);

		nothing |= (library == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE) ||
				   (library == ERR_LIB_OSSL_DECODER && reason == ERR_R_UNSUPPORTED);
	}
	return nothing;
}

/* Makes the error message for a file from OpenSSL's errors, and clears these. */
static void
explain(const char *what, const char *name, char *error, size_t error_size)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	snprintf(error, error_size, "could not use TLS %s file \"%s\": %s", what, name,
			 reason != NULL ? reason : "unknown reason");
	if (found_nothing())
		snprintf(error, error_size, "TLS %s file \"%s\" holds no %s in PEM form that can be used",
				 what, name, what);
}

static bool
load_certificate(SSL_CTX *tls, const char *name, char *error, size_t error_size)
{
	if (!can_read("certificate", name, error, error_size))
		return false;
	if (SSL_CTX_use_certificate_chain_file(tls, name) == 1)
		return true;
	explain("certificate", name, error, error_size);
	return false;
}

/* OpenSSL calls this to get the passphrase of an encrypted key. */
static int
refuse_passphrase(char *passphrase, int size, int writing, void *encrypted)
{
	(void) passphrase;
	(void) size;
	(void) writing;
	*(bool *) encrypted = true;
	return -1;
}

static bool
belongs_to_other(unsigned long code)
{
	return ERR_GET_LIB(code) == ERR_LIB_X509 &&
		   (ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH ||
			ERR_GET_REASON(code) == X509_R_KEY_TYPE_MISMATCH);
}

static bool
load_key(SSL_CTX *tls, const char *name, const char *certificate, char *error, size_t error_size)
{
	bool encrypted = false;
	bool ok;

	if (!can_read("key", name, error, error_size))
		return false;
	SSL_CTX_set_default_passwd_cb(tls, refuse_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(tls, &encrypted);
	ok = SSL_CTX_use_PrivateKey_file(tls, name, SSL_FILETYPE_PEM) == 1 &&
		 SSL_CTX_check_private_key(tls) == 1;
	SSL_CTX_set_default_passwd_cb_userdata(tls, NULL);
	if (ok)
		return true;
	if (encrypted)
		snprintf(error, error_size,
				 "TLS key file \"%s\" is encrypted; it must be a key without a passphrase", name);
	else if (belongs_to_other(ERR_peek_last_error()))
		snprintf(error, error_size,
				 "the key in \"%s\" does not belong to the certificate in \"%s\"", name,
				 certificate);
	else
		explain("key", name, error, error_size);
	ERR_clear_error();
	return false;
}

/* ---- warnings ---- */

static void
warn_of(const X509 *certificate, const char *event, const ASN1_TIME *time, const char *name)
{
	char subject[SUBJECT_MAX];
	char text[32] = "";
	struct tm parts;

	X509_NAME_oneline(X509_get_subject_name(certificate), subject, sizeof(subject));
	if (ASN1_TIME_to_tm(time, &parts) == 1)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	log_line(LOG_LEVEL_WARNING, event, log_text("file", name), log_text("subject", subject),
			 log_text("time", text));
}

static void
warn_unless_valid(const X509 *certificate, const char *name)
{
	const ASN1_TIME *first = X509_get0_notBefore(certificate);
	const ASN1_TIME *last = X509_get0_notAfter(certificate);

	if (X509_cmp_current_time(last) < 0)
		warn_of(certificate, "tls_certificate_expired", last, name);
	else if (X509_cmp_current_time(first) > 0)
		warn_of(certificate, "tls_certificate_not_yet_valid", first, name);
}

void
http_tls_warn(struct ssl_ctx_st *tls, const char *name)
{
	STACK_OF(X509) *chain = NULL;

	warn_unless_valid(SSL_CTX_get0_certificate(tls), name);
	SSL_CTX_get0_chain_certs(tls, &chain);
	for (int i = 0; i < sk_X509_num(chain); i++)
		warn_unless_valid(sk_X509_value(chain, i), name);
}

/* ---- contexts ---- */

struct ssl_ctx_st *
http_tls_create(const char *certificate, const char *key, char *error, size_t error_size)
{
	SSL_CTX *tls;

	if (certificate == NULL || key == NULL)
	{
		snprintf(error, error_size, "TLS needs a certificate and its key, and there is no %s",
				 key == NULL ? "key" : "certificate");
		return NULL;
	}
	tls = SSL_CTX_new(TLS_server_method());
	if (tls == NULL)
	{
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
								 SSL_OP_CIPHER_SERVER_PREFERENCE);

	/* an idle connection frees its two record buffers of 16 KiB */
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
	if (!load_certificate(tls, certificate, error, error_size) ||
		!load_key(tls, key, certificate, error, error_size))
	{
		SSL_CTX_free(tls);
		return NULL;
	}
	return tls;
}

void
http_tls_free(struct ssl_ctx_st *tls)
{
	SSL_CTX_free(tls);
}

struct bufferevent *
http_tls_accept(struct ssl_ctx_st *tls, struct event_base *base)
{
	SSL *ssl = SSL_new(tls);
	struct bufferevent *bev;

	if (ssl == NULL)
		return NULL;
	bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
										 BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
	{
		SSL_free(ssl);
		return NULL;
	}

	/* A stream may end without TLS's close_notify: HTTP itself shows if a message is complete. */
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

void
http_tls_shutdown(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (ssl != NULL && SSL_is_init_finished(ssl))
		SSL_shutdown(ssl);
	ERR_clear_error();
}
