/*
 * test_cloud_person.c
 *		Who has written: by number, by user id, or by both.
 */
#include <string.h>

#include "cloud/person.h"
#include "tests/unit/suite.h"

/* Reads the sender of a message, and returns the address; "" if nobody is named. */
static const char *
sender(const char *message, const char *contacts, Person *person)
{
	static char jid[PERSON_JID_MAX];
	JsonReadError error;
	JsonValue *object = json_read(message, strlen(message), &error);
	JsonValue *list = contacts == NULL ? NULL : json_read(contacts, strlen(contacts), &error);
	Contacts known;

	contacts_read(list, &known);
	ck_assert_ptr_nonnull(object);
	jid[0] = '\0';
	if (person_read(object, "from", "from_user_id", &known, person))
		person_jid(person, jid);
	person->name = person->name == NULL ? NULL : "named";
	person->username = person->username == NULL ? NULL : "called";
	json_read_free(object);
	json_read_free(list);
	return jid;
}

START_TEST(a_number_is_the_address_if_it_is_known)
{
	Person person;

	ck_assert_str_eq(sender("{\"from\":\"15550001111\"}", NULL, &person),
					 "15550001111@s.whatsapp.net");
	ck_assert_str_eq(sender("{\"from\":15550001111,\"from_user_id\":\"US.1000\"}", NULL, &person),
					 "15550001111@s.whatsapp.net");
	ck_assert_str_eq(person.user_id, "US.1000");
	ck_assert_str_eq(sender("{\"from\":\"+1 555 000-1111\"}", NULL, &person),
					 "15550001111@s.whatsapp.net");
}
END_TEST

START_TEST(a_person_without_a_number_has_the_address_of_the_user_id)
{
	Person person;

	ck_assert_str_eq(sender("{\"from_user_id\":\"US.1000200030004000\"}", NULL, &person),
					 "US.1000200030004000@bsuid");
	ck_assert_str_eq(sender("{\"from\":\"BR.a1B2\"}", NULL, &person), "BR.a1B2@bsuid");
	ck_assert_str_eq(person.phone, "");
	ck_assert_str_eq(sender("{\"from_user_id\":\"US.ENT.77\"}", NULL, &person), "US.ENT.77@bsuid");
}
END_TEST

START_TEST(contacts_are_found_by_number_or_user_id_and_not_by_their_place)
{
	Person person;

	sender("{\"from_user_id\":\"US.2\"}",
		   "[{\"profile\":{\"name\":\"a\"},\"user_id\":\"US.1\"},"
		   "{\"profile\":{\"name\":\"b\",\"username\":\"b.b\"},\"user_id\":\"US.2\","
		   "\"wa_id\":\"15550002222\"}]",
		   &person);
	ck_assert_str_eq(person.phone, "15550002222");
	ck_assert_ptr_nonnull(person.name);
	ck_assert_ptr_nonnull(person.username);
	sender("{\"from\":\"15550003333\"}",
		   "[{\"profile\":{\"name\":\"a\"},\"wa_id\":\"15550001111\"}]", &person);
	ck_assert_ptr_null(person.name);
	sender("{\"from\":\"15550003333\"}", "[{\"wa_id\":\"15550003333\"}]", &person);
	ck_assert_ptr_null(person.name);
}
END_TEST

START_TEST(the_first_contact_of_a_person_counts)
{
	Person person;

	sender("{\"from\":\"15550002222\",\"from_user_id\":\"US.2\"}",
		   "[{\"user_id\":\"US.2\"},{\"profile\":{\"name\":\"b\"},\"wa_id\":\"15550002222\"}]",
		   &person);
	ck_assert_ptr_null(person.name);
	sender("{\"from\":\"15550002222\",\"from_user_id\":\"US.2\"}",
		   "[{\"profile\":{\"name\":\"b\"},\"wa_id\":\"15550002222\"},{\"user_id\":\"US.2\"}]",
		   &person);
	ck_assert_ptr_nonnull(person.name);
	sender("{\"from\":\"15550002222\"}",
		   "[{\"wa_id\":\"15550002222\",\"user_id\":\"US.1\"},"
		   "{\"wa_id\":\"15550002222\",\"user_id\":\"US.2\"}]",
		   &person);
	ck_assert_str_eq(person.user_id, "US.1");
}
END_TEST

START_TEST(what_names_nobody_is_refused)
{
	static const char *const nobody[] = {"{}",
										 "{\"from\":\"\"}",
										 "{\"from\":null}",
										 "{\"from\":\"123\"}",
										 "{\"from\":\"1234567890123456\"}",
										 "{\"from\":\"0155500011\"}",
										 "{\"from\":\"us.100\"}",
										 "{\"from\":\"US.\"}",
										 "{\"from\":\"US.1@g.us\"}",
										 "{\"from\":\"US.1.2\"}",
										 "{\"from\":\"US.ENT.\"}",
										 "{\"from\":\"15550001111@s.whatsapp.net\"}",
										 "{\"from\":{\"a\":1}}"};
	Person person;

	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
		ck_assert_msg(sender(nobody[i], NULL, &person)[0] == '\0', "%s", nobody[i]);
}
END_TEST

SUITE("cloud_person", a_number_is_the_address_if_it_is_known,
	  a_person_without_a_number_has_the_address_of_the_user_id,
	  contacts_are_found_by_number_or_user_id_and_not_by_their_place,
	  the_first_contact_of_a_person_counts, what_names_nobody_is_refused)
