/*
 * person.c
 *		Who has written to a number, or is written to by it; see person.h.
 */
#include "cloud/person.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- contacts ---- */

static void
add_key(ContactIndex *index, const char *key, const Person *contact)
{
	if (key[0] != '\0')
		index->keys[index->count++] = (ContactKey){key, contact};
}

static int
compare_keys(const void *one, const void *other)
{
	const ContactKey *a = one;
	const ContactKey *b = other;
	int by_key = strcmp(a->key, b->key);

	if (by_key != 0)
		return by_key;
	return a->contact < b->contact ? -1 : 1;
}

static void
sort_keys(ContactIndex *index)
{
	if (index->count > 0)
		qsort(index->keys, index->count, sizeof(index->keys[0]), compare_keys);
}

/* The first contact with this key, or NULL. */
static const Person *
find_key(const ContactIndex *index, const char *key)
{
	size_t low = 0;
	size_t high = index->count;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (strcmp(index->keys[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == index->count || strcmp(index->keys[low].key, key) != 0)
		return NULL;
	return index->keys[low].contact;
}

void
contacts_read(const JsonValue *list, Contacts *contacts)
{
	size_t count = json_read_count(list);

	contacts->count = count < CONTACTS_MAX ? count : CONTACTS_MAX;
	contacts->phones.count = 0;
	contacts->user_ids.count = 0;
	for (size_t i = 0; i < contacts->count; i++)
	{
		const JsonValue *element = json_read_element(list, i);
		const JsonValue *profile = json_read_member(element, "profile");
		Person *contact = &contacts->list[i];

		*contact = (Person){.name = field_text(profile, "name"),
							.username = field_text(profile, "username")};
		read_name(element, "wa_id", contact);
		read_name(element, "user_id", contact);
		add_key(&contacts->phones, contact->phone, contact);
		add_key(&contacts->user_ids, contact->user_id, contact);
	}
	sort_keys(&contacts->phones);
	sort_keys(&contacts->user_ids);
}

/* The first contact that is the same person, or NULL. */
static const Person *
find_contact(const Contacts *contacts, const Person *person)
{
	const Person *by_phone = find_key(&contacts->phones, person->phone);
	const Person *by_user_id = find_key(&contacts->user_ids, person->user_id);

	if (by_phone == NULL || (by_user_id != NULL && by_user_id < by_phone))
		return by_user_id;
	return by_phone;
}

/* Completes the person by the contacts, whose order says nothing. */
static void
complete(const Contacts *contacts, Person *person)
{
	const Person *contact = find_contact(contacts, person);

	if (contact == NULL)
		return;
	if (person->phone[0] == '\0')
		memcpy(person->phone, contact->phone, sizeof(contact->phone));
	if (person->user_id[0] == '\0')
		memcpy(person->user_id, contact->user_id, sizeof(contact->user_id));
	person->name = contact->name;
	person->username = contact->username;
}

bool
person_read(const JsonValue *object, const char *phone_name, const char *user_id_name,
			const Contacts *contacts, Person *person)
{
	*person = (Person){.phone = ""};
	read_name(object, phone_name, person);
	read_name(object, user_id_name, person);
	if (contacts != NULL)
		complete(contacts, person);
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
