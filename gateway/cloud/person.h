/*
 * person.h
 *		Who has written to a number, or is written to by it.
 *
 * WhatsApp knows a person by a phone number, by a *user id* that is the person's for this business
 * only (US.1000200030004000), or by both.  People who have chosen a user name need not show their
 * number.  The address of a person is that of the number if it is known:
 *
 *	15550001111@s.whatsapp.net		US.1000200030004000@bsuid
 *
 * The database keeps both together, so that one person stays one chat (wa.connector_report()).
 */
#ifndef CLOUD_PERSON_H
#define CLOUD_PERSON_H

#include "lib/json_read.h"

#define PERSON_PHONE_MAX 15 /* digits of E.164 */
#define PERSON_USER_ID_MAX 140
#define PERSON_JID_MAX 160

typedef struct Person
{
	char phone[PERSON_PHONE_MAX + 1];     /* digits; empty: not known */
	char user_id[PERSON_USER_ID_MAX + 1]; /* empty: not known */
	const char *name;     /* that the person has chosen; borrowed, NULL: not known */
	const char *username; /* as name */
} Person;

/* Of one change; Meta names each person of its updates once, and has at most 1,000 of them. */
#define CONTACTS_MAX 1000

typedef struct ContactKey
{
	const char *key; /* a phone number or a user id */
	const Person *contact;
} ContactKey;

typedef struct ContactIndex
{
	ContactKey keys[CONTACTS_MAX]; /* sorted by the key, and then in the order of the contacts */
	size_t count;
} ContactIndex;

/* Whom "contacts" of a change names.  It borrows from the change, and must not be moved. */
typedef struct Contacts
{
	Person list[CONTACTS_MAX];
	size_t count;
	ContactIndex phones;
	ContactIndex user_ids;
} Contacts;

/* Reads the first CONTACTS_MAX of a list, so that each lookup is short.  NULL is an empty list. */
extern void contacts_read(const JsonValue *list, Contacts *contacts);

/*
 * Reads who is named by these members of an object, and what the contacts of the change (may be
 * NULL) say of the same person.  False: nobody is named.
 */
extern bool person_read(const JsonValue *object, const char *phone_name, const char *user_id_name,
						const Contacts *contacts, Person *person);

extern void person_jid(const Person *person, char jid[PERSON_JID_MAX]);

#endif
