/*
 * test_json_read.c
 *		JSON in: what a stranger may send and what not.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/json_read.h"
#include "tests/unit/suite.h"

/* In a block of its exact length, so that the sanitizer sees a read beyond it. */
static JsonValue *
parse(const char *text, size_t len, JsonReadError *error)
{
	char *block = malloc(len > 0 ? len : 1);
	JsonValue *root;

	memcpy(block, text, len);
	root = json_read(block, len, error);
	free(block);
	return root;
}

START_TEST(values_have_their_types)
{
	static const char text[] = "{\"s\":\"a\\u00e4\",\"i\":-5,\"r\":1.5,\"t\":true,\"n\":null,"
							   "\"a\":[1,2],\"o\":{\"x\":{}}}";
	JsonReadError error;
	JsonValue *root = parse(text, sizeof(text) - 1, &error);
	const char *string;
	size_t len;
	int64_t integer;
	bool boolean;

	ck_assert_ptr_nonnull(root);
	ck_assert(json_read_kind(root) == JSON_KIND_OBJECT);
	ck_assert_uint_eq(json_read_count(root), 7);
	ck_assert(json_read_string(json_read_member(root, "s"), &string, &len));
	ck_assert_str_eq(string, "a\xC3\xA4");
	ck_assert_uint_eq(len, 3);
	ck_assert(json_read_int64(json_read_member(root, "i"), &integer));
	ck_assert_int_eq(integer, -5);
	ck_assert(!json_read_int64(json_read_member(root, "r"), &integer));
	ck_assert(json_read_kind(json_read_member(root, "r")) == JSON_KIND_REAL);
	ck_assert(json_read_bool(json_read_member(root, "t"), &boolean) && boolean);
	ck_assert(json_read_kind(json_read_member(root, "n")) == JSON_KIND_NULL);
	ck_assert(json_read_kind(json_read_member(root, "none")) == JSON_KIND_NONE);
	ck_assert_uint_eq(json_read_count(json_read_member(root, "a")), 2);
	ck_assert(json_read_kind(json_read_element(json_read_member(root, "a"), 1)) ==
			  JSON_KIND_INTEGER);
	ck_assert_ptr_null(json_read_element(json_read_member(root, "a"), 2));
	ck_assert(!json_read_string(json_read_member(root, "i"), &string, &len));
	ck_assert(!json_read_bool(NULL, &boolean));
	json_read_free(root);
}
END_TEST

START_TEST(members_can_be_walked_through)
{
	JsonReadError error;
	JsonValue *root = parse("{\"a\":1,\"b\":2}", 13, &error);
	void *position = NULL;
	const char *name;
	JsonValue *value;
	int sum = 0;

	while (json_read_next_member(root, &position, &name, &value))
	{
		int64_t number;

		ck_assert(json_read_int64(value, &number));
		ck_assert_int_eq(number, name[0] - 'a' + 1);
		sum += (int) number;
	}
	ck_assert_int_eq(sum, 3);
	json_read_free(root);
}
END_TEST

START_TEST(what_is_not_strict_json_is_refused_without_an_echo)
{
	static const struct
	{
		const char *text;
		const char *message;
	} samples[] = {
		{"", "JSON ends too early"},
		{"{\"secret\":1", "JSON ends too early"},
		{"{\"secret\":1} x", "unexpected text after the end of JSON"},
		{"{\"secret\":1,\"secret\":1}", "JSON has a duplicate name in an object"},
		{"[{\"secret\":1,\"\\u0073ecret\":2}]", "JSON has a duplicate name in an object"},
		{"[\"\\u0000\"]", "JSON must not contain a NUL character"},
		{"{\"a\\u0000\":1}", "JSON must not contain a NUL character"},
		{"[\"\xFF\"]", "JSON is not valid UTF-8"},
		{"[1e999]", "JSON has a number that is out of range"},
		{"[99999999999999999999]", "JSON has a number that is out of range"},
		{"\"secret\"", "invalid JSON"},
		{"secret", "invalid JSON"},
		{"[secret]", "invalid JSON"},
		{"{'secret':1}", "invalid JSON"},
		{"[1,]", "invalid JSON"},
		{"[01]", "invalid JSON"},
		{"[NaN]", "invalid JSON"},
		{"// secret\n[]", "invalid JSON"},
		{"[\"\\ud800\"]", "invalid JSON"},
		{"\xEF\xBB\xBF[]", "invalid JSON"},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		JsonReadError error;

		ck_assert_msg(parse(samples[i].text, strlen(samples[i].text), &error) == NULL, "%s",
					  samples[i].text);
		ck_assert_msg(strcmp(error.message, samples[i].message) == 0, "%s: %s", samples[i].text,
					  error.message);
	}
}
END_TEST

START_TEST(a_raw_nul_is_refused)
{
	JsonReadError error;

	ck_assert_ptr_null(parse("[\"a\0b\"]", 7, &error));
	ck_assert_ptr_null(parse("[1]\0", 4, &error));
}
END_TEST

START_TEST(depth_has_a_bound)
{
	static const char brackets[] = "[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]";
	char text[2 * (JSON_READ_DEPTH_MAX + 1)];
	JsonReadError error;
	JsonValue *root;

	for (int depth = JSON_READ_DEPTH_MAX; depth <= JSON_READ_DEPTH_MAX + 1; depth++)
	{
		memset(text, '[', (size_t) depth);
		memset(text + depth, ']', (size_t) depth);
		root = parse(text, 2 * (size_t) depth, &error);
		ck_assert((root != NULL) == (depth == JSON_READ_DEPTH_MAX));
		json_read_free(root);
	}
	ck_assert_str_eq(error.message, "JSON is nested too deeply");

	/* brackets within strings do not count */
	root = parse(brackets, sizeof(brackets) - 1, &error);
	ck_assert_ptr_nonnull(root);
	json_read_free(root);
}
END_TEST

/* An array of so many elements, each of them "element"; with a comma behind the last one if it is cut. */
static JsonValue *
parse_many(const char *element, int count, JsonReadError *error)
{
	size_t len = strlen(element) + 1;
	char *text = malloc((size_t) count * len + 3);
	JsonValue *root;

	text[0] = '[';
	for (int i = 0; i < count; i++)
	{
		memcpy(text + 1 + (size_t) i * len, element, len - 1);
		text[(size_t) (i + 1) * len] = ',';
	}
	text[(size_t) count * len] = ']';
	root = parse(text, (size_t) count * len + 1, error);
	free(text);
	return root;
}

START_TEST(the_number_of_values_has_a_bound)
{
	static const struct
	{
		const char *element;
		int values; /* in each element, names among them */
	} samples[] = {
		{"{}", 1},   {"[]", 1},     {"\"\"", 1},      {"0", 1},       {" -1.5e3 ", 1},
		{"true", 1}, {"null\n", 1}, {"{\"a\":1}", 3}, {"[[],[]]", 3}, {"\"[{,\\\"1,2,3,{}\"", 1}};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		int fit = (JSON_READ_VALUES_MAX - 1) / samples[i].values;
		JsonReadError error;
		JsonValue *root = parse_many(samples[i].element, fit, &error);

		ck_assert_msg(root != NULL, "%s", samples[i].element);
		json_read_free(root);
		root = parse_many(samples[i].element, fit + 1, &error);
		ck_assert_msg(root == NULL, "%s", samples[i].element);
		ck_assert_str_eq(error.message, "JSON has too many values");
	}
}
END_TEST

/* The parser never gets to see more, whatever comes behind it. */
START_TEST(what_is_no_json_in_the_end_is_counted_too)
{
	JsonReadError error;

	ck_assert_ptr_null(parse_many("{}:::::::", JSON_READ_VALUES_MAX, &error));
	ck_assert_str_eq(error.message, "JSON has too many values");
	ck_assert_ptr_null(parse_many("{} \"\\", JSON_READ_VALUES_MAX, &error));
}
END_TEST

START_TEST(where_reading_stopped_is_told)
{
	static const struct
	{
		const char *text;
		int line;
		int column;
	} samples[] = {
		{"[\n  1,\n 2 x]", 3, 4},
		{"[\"\xC3\xA4\", tru]", 1, 9},
		{"{\"a\":1,\n\"a\":2}", 2, 3},
		{"[\n", 2, 0},
		{"[[[[[[[[[[[[[[[[\n[[[[[[[[[[[[[[[[\"\xC3\xA4\",[", 2, 21},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		JsonReadError error;

		ck_assert_ptr_null(parse(samples[i].text, strlen(samples[i].text), &error));
		ck_assert_int_eq(error.line, samples[i].line);
		ck_assert_int_eq(error.column, samples[i].column);
	}
}
END_TEST

START_TEST(every_beginning_of_a_text_is_refused)
{
	static const char text[] = "{\"a\":[1,-2.5e3,\"\\u00e4\xC3\xA4\\\"\"],\"b\":{\"c\":null}}";
	JsonReadError error;

	for (size_t len = 0; len < sizeof(text) - 1; len++)
		ck_assert_ptr_null(parse(text, len, &error));
}
END_TEST

START_TEST(a_value_is_printed_compactly_within_a_bound)
{
	static const char text[] = "{\"a\": [1, 2.5, \"x\"]}";
	JsonReadError error;
	JsonValue *root = parse(text, sizeof(text) - 1, &error);
	Buffer out;

	buffer_init(&out, 19);
	ck_assert(json_read_print(root, &out));
	ck_assert_str_eq(out.data, "{\"a\":[1,2.5,\"x\"]}");
	buffer_clear(&out);
	ck_assert(json_read_print(json_read_element(json_read_member(root, "a"), 2), &out));
	ck_assert_str_eq(out.data, "\"x\"");
	buffer_free(&out);
	buffer_init(&out, 5);
	ck_assert(!json_read_print(root, &out));
	ck_assert(!json_read_print(NULL, &out));
	buffer_free(&out);
	json_read_free(root);
}
END_TEST

SUITE("json_read", values_have_their_types, members_can_be_walked_through,
	  what_is_not_strict_json_is_refused_without_an_echo, a_raw_nul_is_refused, depth_has_a_bound,
	  the_number_of_values_has_a_bound, what_is_no_json_in_the_end_is_counted_too,
	  where_reading_stopped_is_told, every_beginning_of_a_text_is_refused,
	  a_value_is_printed_compactly_within_a_bound)
