/*
 * person.c
 *		Who has written to a number, or is written to by it; see person.h.
 */
#include "cloud/person.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cloud/fields.h"

#define PHONE_MIN 7
#define COUNTRY_LEN 2 /* of a user id, before its point */

/* Copies the digits of a phone number, which may be written with a plus and spaces. */
static bool
read_phone(const char *text, char phone[PERSON_PHONE_MAX + 1])
{
	size_t len = 0;

	for (; *text != '\0'; text++)
	{
		if (strchr("+-() ", *text) != NULL)
			continue;
		if (!isdigit((unsigned char) *text) || len == PERSON_PHONE_MAX)
			break;
		phone[len++] = *text;
	}
	phone[len] = '\0';
	if (*text == '\0' && len >= PHONE_MIN && phone[0] != '0')
		return true;
	phone[0] = '\0';
	return false;
}

/* A country in two capital letters, a point, and then letters, digits and points. */
static bool
is_user_id(const char *text)
{
	if (!isupper((unsigned char) text[0]) || !isupper((unsigned char) text[1]) ||
		text[COUNTRY_LEN] != '.')
		return false;
	text += COUNTRY_LEN + 1;
	if (strncmp(text, "ENT.", 4) == 0)
		text += 4;
	if (*text == '\0')
		return false;
	while (isalnum((unsigned char) *text))
		text++;
	return *text == '\0';
}

/* Reads a name that may be of either kind: some notifications have a user id for the number. */
static void
read_name(const JsonValue *object, const char *name, Person *person)
{
	char text[PERSON_USER_ID_MAX + 1];

	if (!field_copy(object, name, text, sizeof(text)))
		return;
	if (is_user_id(text))
		memcpy(person->user_id, text, sizeof(text));
	else if (person->phone[0] == '\0')
		read_phone(text, person->phone);
}

static bool
is_same(const Person *one, const Person *other)
{
	return (one->phone[0] != '\0' && strcmp(one->phone, other->phone) == 0) ||
		   (one->user_id[0] != '\0' && strcmp(one->user_id, other->user_id) == 0);
}

/* Completes the person from the list of contacts, whose order says nothing. */
static void
read_contacts(const JsonValue *contacts, Person *person)
{
	for (size_t i = 0; i < json_read_count(contacts); i++)
	{
		const JsonValue *contact = json_read_element(contacts, i);
		const JsonValue *profile = json_read_member(contact, "profile");
		Person other = {.name = field_text(profile, "name"),
						.username = field_text(profile, "username")};

		read_name(contact, "wa_id", &other);
		read_name(contact, "user_id", &other);
		if (!is_same(person, &other))
			continue;
		if (person->phone[0] == '\0')
			memcpy(person->phone, other.phone, sizeof(other.phone));
		if (person->user_id[0] == '\0')
			memcpy(person->user_id, other.user_id, sizeof(other.user_id));
		person->name = other.name;
		person->username = other.username;
		return;
	}
}

bool
person_read(const JsonValue *object, const char *phone_name, const char *user_id_name,
			const JsonValue *contacts, Person *person)
{
	*person = (Person){.phone = ""};
	read_name(object, phone_name, person);
	read_name(object, user_id_name, person);
	read_contacts(contacts, person);
	return person->phone[0] != '\0' || person->user_id[0] != '\0';
}

void
person_jid(const Person *person, char jid[PERSON_JID_MAX])
{
	if (person->phone[0] != '\0')
		snprintf(jid, PERSON_JID_MAX, "%s@s.whatsapp.net", person->phone);
	else
		snprintf(jid, PERSON_JID_MAX, "%s@bsuid", person->user_id);
}
