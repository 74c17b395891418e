/*
 * vcard.h
 *		Writes a contact card (vCard, RFC 6350 and 2426) as the Graph API takes contacts.
 */
#ifndef CLOUD_VCARD_H
#define CLOUD_VCARD_H

#include "lib/json_write.h"

/*
 * Writes an object.  The name is shown, whatever the card says; it must not be empty.  Of the card
 * these are taken: N, TEL (with TYPE and waid), EMAIL, URL, ORG, TITLE and BDAY, at most
 * VCARD_VALUES_MAX of each kind.
 */
#define VCARD_VALUES_MAX 20
extern void vcard_write(const char *card, const char *name, JsonWriter *json);

#endif
