/*
 * test_api_disposition.c
 *		The name of a file in a Content-Disposition, as it is read and as it is written.
 */
#include <string.h>

#include "api/disposition.h"
#include "tests/unit/suite.h"

static HttpField fields[2];

static bool
read_name(const char *header, char name[DISPOSITION_NAME_MAX])
{
	HttpRequest request = {.headers = fields, .n_headers = 1};

	fields[0] = (HttpField){{"content-disposition", 19}, {header, strlen(header)}};
	return disposition_read(&request, name);
}

START_TEST(a_name_is_read_in_each_of_its_forms)
{
	static const struct
	{
		const char *header;
		const char *name;
	} good[] = {
		{"attachment", ""},
		{"attachment;", ""},
		{"attachment; filename=view.png", "view.png"},
		{"ATTACHMENT;FileName = \"view 1.png\" ; size=7", "view 1.png"},
		{"attachment; filename=\"a\\\"b\\\\c\"", "a\"b\\c"},
		{"attachment; filename=\"\xc3\xa9.png\"", "\xc3\xa9.png"},
		{"attachment; filename*=UTF-8''%C3%A9.png; filename=e.png", "\xc3\xa9.png"},
		{"attachment; filename=e.png; filename*=utf-8'en'%c3%a9.png", "\xc3\xa9.png"},
		{"attachment; filename=\"a;b\"", "a;b"},
		{"attachment; filename=\"../x\"", "../x"}, /* the database refuses it */
	};
	char name[DISPOSITION_NAME_MAX];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		ck_assert_msg(read_name(good[i].header, name), "%s", good[i].header);
		ck_assert_str_eq(name, good[i].name);
	}
}
END_TEST

START_TEST(what_is_malformed_is_refused)
{
	static const char *const bad[] = {
		"",
		"; filename=x",
		"attachment filename=x",
		"attachment; filename",
		"attachment; filename=",
		"attachment; =x",
		"attachment; filename=\"x",
		"attachment; filename=\"x\\",
		"attachment; filename=\"x\"y",
		"attachment; filename=a b",
		"attachment; filename=\"\xff\"",
		"attachment; filename*=x",
		"attachment; filename*=UTF-8'x",
		"attachment; filename*=UTF-8''%",
		"attachment; filename*=UTF-8''%4",
		"attachment; filename*=UTF-8''%zz",
		"attachment; filename*=UTF-8''%00",
		"attachment; filename*=UTF-8''%FF",
		"attachment; filename*=ISO-8859-1''x",
	};
	char name[DISPOSITION_NAME_MAX];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!read_name(bad[i], name), "%s", bad[i]);
}
END_TEST

START_TEST(a_long_name_is_refused_and_a_header_that_is_sent_twice)
{
	char header[2 * DISPOSITION_NAME_MAX] = "attachment; filename=";
	size_t len = strlen(header);
	char name[DISPOSITION_NAME_MAX];
	HttpRequest request = {.headers = fields, .n_headers = 2};

	memset(header + len, 'x', DISPOSITION_NAME_MAX - 1);
	ck_assert(read_name(header, name));
	ck_assert_uint_eq(strlen(name), DISPOSITION_NAME_MAX - 1);
	header[len + DISPOSITION_NAME_MAX - 1] = 'x';
	ck_assert(!read_name(header, name));
	header[len] = '"';
	ck_assert(!read_name(header, name));

	ck_assert(read_name("attachment", name));
	fields[1] = fields[0];
	ck_assert(!disposition_read(&request, name));
	request.n_headers = 0;
	ck_assert(disposition_read(&request, name));
	ck_assert_str_eq(name, "");
}
END_TEST

START_TEST(a_header_has_the_name_for_old_programs_and_for_others)
{
	char header[DISPOSITION_HEADER_MAX];

	disposition_write(true, NULL, 0, header);
	ck_assert_str_eq(header, "inline");
	disposition_write(false, "view.png", 8, header);
	ck_assert_str_eq(header, "attachment; filename=\"view.png\"; filename*=UTF-8''view.png");
	disposition_write(false, "\xc3\xa9\"\r\n\\%;' x", 11, header);
	ck_assert_str_eq(header, "attachment; filename=\"_______;' x\"; "
							 "filename*=UTF-8''%C3%A9%22%0D%0A%5C%25%3B%27%20x");
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
	char name[DISPOSITION_NAME_MAX];
	char back[DISPOSITION_NAME_MAX];
	char header[DISPOSITION_HEADER_MAX];

	for (size_t len = 1; len < DISPOSITION_NAME_MAX; len += 31)
	{
		for (size_t i = 0; i < len; i++)
			name[i] = (char) (1 + (i * 7 + len) % 127);
		name[len] = '\0';
		disposition_write(len % 2 == 0, name, len, header);
		ck_assert_uint_lt(strlen(header), DISPOSITION_HEADER_MAX);
		for (const char *c = header; *c != '\0'; c++)
			ck_assert(*c >= ' ' && *c <= '~');
		ck_assert(read_name(header, back));
		ck_assert_str_eq(back, name);
	}
}
END_TEST

START_TEST(a_part_of_a_form_names_its_field_and_its_file)
{
	static const struct
	{
		const char *header;
		const char *field; /* NULL: it is refused */
		const char *name;
	} samples[] = {
		{"form-data; name=\"file\"; filename=\"view.png\"", "file", "view.png"},
		{"Form-Data; Name=file; FileName=view.png", "file", "view.png"},
		{"form-data; filename=\"a\"; name=\"file\"", "file", "a"},
		{"form-data; name=\"file\"", "file", ""},
		{"form-data; name=\"file\"; filename=\"a%22b%41.png\"", "file", "a\"b%41.png"},
		{"form-data; name=\"file\"; filename=\"a\\\"b.png\"", "file", "a\"b.png"},
		{"form-data; name=\"file\"; filename=\"\xc3\xa9.png\"", "file", "\xc3\xa9.png"},
		{"form-data; name=\"file\"; filename=a; filename*=UTF-8''%2522", "file", "%22"},
		{"form-data", NULL, NULL},
		{"form-data; filename=a", NULL, NULL},
		{"form-data; name=\"\"", NULL, NULL},
		{"form-data; name=\"\xff\"", NULL, NULL},
		{"form-data; name=file; filename=\"\xff\"", NULL, NULL},
		{"form-data; name=file; filename=\"a", NULL, NULL},
		{"attachment; name=file", NULL, NULL},
		{"form-data2; name=file", NULL, NULL},
		{"", NULL, NULL},
	};
	char field[DISPOSITION_NAME_MAX];
	char name[DISPOSITION_NAME_MAX];

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		bool is_read = disposition_read_field(samples[i].header, field, name);

		ck_assert_msg(is_read == (samples[i].field != NULL), "%s", samples[i].header);
		if (is_read)
		{
			ck_assert_str_eq(field, samples[i].field);
			ck_assert_str_eq(name, samples[i].name);
		}
	}
}
END_TEST

SUITE("api disposition", a_name_is_read_in_each_of_its_forms, what_is_malformed_is_refused,
	  a_long_name_is_refused_and_a_header_that_is_sent_twice,
	  a_part_of_a_form_names_its_field_and_its_file,
	  a_header_has_the_name_for_old_programs_and_for_others, what_is_written_is_read_back)
