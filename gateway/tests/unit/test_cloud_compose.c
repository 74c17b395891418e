/*
 * test_cloud_compose.c
 *		What is sent to the Graph API, byte for byte, and what is not sent.
 */
#include <string.h>

#include "cloud/compose.h"
#include "tests/unit/suite.h"

#define MESSAGE "01990000-0000-7000-8000-000000000001"
#define SOMEBODY "15550001111@s.whatsapp.net"
#define HEAD \
	"{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\",\"to\":\"+15550001111\","
#define TAIL "\"biz_opaque_callback_data\":\"" MESSAGE "\"}"

static Outgoing outgoing;
static JsonValue *content;
static Buffer out;

static void
start(void)
{
	outgoing = (Outgoing){.id = MESSAGE, .to = SOMEBODY, .type = "text", .body = "hello"};
	content = NULL;
	buffer_init(&out, COMPOSE_MAX);
}

static void
stop(void)
{
	json_read_free(content);
	buffer_free(&out);
}

static void
set_content(const char *json)
{
	JsonReadError error;

	content = json_read(json, strlen(json), &error);
	ck_assert_ptr_nonnull(content);
	outgoing.content = content;
	outgoing.body = NULL;
}

static void
is_sent(const char *body)
{
	ck_assert_ptr_null(compose_message(&outgoing, &out));
	ck_assert_str_eq(out.data, body);
	buffer_clear(&out);
}

static void
is_refused(const char *with)
{
	const char *problem = compose_message(&outgoing, &out);

	ck_assert_ptr_nonnull(problem);
	ck_assert_msg(strstr(problem, with) != NULL, "%s", problem);
	buffer_clear(&out);
}

START_TEST(a_text_and_an_answer)
{
	is_sent(HEAD "\"type\":\"text\",\"text\":{\"body\":\"hello\"}," TAIL);
	outgoing.body = "See https://example.com/a \"\xC3\xA4\"";
	outgoing.quoted = "wamid.TESTIN01";
	is_sent(HEAD
			"\"type\":\"text\",\"text\":{\"body\":\"See https://example.com/a \\\"\xC3\xA4\\\"\","
			"\"preview_url\":true},\"context\":{\"message_id\":\"wamid.TESTIN01\"}," TAIL);
}
END_TEST

START_TEST(lengths_are_counted_in_characters)
{
	char text[2 * 4097 + 1] = "";

	for (int i = 0; i < 4096; i++)
		memcpy(text + 2 * i, "\xC3\xA4", 3);
	outgoing.body = text;
	ck_assert_ptr_null(compose_message(&outgoing, &out));
	buffer_clear(&out);
	memcpy(text + 2 * 4096, "\xC3\xA4", 3);
	is_refused("4096");
}
END_TEST

START_TEST(a_reaction_and_its_removal)
{
	outgoing.type = "reaction";
	outgoing.target = "wamid.TESTIN01";
	outgoing.emoji = "\xF0\x9F\x91\x8D";
	is_sent(HEAD "\"type\":\"reaction\",\"reaction\":{\"message_id\":\"wamid.TESTIN01\",\"emoji\":"
				 "\"\xF0\x9F\x91\x8D\"}," TAIL);
	outgoing.emoji = NULL;
	is_sent(
		HEAD
		"\"type\":\"reaction\",\"reaction\":{\"message_id\":\"wamid.TESTIN01\",\"emoji\":\"\"}," TAIL);
	outgoing.target = NULL;
	is_refused("no id");
}
END_TEST

START_TEST(files_are_not_sent)
{
	static const char *const types[] = {"image", "video", "audio", "document", "sticker"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
	{
		outgoing.type = types[i];
		is_refused("of this type");
	}
}
END_TEST

START_TEST(a_location_as_it_was_given)
{
	outgoing.type = "location";
	set_content("{\"latitude\": 52.5, \"longitude\": -13, \"name\": \"Here\"}");
	is_sent(
		HEAD
		"\"type\":\"location\",\"location\":{\"latitude\":52.5,\"longitude\":-13,\"name\":\"Here\"}," TAIL);
}
END_TEST

START_TEST(a_contact_with_all_that_meta_knows)
{
	outgoing.type = "contact";
	set_content(
		"{\"contact\":{\"displayName\":\"Test Person\",\"vcard\":\"BEGIN:VCARD\\r\\nVERSION:3.0\\r\\n"
		"N:Person;Test;;Dr.;\\r\\nFN:Test\\r\\nitem1.TEL;type=CELL;waid=15550002222:+1 555 000\\r\\n  2222\\r\\n"
		"EMAIL:a@example.com\\r\\nORG:Example\\\\, Ltd;Sales\\r\\nTITLE:Boss\\r\\nURL:https://example.com/a:b\\r\\n"
		"BDAY:2000-12-31\\r\\nEND:VCARD\"}}");
	is_sent(
		HEAD
		"\"type\":\"contacts\",\"contacts\":[{\"name\":{\"formatted_name\":\"Test Person\",\"last_name\":\"Person\","
		"\"first_name\":\"Test\",\"prefix\":\"Dr.\"},\"phones\":[{\"phone\":\"+1 555 000 2222\",\"type\":\"CELL\",\"wa_id\":\"15550002222\"}],"
		"\"emails\":[{\"email\":\"a@example.com\"}],\"urls\":[{\"url\":\"https://example.com/a:b\"}],"
		"\"org\":{\"company\":\"Example, Ltd\",\"department\":\"Sales\",\"title\":\"Boss\"},\"birthday\":\"2000-12-31\"}]," TAIL);
}
END_TEST

START_TEST(a_card_without_a_name_has_the_one_that_is_shown)
{
	outgoing.type = "contact";
	set_content(
		"{\"contact\":{\"displayName\":\"Ann\",\"vcard\":\"BEGIN:VCARD\\nTEL;waid=1x:1\\nBDAY:1231\\nEND:VCARD\"}}");
	is_sent(
		HEAD
		"\"type\":\"contacts\",\"contacts\":[{\"name\":{\"formatted_name\":\"Ann\",\"first_name\":\"Ann\"},"
		"\"phones\":[{\"phone\":\"1\"}]}]," TAIL);
}
END_TEST

START_TEST(somebody_whose_number_is_not_known)
{
	outgoing.to = "US.1000200030004000@bsuid";
	is_sent(
		"{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\",\"recipient\":\"US.1000200030004000\","
		"\"type\":\"text\",\"text\":{\"body\":\"hello\"}," TAIL);
}
END_TEST

START_TEST(nobody_else_is_sent_to)
{
	static const char *const others[] = {"15550001111",       "1@lid",
										 "123-456@g.us",      "@s.whatsapp.net",
										 "1a@s.whatsapp.net", "1234567890123456@s.whatsapp.net",
										 "status@broadcast",  "@bsuid"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		outgoing.to = others[i];
		is_refused("recipient");
	}
}
END_TEST

START_TEST(what_the_cloud_api_does_not_have)
{
	outgoing.has_mentions = true;
	is_refused("mentions");
	outgoing.type = "poll";
	is_refused("type");
}
END_TEST

START_TEST(a_message_is_marked_as_read)
{
	ck_assert(compose_read("wamid.TESTIN01", &out));
	ck_assert_str_eq(
		out.data,
		"{\"messaging_product\":\"whatsapp\",\"status\":\"read\",\"message_id\":\"wamid.TESTIN01\"}");
}
END_TEST

static void
add_tests(TCase *cases)
{
	tcase_add_checked_fixture(cases, start, stop);
	tcase_add_test(cases, a_text_and_an_answer);
	tcase_add_test(cases, lengths_are_counted_in_characters);
	tcase_add_test(cases, a_reaction_and_its_removal);
	tcase_add_test(cases, files_are_not_sent);
	tcase_add_test(cases, a_location_as_it_was_given);
	tcase_add_test(cases, a_contact_with_all_that_meta_knows);
	tcase_add_test(cases, a_card_without_a_name_has_the_one_that_is_shown);
	tcase_add_test(cases, somebody_whose_number_is_not_known);
	tcase_add_test(cases, nobody_else_is_sent_to);
	tcase_add_test(cases, what_the_cloud_api_does_not_have);
	tcase_add_test(cases, a_message_is_marked_as_read);
}

SUITE_WITH("cloud_compose", add_tests)
