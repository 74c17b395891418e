/*
 * identity.h
 *		The sandbox's WhatsApp ids, phone numbers and QR codes.
 *
 * All of them are derived from the database's ids only.  Therefore every process that works
 * on a message gives it the same WhatsApp id: this process, another one, or the same one
 * after a crash.  A second delivery is then recognized as the same message, and no
 * duplicate appears.
 */
#ifndef SANDBOX_IDENTITY_H
#define SANDBOX_IDENTITY_H

#include "connector/id.h"

#define WA_MESSAGE_ID_MAX 36 /* "3EB0" and the uuid's 32 digits */
#define PHONE_NUMBER_MAX 15  /* digits of E.164 */
#define SANDBOX_JID_MAX 64
#define SANDBOX_QR_MAX 96
#define SANDBOX_REACTION "\xF0\x9F\x91\x8D" /* thumbs up */
#define SANDBOX_DEAD_PHONE "15550000000"    /* messages to this number always fail */

/*
 * The ids of an outgoing message, of the answer to it, and of the message typed on the
 * phone after it.
 */
extern void sandbox_sent_id(const char *message, char out[WA_MESSAGE_ID_MAX + 1]);
extern void sandbox_echo_id(const char *message, char out[WA_MESSAGE_ID_MAX + 1]);
extern void sandbox_typed_id(const char *message, char out[WA_MESSAGE_ID_MAX + 1]);

/* The phone number for a session that has none yet; never SANDBOX_DEAD_PHONE. */
extern void sandbox_phone(const char *session, char out[PHONE_NUMBER_MAX + 1]);

/* The jid of a phone number. */
extern void sandbox_jid(const char *phone, char out[SANDBOX_JID_MAX]);

/* The text of the QR code that a person would scan with the phone. */
extern void sandbox_qr(const char *session, char out[SANDBOX_QR_MAX]);

/* Whether messages to this chat have to fail. */
extern bool sandbox_is_dead(const char *chat_jid);

/* Whether a text asks for a reaction: it contains "react", in upper or lower case. */
extern bool sandbox_asks_reaction(const char *text);

/*
 * Whether a text asks that the session's own phone writes too: it contains "my phone", in
 * upper or lower case.
 */
extern bool sandbox_asks_phone(const char *text);

/*
 * The sender of the answers in a chat: the other side of a direct chat, or an invented
 * member of a group.  The result is chat_jid or static.
 */
extern const char *sandbox_answerer(const char *chat_jid);

#endif
