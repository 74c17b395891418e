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

#define MANY 60000

static int named; /* people of whom the contacts say a name */

static void
take_sender(void *context, const Update *update)
{
	Person person;

	(void) context;
	person_read(update->element, "from", "from_user_id", update->contacts, &person);
	named += person.name != NULL ? 1 : 0;
}

/* With each message looking at each contact, the time of a test would not be enough. */
START_TEST(many_messages_beside_many_contacts_cost_little)
{
	JsonReadError error;
	JsonValue *root;
	Buffer text;

	buffer_init(&text, NOTIFICATION_BYTES_MAX);
	buffer_append_text(&text,
					   "{\"entry\":[{\"changes\":[{\"field\":\"messages\",\"value\":{\"contacts\":["
					   "{\"wa_id\":\"15550001111\",\"profile\":{\"name\":\"Ann\"}}");
	for (int i = 1; i < MANY; i++)
		buffer_append_text(&text, ",{\"wa_id\":\"15550002222\"}");
	buffer_append_text(&text, "],\"messages\":[{\"from\":\"15550001111\"}");
	for (int i = 1; i < MANY; i++)
		buffer_append_text(&text, ",{\"from\":\"15550003333\"}");
	ck_assert(buffer_append_text(&text, "]}}]}]}"));
	root = json_read_many(text.data, text.len, NOTIFICATION_VALUES_MAX, &error);
	ck_assert_ptr_nonnull(root);
	named = 0;
	ck_assert(notification_walk(root, take_sender, NULL));
	ck_assert_int_eq(named, 1);
	json_read_free(root);
	buffer_free(&text);
}
END_TEST

SUITE("cloud_notification", many_messages_beside_many_contacts_cost_little,
	  every_update_of_every_entry_and_change_is_taken, what_is_not_understood_costs_no_neighbour,
	  what_has_no_entries_is_no_notification, texts_that_the_reader_refuses_are_repaired,
	  numbers_are_found_in_the_text_of_a_notification)
