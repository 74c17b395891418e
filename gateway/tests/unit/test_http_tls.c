/*
 * test_http_tls.c
 *		The same server behind TLS.
 *
 * Certificate and key are made for the test.  The client is OpenSSL on a
 * socket that does not block, in the server's own thread.
 */
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server.h"
#include "lib/clock.h"
#include "tests/unit/http_wire.h"
#include "tests/unit/suite.h"

#define WAIT_MS 15000
#define MANY 40
#define ECHO "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"

static Wire wire;
static char certificate_file[] = "/tmp/wa_certificate_XXXXXX";
static char key_file[] = "/tmp/wa_key_XXXXXX";
static SSL_CTX *client;

/* Another one each time, with that number. */
static void
write_certificate(long serial)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	FILE *file;

	ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
							   (const unsigned char *) "localhost", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);

	file = fopen(certificate_file, "w");
	ck_assert_int_eq(PEM_write_X509(file, certificate), 1);
	fclose(file);
	file = fopen(key_file, "w");
	ck_assert_int_eq(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void
start(void)
{
	close(mkstemp(certificate_file));
	close(mkstemp(key_file));
	write_certificate(1);
	wire_start_tls(&wire, NULL, certificate_file, key_file);
	client = SSL_CTX_new(TLS_client_method());
}

static void
stop(void)
{
	SSL_CTX_free(client);
	wire_stop(&wire);
	unlink(certificate_file);
	unlink(key_file);
}

/* Connects; NULL when the handshake fails. */
static SSL *
connect_tls(int *fd)
{
	SSL *ssl = SSL_new(client);
	int64_t end = clock_monotonic_ms() + WAIT_MS;
	int result;

	*fd = wire_connect(&wire);
	SSL_set_fd(ssl, *fd);
	while ((result = SSL_connect(ssl)) != 1 && clock_monotonic_ms() < end)
	{
		int error = SSL_get_error(ssl, result);

		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
			break;
		wire_run(&wire, 1);
	}
	if (result == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

/* Sends, then reads until the text is there or the server has closed. */
static void
ask(SSL *ssl, const char *request, const char *until, char *answer, size_t size, bool *closed)
{
	int64_t end = clock_monotonic_ms() + WAIT_MS;
	size_t len = 0;

	answer[0] = '\0';
	*closed = false;
	if (request[0] != '\0')
		ck_assert_int_eq(SSL_write(ssl, request, (int) strlen(request)), (int) strlen(request));
	while (!*closed && clock_monotonic_ms() < end &&
		   (until == NULL || strstr(answer, until) == NULL))
	{
		int got = SSL_read(ssl, answer + len, (int) (size - 1 - len));

		if (got > 0)
			len += (size_t) got;
		else if (SSL_get_error(ssl, got) != SSL_ERROR_WANT_READ)
			*closed = true;
		answer[len] = '\0';
		wire_run(&wire, 1);
	}
}

START_TEST(requests_are_answered_one_after_another)
{
	char answer[4096];
	int fd;
	bool closed;
	SSL *ssl = connect_tls(&fd);

	ck_assert_ptr_nonnull(ssl);
	for (int i = 0; i < 3; i++)
	{
		ask(ssl, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", "[hi]", answer,
			sizeof(answer), &closed);
		ck_assert_int_eq(wire_status(answer), 200);
		ck_assert(!closed);
	}
	ask(ssl, "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", NULL, answer,
		sizeof(answer), &closed);
	ck_assert_int_eq(wire_status(answer), 200);
	ck_assert(closed);
	SSL_free(ssl);
	close(fd);
}
END_TEST

START_TEST(a_malformed_request_is_answered_and_ends_the_connection)
{
	char answer[4096];
	int fd;
	bool closed;
	SSL *ssl = connect_tls(&fd);

	ck_assert_ptr_nonnull(ssl);
	ask(ssl, "GET / HTTP/1.1\nHost: a\r\n\r\nGET /echo HTTP/1.1\r\nHost: a\r\n\r\n", NULL, answer,
		sizeof(answer), &closed);
	ck_assert_int_eq(wire_status(answer), 400);
	ck_assert_int_eq(wire_count(answer), 1);
	ck_assert(closed);
	SSL_free(ssl);
	close(fd);
}
END_TEST

START_TEST(a_large_answer_arrives_whole)
{
	char *answer = malloc(LARGE_BYTES + 4096);
	int fd;
	bool closed;
	SSL *ssl = connect_tls(&fd);

	ck_assert_ptr_nonnull(ssl);
	ask(ssl, "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", NULL, answer,
		LARGE_BYTES + 4096, &closed);
	ck_assert(closed);
	ck_assert_uint_eq(strlen(strstr(answer, "\r\n\r\n") + 4), LARGE_BYTES);
	SSL_free(ssl);
	close(fd);
	free(answer);
}
END_TEST

START_TEST(a_client_that_leaves_is_noticed)
{
	char answer[64];
	int fd;
	bool closed;
	SSL *ssl = connect_tls(&fd);

	ck_assert_ptr_nonnull(ssl);
	ask(ssl, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n", "", answer, sizeof(answer), &closed);
	wire_run(&wire, 20);
	ck_assert_ptr_nonnull(wire.held);
	ck_assert(wire.held->tls);
	close(fd);
	wire_run(&wire, 20);
	ck_assert_int_eq(wire.n_gone, 1);
	http_respond(wire.held, 204, NULL, 0, NULL, NULL);
	SSL_free(ssl);
}
END_TEST

START_TEST(old_versions_of_tls_are_refused)
{
	int fd;
	SSL *ssl;

	SSL_CTX_set_security_level(client, 0);
	SSL_CTX_set_min_proto_version(client, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(client, TLS1_1_VERSION);
	ssl = connect_tls(&fd);
	ck_assert_ptr_null(ssl);
	close(fd);
	SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
	ssl = connect_tls(&fd);
	ck_assert_ptr_nonnull(ssl);
	SSL_free(ssl);
	close(fd);
}
END_TEST

START_TEST(only_http_1_1_is_offered)
{
	static const unsigned char offer[] = "\x02h2\x08http/1.1";
	const unsigned char *chosen;
	unsigned int len;
	int fd;
	SSL *ssl;

	SSL_CTX_set_alpn_protos(client, offer, sizeof(offer) - 1);
	ssl = connect_tls(&fd);
	ck_assert_ptr_nonnull(ssl);
	SSL_get0_alpn_selected(ssl, &chosen, &len);
	ck_assert_uint_eq(len, 8);
	ck_assert_int_eq(memcmp(chosen, "http/1.1", 8), 0);
	SSL_free(ssl);
	close(fd);
}
END_TEST

START_TEST(plain_http_is_closed)
{
	int fd = wire_connect(&wire);
	bool closed;

	wire_send_text(&wire, fd, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
	wire_read(&wire, fd, NULL, &closed);
	ck_assert(closed);
	ck_assert_int_eq(wire.n_requests, 0);
	close(fd);
}
END_TEST

/* The number of the certificate that a new connection is shown. */
static long
serial_of_new_connection(void)
{
	int fd;
	SSL *ssl = connect_tls(&fd);
	X509 *certificate;
	long serial;

	ck_assert_ptr_nonnull(ssl);
	certificate = SSL_get1_peer_certificate(ssl);
	serial = ASN1_INTEGER_get(X509_get0_serialNumber(certificate));
	X509_free(certificate);
	SSL_free(ssl);
	close(fd);
	return serial;
}

START_TEST(files_are_read_again_and_those_that_cannot_be_used_change_nothing)
{
	char answer[4096];
	char error[256];
	int fd;
	bool closed;
	SSL *before = connect_tls(&fd);

	ck_assert_int_eq(serial_of_new_connection(), 1);
	write_certificate(2);
	ck_assert_int_eq(serial_of_new_connection(), 1);
	ck_assert(http_server_reload_tls(wire.server, error, sizeof(error)));
	ck_assert_int_eq(serial_of_new_connection(), 2);
	ck_assert_int_eq(truncate(key_file, 0), 0);
	ck_assert(!http_server_reload_tls(wire.server, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, key_file));
	ck_assert_int_eq(serial_of_new_connection(), 2);

	/* a connection from before goes on */
	ask(before, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", "[]", answer, sizeof(answer), &closed);
	ck_assert_int_eq(wire_status(answer), 200);
	SSL_free(before);
	close(fd);
}
END_TEST

/* ---- turns ---- */

/* Connections whose handshake has begun. */
static int
begun(void)
{
	const HttpConnection *connection;
	int count = 0;

	for (int state = 0; state < HTTP_CONNECTION_CLOSED; state++)
	{
		TAILQ_FOREACH(connection, &wire.server->lists[state], link)
		count += connection->readable == NULL ? 1 : 0;
	}
	return count;
}

static void
pass(void)
{
	ck_assert_int_ge(event_base_loop(wire.base, EVLOOP_ONCE), 0);
}

/* A handshake takes more of the processor than a request. */
START_TEST(a_pass_begins_no_more_handshakes_than_its_bound)
{
	SSL *ssl[MANY];
	int fd[MANY];

	for (int i = 0; i < MANY; i++)
		fd[i] = wire_connect(&wire);
	for (int i = 0; i < MANY; i++)
	{
		ssl[i] = SSL_new(client);
		SSL_set_fd(ssl[i], fd[i]);
		ck_assert_int_eq(SSL_connect(ssl[i]), -1);
	}
	ck_assert_int_eq(begun(), 0);
	for (int before = 0; before < MANY; before = begun())
	{
		pass();
		ck_assert_int_le(begun() - before, HTTP_HANDSHAKES_MAX);
	}
	for (int i = 0; i < MANY; i++)
	{
		SSL_free(ssl[i]);
		close(fd[i]);
	}
}
END_TEST

START_TEST(a_pass_handles_no_more_requests_than_its_turns)
{
	char answer[4096];
	SSL *ssl[MANY];
	int fd[MANY];
	bool closed;

	for (int i = 0; i < MANY; i++)
	{
		ssl[i] = connect_tls(&fd[i]);
		ck_assert_ptr_nonnull(ssl[i]);
	}
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(SSL_write(ssl[i], ECHO, sizeof(ECHO) - 1), sizeof(ECHO) - 1);
	for (int before = 0; before < MANY; before = wire.n_requests)
	{
		pass();
		ck_assert_int_le(wire.n_requests - before, HTTP_TURNS_MAX);
	}
	for (int i = 0; i < MANY; i++)
	{
		ask(ssl[i], "", "[]", answer, sizeof(answer), &closed);
		ck_assert_int_eq(wire_status(answer), 200);
		SSL_free(ssl[i]);
		close(fd[i]);
	}
}
END_TEST

/* Also when the end is noticed while the connection waits for its turn. */
START_TEST(a_request_before_the_end_of_the_stream_is_handled)
{
	SSL *ssl[MANY];
	int fd[MANY];

	for (int i = 0; i < MANY; i++)
	{
		ssl[i] = connect_tls(&fd[i]);
		ck_assert_ptr_nonnull(ssl[i]);
	}
	for (int i = 0; i < MANY; i++)
	{
		ck_assert_int_eq(SSL_write(ssl[i], ECHO, sizeof(ECHO) - 1), sizeof(ECHO) - 1);
		SSL_shutdown(ssl[i]);
		shutdown(fd[i], SHUT_WR);
	}
	wire_run(&wire, 50);
	ck_assert_int_eq(wire.n_requests, MANY);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	for (int i = 0; i < MANY; i++)
	{
		SSL_free(ssl[i]);
		close(fd[i]);
	}
}
END_TEST

/* Its handshake has not begun, and nothing of it may remain. */
START_TEST(a_client_that_says_nothing_is_closed)
{
	int fd = wire_connect(&wire);
	bool closed;

	ck_assert_int_eq(http_server_connections(wire.server), 1);
	TAILQ_FIRST(&wire.server->lists[HTTP_CONNECTION_HANDSHAKE])->deadline_ms = 0;
	wire_read(&wire, fd, NULL, &closed);
	ck_assert(closed);
	ck_assert_int_eq(http_server_connections(wire.server), 0);
	close(fd);
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, requests_are_answered_one_after_another);
	tcase_add_test(cases, a_malformed_request_is_answered_and_ends_the_connection);
	tcase_add_test(cases, a_large_answer_arrives_whole);
	tcase_add_test(cases, a_client_that_leaves_is_noticed);
	tcase_add_test(cases, old_versions_of_tls_are_refused);
	tcase_add_test(cases, only_http_1_1_is_offered);
	tcase_add_test(cases, plain_http_is_closed);
	tcase_add_test(cases, a_pass_begins_no_more_handshakes_than_its_bound);
	tcase_add_test(cases, a_pass_handles_no_more_requests_than_its_turns);
	tcase_add_test(cases, a_request_before_the_end_of_the_stream_is_handled);
	tcase_add_test(cases, a_client_that_says_nothing_is_closed);
	tcase_add_test(cases, files_are_read_again_and_those_that_cannot_be_used_change_nothing);
}

SUITE_WITH("http_tls", add_tests)
