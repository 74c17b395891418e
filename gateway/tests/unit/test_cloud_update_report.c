/*
 * test_cloud_update_report.c
 *		The reports of each kind of update.
 */
#include <stdio.h>
#include <string.h>

#include "cloud/update_report.h"
#include "tests/unit/suite.h"

#define SESSION "01990000-0000-7000-8000-00000000000a"
#define NOW_MS INT64_C(1790000100000)
#define AT "\"at\":\"2026-09-21T14:13:20.000Z\""
#define TEXT_MAX (512 * 1024)

static char written[TEXT_MAX];

/* The report of an update with its turn in front, or the outcome if there is none. */
static const char *
report_of(UpdateKind kind, const char *element, const char *contacts)
{
	static const char *const outcomes[] = {"", "dropped", "not understood"};
	JsonReadError error;
	JsonValue *list = contacts == NULL ? NULL : json_read(contacts, strlen(contacts), &error);
	JsonValue *value = json_read(element, strlen(element), &error);
	Contacts known;
	const Update update = {.kind = kind, .contacts = &known, .element = value};
	UpdateReport report;
	UpdateOutcome outcome;
	JsonWriter json;
	Buffer text;

	ck_assert_msg(value != NULL, "%s: %s", error.message, element);
	contacts_read(list, &known);
	outcome = update_report(&update, &report);
	snprintf(written, sizeof(written), "%s", outcomes[outcome]);
	if (outcome == UPDATE_REPORTED)
	{
		buffer_init(&text, TEXT_MAX);
		json_write_init(&json, &text);
		json_write_object_begin(&json);
		report.write(&update, SESSION, NOW_MS, &json);
		json_write_object_end(&json);
		ck_assert(json_write_done(&json));
		snprintf(written, sizeof(written), "%d %s", (int) report.turn, text.data);
		buffer_free(&text);
	}
	json_read_free(list);
	json_read_free(value);
	return written;
}

#define RECEIVE "5 {\"report\":\"receive\",\"session\":\"" SESSION "\",\"wa_message_id\":\"W1\","
#define FROM                                       \
	"\"chat_jid\":\"15550001111@s.whatsapp.net\"," \
	"\"sender_jid\":\"15550001111@s.whatsapp.net\","
#define MESSAGE(rest) \
	"{\"from\":\"15550001111\",\"id\":\"W1\",\"timestamp\":\"1790000000\"," rest "}"

static void
receives(const char *message, const char *wanted)
{
	ck_assert_str_eq(report_of(UPDATE_MESSAGE, message, NULL), wanted);
}

START_TEST(a_text_and_what_it_answers)
{
	receives(MESSAGE("\"type\":\"text\",\"text\":{\"body\":\"Hi \\u00e4\"},"
					 "\"context\":{\"from\":\"15550009999\",\"id\":\"W0\"}"),
			 RECEIVE FROM "\"type\":\"text\",\"body\":\"Hi \xC3\xA4\",\"quoted\":\"W0\"," AT "}");
	receives(
		MESSAGE("\"type\":\"text\",\"text\":{\"body\":\"x\"},\"context\":{\"forwarded\":true}"),
		RECEIVE FROM "\"type\":\"text\",\"body\":\"x\",\"forwarded\":true," AT "}");
	receives(
		MESSAGE("\"type\":\"text\",\"text\":{\"body\":\"x\"},"
				"\"context\":{\"frequently_forwarded\":true},\"referral\":{\"source_id\":\"1\"}"),
		RECEIVE FROM "\"type\":\"text\",\"body\":\"x\",\"forwarded\":true,\"content\":"
					 "{\"referral\":{\"source_id\":\"1\"},\"frequentlyForwarded\":true}," AT "}");
}
END_TEST

START_TEST(files_with_what_is_known_of_them)
{
	receives(
		MESSAGE("\"type\":\"image\",\"image\":{\"caption\":\"look\",\"mime_type\":\"image/jpeg\","
				"\"sha256\":\"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\",\"id\":\"9\"}"),
		RECEIVE FROM "\"type\":\"image\",\"body\":\"look\",\"media\":{\"reference\":\"9\","
					 "\"mimetype\":\"image/jpeg\",\"sha256\":"
					 "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}," AT
					 "}");
	receives(MESSAGE("\"type\":\"audio\",\"audio\":{\"id\":9,\"voice\":true,\"sha256\":\"short\","
					 "\"mime_type\":\"audio/ogg; codecs=opus\"}"),
			 RECEIVE FROM "\"type\":\"audio\",\"media\":{\"reference\":\"9\",\"mimetype\":"
						  "\"audio/ogg; codecs=opus\"},\"content\":{\"voice\":true}," AT "}");
	receives(MESSAGE("\"type\":\"document\",\"document\":{\"id\":\"9\",\"filename\":\"a.pdf\"}"),
			 RECEIVE FROM "\"type\":\"document\",\"media\":{\"reference\":\"9\",\"filename\":"
						  "\"a.pdf\"}," AT "}");
	receives(MESSAGE("\"type\":\"sticker\",\"sticker\":{\"id\":\"9\",\"animated\":true}"),
			 RECEIVE FROM "\"type\":\"sticker\",\"media\":{\"reference\":\"9\"},\"content\":"
						  "{\"animated\":true}," AT "}");
	receives(MESSAGE("\"type\":\"video\",\"video\":{\"id\":\"9\"}"),
			 RECEIVE FROM "\"type\":\"video\",\"media\":{\"reference\":\"9\"}," AT "}");
}
END_TEST

START_TEST(places_and_cards)
{
	receives(MESSAGE("\"type\":\"location\",\"location\":{\"latitude\":1.5,\"longitude\":-2,"
					 "\"name\":\"n\"}"),
			 RECEIVE FROM "\"type\":\"location\",\"content\":{\"latitude\":1.5,\"longitude\":-2,"
						  "\"name\":\"n\"}," AT "}");
	receives(MESSAGE("\"type\":\"contacts\",\"contacts\":[{\"name\":{\"formatted_name\":\"A, B\","
					 "\"first_name\":\"A\"},\"phones\":[{\"phone\":\"+1 5\",\"type\":\"CELL\","
					 "\"wa_id\":\"15\"}]}]"),
			 RECEIVE FROM
			 "\"type\":\"contact\",\"content\":{\"contact\":{\"displayName\":\"A, B\",\"vcard\":"
			 "\"BEGIN:VCARD\\r\\nVERSION:3.0\\r\\nFN:A\\\\, B\\r\\nN:;A;;;\\r\\n"
			 "TEL;TYPE=CELL;waid=15:+1 5\\r\\nEND:VCARD\"},\"contacts\":[{\"name\":"
			 "{\"formatted_name\":\"A, B\",\"first_name\":\"A\"},\"phones\":[{\"phone\":\"+1 5\","
			 "\"type\":\"CELL\",\"wa_id\":\"15\"}]}]}," AT "}");
}
END_TEST

START_TEST(answers_are_texts_with_the_choice)
{
	receives(MESSAGE("\"type\":\"button\",\"button\":{\"payload\":\"p\",\"text\":\"Yes\"}"),
			 RECEIVE FROM "\"type\":\"text\",\"body\":\"Yes\",\"content\":{\"choice\":"
						  "{\"type\":\"button\",\"id\":\"p\",\"title\":\"Yes\"}}," AT "}");
	receives(MESSAGE("\"type\":\"interactive\",\"interactive\":{\"type\":\"list_reply\","
					 "\"list_reply\":{\"id\":\"i\",\"title\":\"T\",\"description\":\"d\"}}"),
			 RECEIVE FROM
			 "\"type\":\"text\",\"body\":\"T\",\"content\":{\"choice\":{\"type\":\"row\","
			 "\"id\":\"i\",\"title\":\"T\",\"description\":\"d\"}}," AT "}");
	receives(
		MESSAGE("\"type\":\"interactive\",\"interactive\":{\"type\":\"nfm_reply\",\"nfm_reply\":"
				"{\"name\":\"flow\",\"body\":\"Sent\",\"response_json\":\"7\"}}"),
		RECEIVE FROM "\"type\":\"text\",\"body\":\"Sent\",\"content\":{\"choice\":{\"type\":"
					 "\"form\",\"name\":\"flow\",\"response\":\"7\"}}," AT "}");
}
END_TEST

START_TEST(orders_and_news_of_the_system)
{
	receives(MESSAGE("\"type\":\"order\",\"order\":{\"catalog_id\":\"c\",\"text\":\"please\"}"),
			 RECEIVE FROM "\"type\":\"order\",\"body\":\"please\",\"content\":{\"order\":"
						  "{\"catalog_id\":\"c\",\"text\":\"please\"}}," AT "}");
	receives("{\"id\":\"W1\",\"timestamp\":\"1790000000\",\"type\":\"system\",\"system\":"
			 "{\"type\":\"user_changed_number\",\"body\":\"b\",\"wa_id\":\"15550001111\"}}",
			 RECEIVE FROM "\"type\":\"system\",\"body\":\"b\",\"content\":{\"system\":{\"type\":"
						  "\"user_changed_number\",\"body\":\"b\",\"wa_id\":\"15550001111\"}}," AT
						  "}");
}
END_TEST

START_TEST(what_is_not_known_is_kept_as_a_placeholder)
{
	receives(MESSAGE("\"type\":\"unsupported\",\"unsupported\":{\"type\":\"poll_creation\"},"
					 "\"errors\":[{\"code\":131051}]"),
			 RECEIVE FROM "\"type\":\"unsupported\",\"content\":{\"unsupported\":\"poll_creation\","
						  "\"errors\":[{\"code\":131051}]}," AT "}");
	receives(MESSAGE("\"type\":\"hologram\""),
			 RECEIVE FROM "\"type\":\"unsupported\",\"content\":{\"unsupported\":\"hologram\","
						  "\"message\":" MESSAGE("\"type\":\"hologram\"") "}," AT "}");
	/* A file without an id, and an answer without a text. */
	receives(MESSAGE("\"type\":\"image\",\"image\":{}"),
			 RECEIVE FROM "\"type\":\"unsupported\",\"content\":{\"unsupported\":\"image\","
						  "\"message\":" MESSAGE("\"type\":\"image\",\"image\":{}") "}," AT "}");
	receives(MESSAGE("\"type\":\"interactive\",\"errors\":[1]"), RECEIVE FROM
			 "\"type\":\"unsupported\",\"content\":{\"unsupported\":\"interactive\","
			 "\"message\":" MESSAGE("\"type\":\"interactive\",\"errors\":[1]") "}," AT "}");
}
END_TEST

START_TEST(people_without_a_number)
{
	ck_assert_str_eq(
		report_of(UPDATE_MESSAGE,
				  "{\"from_user_id\":\"US.1\",\"id\":\"W1\",\"timestamp\":1790000000,"
				  "\"type\":\"text\",\"text\":{\"body\":\"x\"}}",
				  "[{\"profile\":{\"name\":\"Ann\",\"username\":\"ann\"},\"user_id\":\"US.1\"}]"),
		RECEIVE "\"chat_jid\":\"US.1@bsuid\",\"sender_jid\":\"US.1@bsuid\",\"sender_name\":\"Ann\","
				"\"user_id\":\"US.1\",\"username\":\"ann\",\"type\":\"text\",\"body\":\"x\"," AT
				"}");
}
END_TEST

START_TEST(what_the_owner_wrote_on_a_phone)
{
	ck_assert_str_eq(
		report_of(UPDATE_ECHO,
				  "{\"from\":\"15550009999\",\"to\":\"15550001111\",\"id\":\"W1\","
				  "\"timestamp\":\"1790000000\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}",
				  NULL),
		RECEIVE "\"chat_jid\":\"15550001111@s.whatsapp.net\",\"from_me\":true,"
				"\"sender_jid\":\"15550009999@s.whatsapp.net\",\"type\":\"text\",\"body\":\"x\"," AT
				"}");
}
END_TEST

#define CHANGE                                        \
	"6 {\"report\":\"change\",\"session\":\"" SESSION \
	"\",\"wa_message_id\":\"W0\",\"sender_jid\":"     \
	"\"15550001111@s.whatsapp.net\","

START_TEST(reactions_edits_and_revocations)
{
	receives(MESSAGE("\"type\":\"reaction\",\"reaction\":{\"message_id\":\"W0\",\"emoji\":\"+\"}"),
			 CHANGE "\"type\":\"react\",\"value\":\"+\"}");
	receives(MESSAGE("\"type\":\"reaction\",\"reaction\":{\"message_id\":\"W0\"}"),
			 CHANGE "\"type\":\"react\",\"value\":\"\"}");
	receives(MESSAGE("\"type\":\"edit\",\"edit\":{\"original_message_id\":\"W0\",\"message\":"
					 "{\"type\":\"text\",\"text\":{\"body\":\"new\"}}}"),
			 CHANGE "\"type\":\"edit\",\"value\":\"new\"}");
	receives(MESSAGE("\"type\":\"revoke\",\"revoke\":{\"original_message_id\":\"W0\"}"),
			 CHANGE "\"type\":\"revoke\",\"value\":\"\"}");
	receives(MESSAGE("\"type\":\"reaction\",\"reaction\":{\"emoji\":\"+\"}"), "not understood");
}
END_TEST

START_TEST(messages_that_lack_what_they_need)
{
	receives("{\"id\":\"W1\",\"type\":\"text\",\"text\":{\"body\":\"x\"}}", "not understood");
	receives("{\"from\":\"15550001111\",\"type\":\"text\"}", "not understood");
	receives(MESSAGE("\"group_id\":\"g\",\"type\":\"text\",\"text\":{\"body\":\"x\"}"),
			 "not understood");
}
END_TEST

#define OURS "01990000-0000-7000-8000-000000000001"
#define STATUS(rest) "{\"id\":\"W1\",\"timestamp\":\"1790000000\"" rest "}"
#define NAMES_OURS ",\"biz_opaque_callback_data\":\"" OURS "\""
#define TELLS(message, status)                                                                   \
	"{\"report\":\"status\",\"session\":\"" SESSION "\"," message "\"wa_message_id\":\"W1\"," AT \
	",\"status\":\"" status "\""
#define TOLD(status) TELLS("", status)
#define BY_OURS "\"message\":\"" OURS "\","

static void
tells(const char *status, const char *wanted)
{
	ck_assert_str_eq(report_of(UPDATE_STATUS, status, NULL), wanted);
}

START_TEST(statuses_name_a_message_of_ours_by_its_id_too)
{
	tells(STATUS(",\"status\":\"delivered\"" NAMES_OURS), "1 " TELLS(BY_OURS, "delivered") "}");
	tells(STATUS(",\"status\":\"sent\"" NAMES_OURS),
		  "0 {\"report\":\"sent\",\"session\":\"" SESSION "\"," BY_OURS
		  "\"wa_message_id\":\"W1\"," AT "}");
	tells(STATUS(",\"status\":\"sent\""), "dropped");
	tells(STATUS(",\"status\":\"read\",\"biz_opaque_callback_data\":\"of another sender\""),
		  "2 " TOLD("read") "}");
	tells(STATUS(",\"status\":\"played\""), "3 " TOLD("played") "}");
	tells(STATUS(",\"status\":\"warning\""), "dropped");
	tells(STATUS(",\"status\":\"burned\""), "not understood");
	tells("{\"status\":\"read\"}", "not understood");
}
END_TEST

START_TEST(a_failure_says_why)
{
	tells(STATUS(",\"status\":\"failed\",\"errors\":[{\"code\":131047,\"title\":\"t\","
				 "\"error_data\":{\"details\":\"More than 24 hours\"}}]"),
		  "4 " TOLD("failed") ",\"error\":\"More than 24 hours\",\"error_code\":131047}");
	tells(STATUS(",\"status\":\"failed\",\"errors\":[{\"code\":\"131026\",\"title\":\"t\"}]"),
		  "4 " TOLD("failed") ",\"error\":\"t\",\"error_code\":131026}");
	tells(STATUS(",\"status\":\"failed\""),
		  "4 " TOLD("failed") ",\"error\":\"WhatsApp gave no reason\"}");
}
END_TEST

START_TEST(times_are_seconds_or_milliseconds_and_never_later_than_now)
{
	tells("{\"id\":\"W1\",\"status\":\"read\",\"timestamp\":1790000000000}", "2 " TOLD("read") "}");
	tells("{\"id\":\"W1\",\"status\":\"read\",\"timestamp\":\"1790000999\"}",
		  "2 {\"report\":\"status\",\"session\":\"" SESSION
		  "\",\"wa_message_id\":\"W1\",\"at\":\"2026-09-21T14:15:00.000Z\",\"status\":\"read\"}");
	tells("{\"id\":\"W1\",\"status\":\"read\",\"timestamp\":\"soon\"}",
		  "2 {\"report\":\"status\",\"session\":\"" SESSION
		  "\",\"wa_message_id\":\"W1\",\"at\":\"2026-09-21T14:15:00.000Z\",\"status\":\"read\"}");
}
END_TEST

/* The database would refuse the message. */
START_TEST(content_that_is_too_large_is_left_out)
{
	static char message[300 * 1024];
	int len = snprintf(message, sizeof(message), "%s",
					   "{\"from\":\"15550001111\",\"id\":\"W1\","
					   "\"timestamp\":\"1790000000\",\"type\":\"new\",\"new\":\"");

	memset(message + len, 'x', sizeof(message) - (size_t) len - 3);
	memcpy(message + sizeof(message) - 3, "\"}", 3);
	receives(message,
			 RECEIVE FROM "\"type\":\"unsupported\",\"content\":{\"unsupported\":\"new\"}," AT "}");
}
END_TEST

SUITE("cloud_update_report", a_text_and_what_it_answers, files_with_what_is_known_of_them,
	  places_and_cards, answers_are_texts_with_the_choice, orders_and_news_of_the_system,
	  what_is_not_known_is_kept_as_a_placeholder, people_without_a_number,
	  what_the_owner_wrote_on_a_phone, reactions_edits_and_revocations,
	  messages_that_lack_what_they_need, statuses_name_a_message_of_ours_by_its_id_too,
	  a_failure_says_why, times_are_seconds_or_milliseconds_and_never_later_than_now,
	  content_that_is_too_large_is_left_out)
