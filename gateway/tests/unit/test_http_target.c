/*
 * test_http_target.c
 *		Path and query taken apart.
 */
#include <stdlib.h>
#include <string.h>

#include "http/target.h"
#include "tests/unit/suite.h"

static HttpText segments[HTTP_SEGMENTS_MAX];
static HttpField parameters[HTTP_PARAMETERS_MAX];
static size_t n_segments;
static size_t n_parameters;
static char *bytes;

/* Decodes into a block of exactly the room that is asked for; NULL or what is wrong. */
static const char *
decode(const char *text)
{
	const char *mark = strchr(text, '?');
	HttpText path = {text, strcspn(text, "?")};
	HttpText query = {mark != NULL ? mark + 1 : "", mark != NULL ? strlen(mark + 1) : 0};
	HttpTargetRoom room = http_target_room(path, query);
	HttpTarget target = {.segments = segments, .parameters = parameters};
	const char *wrong;

	ck_assert_uint_le(room.n_segments, HTTP_SEGMENTS_MAX);
	ck_assert_uint_le(room.n_parameters, HTTP_PARAMETERS_MAX);
	free(bytes);
	bytes = target.bytes = malloc(room.n_bytes);
	wrong = http_target_decode(path, query, &target);
	ck_assert_uint_le((size_t) (target.bytes - bytes), room.n_bytes);
	ck_assert_uint_le(target.n_segments, room.n_segments);
	ck_assert_uint_le(target.n_parameters, room.n_parameters);
	n_segments = target.n_segments;
	n_parameters = target.n_parameters;
	return wrong;
}

START_TEST(paths_are_cut_at_slashes)
{
	static const struct
	{
		const char *target;
		size_t n;
		const char *last;
	} samples[] = {
		{"/", 0, NULL},
		{"/a", 1, "a"},
		{"/a/", 2, ""},
		{"/a/b", 2, "b"},
		{"//", 2, ""},
		{"/a//b", 3, "b"},
		{"/a%2Fb", 1, "a/b"},
		{"/a+b", 1, "a+b"},
		{"/%C3%A4", 1, "\xC3\xA4"},
		{"/a%40b.c", 1, "a@b.c"},
		{"/s:start", 1, "s:start"},
		{"/...", 1, "..."},
		{"/%253a", 1, "%3a"},
		{"/a?b/c", 1, "a"},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		ck_assert_ptr_null(decode(samples[i].target));
		ck_assert_uint_eq(n_segments, samples[i].n);
		if (samples[i].n > 0)
		{
			ck_assert_str_eq(segments[samples[i].n - 1].data, samples[i].last);
			ck_assert_uint_eq(segments[samples[i].n - 1].len, strlen(samples[i].last));
		}
	}
}
END_TEST

START_TEST(queries_are_cut_and_decoded)
{
	ck_assert_ptr_null(decode("/?a=1&b=x+y%2B&c&&=d&e=f=g&%61=2&h="));
	ck_assert_uint_eq(n_parameters, 7);
	ck_assert_str_eq(parameters[0].name.data, "a");
	ck_assert_str_eq(parameters[0].value.data, "1");
	ck_assert_str_eq(parameters[1].value.data, "x y+");
	ck_assert_str_eq(parameters[2].name.data, "c");
	ck_assert_str_eq(parameters[2].value.data, "");
	ck_assert_str_eq(parameters[3].name.data, "");
	ck_assert_str_eq(parameters[3].value.data, "d");
	ck_assert_str_eq(parameters[4].value.data, "f=g");
	ck_assert_str_eq(parameters[5].name.data, "a");
	ck_assert_str_eq(parameters[6].value.data, "");
	ck_assert_ptr_null(decode("/?"));
	ck_assert_uint_eq(n_parameters, 0);
	ck_assert_ptr_null(decode("/?&&"));
	ck_assert_uint_eq(n_parameters, 0);
}
END_TEST

START_TEST(what_does_not_decode_is_refused)
{
	static const char *const paths[] = {"/%",    "/%4",  "/%4g",    "/%g4",       "/%00",
										"/a/..", "/./a", "/%2e",    "/%2E%2e/b",  "/a%0Ab",
										"/%7f",  "/%c3", "/%c0%80", "/%ed%a0%80", "/%4/1"};
	static const char *const queries[] = {"/?%", "/?a=%4", "/?a=%00", "/?%ff=1", "/?a=%c3&b=%a4"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		ck_assert_msg(decode(paths[i]) != NULL, "%s", paths[i]);
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
		ck_assert_msg(decode(queries[i]) != NULL, "%s", queries[i]);
}
END_TEST

/* "/" and "/a" repeated, "?" and "&", each as often as is allowed, and once more. */
START_TEST(parts_have_a_bound)
{
	static const struct
	{
		const char *first;
		const char *part;
		int max;
	} samples[] = {{"", "/a", HTTP_SEGMENTS_MAX},
				   {"", "/", HTTP_SEGMENTS_MAX},
				   {"/?a", "&a", HTTP_PARAMETERS_MAX - 1},
				   {"/?", "&", HTTP_PARAMETERS_MAX}};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		Buffer text;

		buffer_init(&text, 1024);
		buffer_append_text(&text, samples[i].first);
		for (int n = 0; n < samples[i].max; n++)
			buffer_append_text(&text, samples[i].part);
		ck_assert_ptr_null(decode(text.data));
		buffer_append_text(&text, samples[i].part);
		ck_assert_str_eq(decode(text.data), "request target has too many parts");
		buffer_free(&text);
	}
}
END_TEST

SUITE("http_target", paths_are_cut_at_slashes, queries_are_cut_and_decoded,
	  what_does_not_decode_is_refused, parts_have_a_bound)
