/*
 * http_tls.c
 *		TLS by OpenSSL, behind libevent's bufferevents.
 *
 * TLS 1.2 and later, OpenSSL's default ciphers, no renegotiation and no
 * compression.  The only protocol offered by ALPN is http/1.1.
 */
#include "http/http_server.h"

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

/* Picks http/1.1 when the client offers it; otherwise goes on without ALPN. */
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

static bool
load(SSL_CTX *tls, const char *certificate, const char *key, char *error, size_t error_size)
{
	const char *what = NULL;
	unsigned long code;

	if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1)
		what = "certificate";
	else if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
		what = "key";
	if (what == NULL)
		return true;

	code = ERR_peek_last_error();
	snprintf(error, error_size, "could not use TLS %s file \"%s\": %s", what,
			 what[0] == 'c' ? certificate : key,
			 code != 0 && ERR_reason_error_string(code) != NULL ? ERR_reason_error_string(code)
																: "unknown reason");
	ERR_clear_error();
	return false;
}

struct ssl_ctx_st *
http_tls_create(const char *certificate, const char *key, char *error, size_t error_size)
{
	SSL_CTX *tls;

	if (certificate == NULL || key == NULL)
	{
		snprintf(error, error_size, "TLS needs both a certificate and a key");
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

	/* an idle connection gives its two 16 KiB record buffers back */
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
	if (!load(tls, certificate, key, error, error_size))
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
http_tls_accept(struct ssl_ctx_st *tls, struct event_base *base, int fd)
{
	SSL *ssl = SSL_new(tls);
	struct bufferevent *bev;

	if (ssl == NULL)
		return NULL;
	bev = bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
										 BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
	{
		SSL_free(ssl);
		return NULL;
	}

	/* a stream that ends without TLS's own goodbye is an end, not an error: HTTP tells if it is whole */
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
