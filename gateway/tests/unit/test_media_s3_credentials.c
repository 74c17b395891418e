/*
 * test_media_s3_credentials.c
 *		Credentials are found where they are documented to be, and are left nowhere else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/s3_credentials.h"
#include "tests/unit/suite.h"

static S3Credentials credentials;
static char error[128];

/* Reads a file with this text. */
static bool
read_text(const char *text, size_t len)
{
	char path[] = "/tmp/s3_credentials.XXXXXX";
	int fd = mkstemp(path);
	bool valid;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t) len);
	close(fd);
	valid = s3_credentials_read(&credentials, path, error, sizeof(error));
	unlink(path);
	return valid;
}

static const struct
{
	const char *text;
	bool valid;
} files[] = {
	{"aws_access_key_id = ID\naws_secret_access_key = A+b/c=\n", true},
	{"[default]\r\naws_access_key_id=ID\r\naws_secret_access_key\t=\tA+b/c=", true},
	{"# x = y\n\n; x\n[other]\naws_access_key_id = NO\n[default]\nregion = x\n"
	 "aws_access_key_id = ID\naws_secret_access_key = A+b/c=\n[more]\naws_access_key_id = NO\n",
	 true},
	{"", false},
	{"aws_access_key_id = ID\n", false},
	{"[other]\naws_access_key_id = ID\naws_secret_access_key = A+b/c=\n", false},
	{"aws_access_key_id = ID\naws_secret_access_key =\n", false},
	{"aws_access_key_id = I D\naws_secret_access_key = A+b/c=\n", false},
	{"aws_access_key_id = ID\naws_secret_access_key = \x01\n", false},
	{"aws_access_key_id = ID\naws_secret_access_key = \xc3\xa9\n", false},
};

START_TEST(a_file_has_both_in_its_default_profile)
{
	bool valid = read_text(files[_i].text, strlen(files[_i].text));

	ck_assert_msg(valid == files[_i].valid, "%s", files[_i].text);
	if (valid)
	{
		ck_assert_str_eq(credentials.key_id, "ID");
		ck_assert_str_eq(credentials.secret, "A+b/c=");
		ck_assert_str_eq(credentials.token, "");
	}
	else
		ck_assert_ptr_nonnull(strstr(error, "--media-s3-credentials"));
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	char *text = malloc(S3_CREDENTIALS_FILE_MAX + 100);
	int len = sprintf(text, "aws_access_key_id = ID\naws_secret_access_key = ");

	memset(text + len, 'x', S3_SECRET_MAX);
	ck_assert(read_text(text, (size_t) len + S3_SECRET_MAX - 1));
	ck_assert(!read_text(text, (size_t) len + S3_SECRET_MAX));
	memset(text, '\n', S3_CREDENTIALS_FILE_MAX + 1);
	ck_assert(!read_text(text, S3_CREDENTIALS_FILE_MAX + 1));
	free(text);
}
END_TEST

START_TEST(the_environment_keeps_no_secret)
{
	const char *secret;

	setenv("AWS_ACCESS_KEY_ID", "ID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "SECRET", 1);
	setenv("AWS_SESSION_TOKEN", "TOKEN", 1);
	secret = getenv("AWS_SECRET_ACCESS_KEY");
	ck_assert(s3_credentials_read(&credentials, NULL, error, sizeof(error)));
	ck_assert_str_eq(credentials.key_id, "ID");
	ck_assert_str_eq(credentials.secret, "SECRET");
	ck_assert_str_eq(credentials.token, "TOKEN");
	ck_assert_ptr_null(getenv("AWS_SECRET_ACCESS_KEY"));
	ck_assert_str_eq(secret, "");

	s3_credentials_wipe(&credentials);
	for (size_t i = 0; i < sizeof(credentials); i++)
		ck_assert_int_eq(((const char *) &credentials)[i], 0);
	ck_assert(!s3_credentials_read(&credentials, NULL, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "AWS_SECRET_ACCESS_KEY"));
}
END_TEST

static void
add(TCase *cases)
{
	tcase_add_loop_test(cases, a_file_has_both_in_its_default_profile, 0,
						sizeof(files) / sizeof(files[0]));
	tcase_add_test(cases, what_does_not_fit_is_refused);
	tcase_add_test(cases, the_environment_keeps_no_secret);
}

SUITE_WITH("media s3 credentials", add)
