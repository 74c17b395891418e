/*
 * test_http_tls_files.c
 *		Certificates and keys that cannot be used: which file it is, and why; nobody is asked
 *		for a passphrase.  What is out of date is a warning.
 */
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/http.h"
#include "lib/log.h"
#include "tests/unit/suite.h"

#define HOUR 3600

static char folder[] = "/tmp/test_http_tls_files.XXXXXX";

/* The path of a file in the folder. */
static const char *
in_folder(const char *name)
{
	static char paths[4][64];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static FILE *
create(const char *name)
{
	FILE *file = fopen(in_folder(name), "w");

	ck_assert_ptr_nonnull(file);
	return file;
}

/* Writes NAME.pem, a certificate for these seconds around now, and NAME.key. */
static void
make(const char *name, EVP_PKEY *key, long from, long to)
{
	X509 *certificate = X509_new();
	char file_name[32];
	FILE *file;

	X509_gmtime_adj(X509_getm_notBefore(certificate), from);
	X509_gmtime_adj(X509_getm_notAfter(certificate), to);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
							   (const unsigned char *) name, -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);

	snprintf(file_name, sizeof(file_name), "%s.pem", name);
	file = create(file_name);
	ck_assert_int_eq(PEM_write_X509(file, certificate), 1);
	fclose(file);
	snprintf(file_name, sizeof(file_name), "%s.key", name);
	file = create(file_name);
	ck_assert_int_eq(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	X509_free(certificate);
}

static void
make_all(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY *other = EVP_EC_gen("P-256");
	FILE *file;
	BIO *bio;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	make("good", key, -HOUR, HOUR);
	make("other", other, -HOUR, HOUR);
	make("expired", key, -2 * HOUR, -HOUR);
	make("early", key, HOUR, 2 * HOUR);
	file = create("encrypted.key");
	ck_assert_int_eq(
		PEM_write_PKCS8PrivateKey(file, key, EVP_aes_256_cbc(), "secret", 6, NULL, NULL), 1);
	fclose(file);
	bio = BIO_new_file(in_folder("old_encrypted.key"), "w");
	ck_assert_int_eq(PEM_write_bio_PrivateKey_traditional(
						 bio, key, EVP_aes_256_cbc(), (unsigned char *) "secret", 6, NULL, NULL),
					 1);
	BIO_free(bio);
	file = create("text");
	fputs("certainly not\n", file);
	fclose(file);
	fclose(create("empty"));
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void
remove_all(void)
{
	static const char *const names[] = {
		"good.pem",  "good.key",    "other.pem",   "other.key",     "early.pem",
		"early.key", "expired.pem", "expired.key", "encrypted.key", "old_encrypted.key",
		"text",      "empty",       "log"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_folder(names[i]));
	rmdir(folder);
}

/* "" when they can be used, else the error, in which "@" stands for the folder. */
static const char *
check(const char *certificate, const char *key)
{
	static char error[512];
	static char shown[512];
	HttpServerConfig config = {.listen = "127.0.0.1:0",
							   .tls_certificate =
								   certificate == NULL ? NULL : in_folder(certificate),
							   .tls_key = key == NULL ? NULL : in_folder(key)};
	size_t len = 0;

	if (http_server_check(&config, error, sizeof(error)))
		return "";
	for (const char *at = error; *at != '\0'; len++)
	{
		bool here = strncmp(at, folder, strlen(folder)) == 0;

		shown[len] = here ? '@' : *at;
		at += here ? strlen(folder) : 1;
	}
	shown[len] = '\0';
	return shown;
}

START_TEST(what_fits_is_taken)
{
	ck_assert_str_eq(check("good.pem", "good.key"), "");
	ck_assert_str_eq(check("other.pem", "other.key"), "");
}
END_TEST

START_TEST(each_file_that_cannot_be_used_is_named_with_the_reason)
{
	static const struct
	{
		const char *certificate;
		const char *key;
		const char *error;
	} cases[] = {
		{"good.pem", NULL, "TLS needs a certificate and its key, and there is no key"},
		{NULL, "good.key", "TLS needs a certificate and its key, and there is no certificate"},
		{"none", "good.key",
		 "could not read TLS certificate file \"@/none\": No such file or directory"},
		{"good.pem", "none", "could not read TLS key file \"@/none\": No such file or directory"},
		{"", "good.key", "could not read TLS certificate file \"@/\": Is a directory"},
		{"text", "good.key",
		 "TLS certificate file \"@/text\" holds no certificate in PEM form that can be used"},
		{"empty", "good.key",
		 "TLS certificate file \"@/empty\" holds no certificate in PEM form that can be used"},
		{"good.key", "good.key",
		 "TLS certificate file \"@/good.key\" holds no certificate in PEM form that can be used"},
		{"good.pem", "text", "TLS key file \"@/text\" holds no key in PEM form that can be used"},
		{"good.pem", "empty", "TLS key file \"@/empty\" holds no key in PEM form that can be used"},
		{"good.pem", "good.pem",
		 "TLS key file \"@/good.pem\" holds no key in PEM form that can be used"},
		{"good.pem", "other.key",
		 "the key in \"@/other.key\" does not belong to the certificate in \"@/good.pem\""},
		{"good.pem", "encrypted.key",
		 "TLS key file \"@/encrypted.key\" is encrypted; it must be a key without a passphrase"},
		{"good.pem", "old_encrypted.key",
		 "TLS key file \"@/old_encrypted.key\" is encrypted; it must be a key without a passphrase"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(check(cases[i].certificate, cases[i].key), cases[i].error);
}
END_TEST

/* What the log says of a certificate that can be used. */
static const char *
warning_of(const char *certificate, const char *key)
{
	static char text[1024];
	int kept = dup(STDERR_FILENO);
	int file = open(in_folder("log"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	ssize_t len;

	dup2(file, STDERR_FILENO);
	ck_assert_str_eq(check(certificate, key), "");
	dup2(kept, STDERR_FILENO);
	close(kept);
	len = pread(file, text, sizeof(text) - 1, 0);
	close(file);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

START_TEST(a_certificate_that_is_not_valid_now_is_a_warning)
{
	const char *text = warning_of("good.pem", "good.key");

	ck_assert_str_eq(text, "");
	text = warning_of("expired.pem", "good.key");
	ck_assert_ptr_nonnull(strstr(text, " level=warning "));
	ck_assert_ptr_nonnull(strstr(text, " event=tls_certificate_expired file="));
	ck_assert_ptr_nonnull(strstr(text, "/expired.pem subject=\"/CN=expired\" time=20"));
	text = warning_of("early.pem", "good.key");
	ck_assert_ptr_nonnull(strstr(text, " event=tls_certificate_not_yet_valid "));
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_unchecked_fixture(cases, make_all, remove_all);
	tcase_add_test(cases, what_fits_is_taken);
	tcase_add_test(cases, each_file_that_cannot_be_used_is_named_with_the_reason);
	tcase_add_test(cases, a_certificate_that_is_not_valid_now_is_a_warning);
}

SUITE_WITH("http_tls_files", add_tests)
