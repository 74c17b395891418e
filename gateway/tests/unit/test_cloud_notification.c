/*
 * test_cloud_notification.c
 *		Every update of a notification is taken, whatever stands beside it.
 */
#include <stdio.h>
#include <string.h>

#include "cloud/notification.h"
#include "tests/unit/suite.h"

#define LETTERS "mestauX" /* by UpdateKind: message, echo, status, error (t), … */

static char seen[4096];

/* Notes kind, number and account: "m800/700 ". */
static void
take(void *context, const Update *update)
{
	size_t len = strlen(seen);

	(void) context;
	snprintf(seen + len, sizeof(seen) - len, "%c%s/%s ", LETTERS[update->kind], update->number,
			 update->account);
}

static bool
walk(const char *text)
{
	JsonReadError error;
	JsonValue *root = json_read(text, strlen(text), &error);
	bool is_notification;

	ck_assert_msg(root != NULL, "%s", text);
	seen[0] = '\0';
	is_notification = notification_walk(root, take, NULL);
	json_read_free(root);
	return is_notification;
}

#define CHANGE(field, value) "{\"field\":\"" field "\",\"value\":{" value "}}"
#define NUMBER(id) "\"metadata\":{\"phone_number_id\":\"" id "\"},"

START_TEST(every_update_of_every_entry_and_change_is_taken)
{
	ck_assert(walk(
		"{\"entry\":[{\"id\":\"7\",\"changes\":[" CHANGE("messages", NUMBER("81") "\"messages\":[{},{}],\"statuses\":[{}]") "," CHANGE("messages", NUMBER("82") "\"statuses\":[{}],\"errors\":[{}]") "]},{\"id\":9,\"changes\":[" CHANGE(
			"smb_message_echoes",
			NUMBER(
				"83") "\"message_echoes\":[{}]") "," CHANGE("account_update",
															"\"event\":\"X\"") "," CHANGE("history",
																						  "\"history\":[]") "]}]}"));
	ck_assert_str_eq(seen, "m81/7 m81/7 s81/7 s82/7 t82/7 e83/9 a/9 u/9 ");
}
END_TEST

START_TEST(what_is_not_understood_costs_no_neighbour)
{
	ck_assert(walk("{\"entry\":[3,{\"id\":\"7\"},{\"id\":\"7\",\"changes\":[null," CHANGE(
		"new_field",
		"") ",{\"field\":\"messages\"},{\"field\":\"messages\",\"value\":[]}," CHANGE("messages",
																					  NUMBER(
																						  "81") "\"messages\":[1,{},[]]") "]}]}"));
	ck_assert_str_eq(seen, "X/ X/7 X/7 X/7 X/7 X/7 X81/7 m81/7 X81/7 ");
}
END_TEST

START_TEST(what_has_no_entries_is_no_notification)
{
	ck_assert(!walk("{}"));
	ck_assert(!walk("[]"));
	ck_assert(!walk("{\"entry\":{}}"));
	ck_assert(walk("{\"entry\":[]}"));
}
END_TEST

static void
repair(const char *text, const char *wanted)
{
	char body[128];

	snprintf(body, sizeof(body), "%s", text);
	notification_repair(body, strlen(body));
	ck_assert_str_eq(body, wanted);
}

START_TEST(texts_that_the_reader_refuses_are_repaired)
{
	repair("\"a\\u0000b\"", "\"a\\ufffdb\"");
	repair("\"\\ud83d\"", "\"\\ufffd\"");
	repair("\"\\ude00\\ud83d\\ude00\"", "\"\\ufffd\\ud83d\\ude00\"");
	repair("\"\\ud83d\\n\"", "\"\\ufffd\\n\"");
	repair("\"\\\\u0000\"", "\"\\\\u0000\"");
	repair("\"\xC3\xA4\xFF\xC3\"", "\"\xC3\xA4??\"");
	repair("\"\\\xFF\"", "\"\\?\"");
	repair("\"\\", "\"\\");
	repair("\"\\ud83d\\u", "\"\\ufffd\\u");
}
END_TEST

static void
note(void *context, const char *number, size_t len)
{
	size_t at = strlen(seen);

	(void) context;
	snprintf(seen + at, sizeof(seen) - at, "%.*s ", (int) len, number);
}

static const char *
numbers(const char *body)
{
	seen[0] = '\0';
	notification_numbers(body, strlen(body), note, NULL);
	return seen;
}

START_TEST(numbers_are_found_in_the_text_of_a_notification)
{
	ck_assert_str_eq(numbers("{\"phone_number_id\":\"81\"},{\"phone_number_id\" : 82}"), "81 82 ");
	ck_assert_str_eq(numbers("{\"body\":\"\\\"phone_number_id\\\":\\\"83\\\"\"}"), "");
	ck_assert_str_eq(numbers("\"phone_number_id\":\"123456789012345678901\""), "");
	ck_assert_str_eq(numbers("\"phone_number_id\":\"12345678901234567890\""),
					 "12345678901234567890 ");
	ck_assert_str_eq(numbers("\"phone_number_id\""), "");
	ck_assert_str_eq(numbers("\"phone_number_id\":"), "");
	ck_assert_str_eq(numbers("\"phone_number_id\":null,\"phone_number_id\":\"\""), "");
	ck_assert_str_eq(numbers(""), "");
}
END_TEST

SUITE("cloud_notification", every_update_of_every_entry_and_change_is_taken,
	  what_is_not_understood_costs_no_neighbour, what_has_no_entries_is_no_notification,
	  texts_that_the_reader_refuses_are_repaired, numbers_are_found_in_the_text_of_a_notification)
