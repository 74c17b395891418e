/*
 * card.h
 *		Writes a contact card that was received as a vCard (RFC 2426).
 */
#ifndef CLOUD_CARD_H
#define CLOUD_CARD_H

#include "lib/json_read.h"

#define CARD_BYTES_MAX 16384 /* what the API takes of a card that is sent */

/* The name that a card shows; "" if it has none.  Borrowed from the card. */
extern const char *card_name(const JsonValue *card);

/*
 * Appends the card: name, telephones, mail addresses, company and title.  A card that came as a
 * vCard is passed as it is.  False: it does not fit.
 */
extern bool card_write(const JsonValue *card, Buffer *out);

#endif
