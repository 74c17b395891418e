/*
 * identity.h
 *		Names that the sandbox gives: WhatsApp ids, phone numbers, QR codes.
 *
 * All of them are derived from the database's ids and nothing else.  Whoever works on
 * a message, this process, another one, or the same one after a crash, gives it the
 * same id on the WhatsApp side, and so a second delivery is recognized as the same
 * message instead of becoming a double.
 */
#ifndef SANDBOX_IDENTITY_H
#define SANDBOX_IDENTITY_H

#include "db/db.h"

#define UUID_TEXT_MAX 36     /* bytes of a uuid in text */
#define WA_MESSAGE_ID_MAX 36 /* "3EB0" and the uuid's 32 digits */
#define PHONE_NUMBER_MAX 15  /* digits of E.164 */
#define SANDBOX_JID_MAX 64
#define SANDBOX_QR_MAX 96
#define SANDBOX_REACTION "\xF0\x9F\x91\x8D" /* a thumb up */
#define SANDBOX_DEAD_PHONE "15550000000"    /* a message to it always fails */

/* An id of the database. */
typedef struct SandboxId
{
	uint8_t bytes[DB_UUID_SIZE];
	char text[UUID_TEXT_MAX + 1];
} SandboxId;

/* False: the cell is none. */
extern bool sandbox_read_id(const DbResult *result, int row, int column, SandboxId *id);

/* The id of an outgoing message, that of the answer to it, and of what is typed behind it. */
extern void sandbox_sent_id(const char *message, char out[WA_MESSAGE_ID_MAX + 1]);
extern void sandbox_echo_id(const char *message, char out[WA_MESSAGE_ID_MAX + 1]);
extern void sandbox_typed_id(const char *message, char out[WA_MESSAGE_ID_MAX + 1]);

/* The phone number of a session that has none yet; never SANDBOX_DEAD_PHONE. */
extern void sandbox_phone(const char *session, char out[PHONE_NUMBER_MAX + 1]);

/* The jid of a phone number. */
extern void sandbox_jid(const char *phone, char out[SANDBOX_JID_MAX]);

/* What a person would scan with the telephone. */
extern void sandbox_qr(const char *session, char out[SANDBOX_QR_MAX]);

/* Whether a message to this chat has to fail. */
extern bool sandbox_is_dead(const char *chat_jid);

/* Whether a text asks for a reaction: it has "react" in it, in any case of letters. */
extern bool sandbox_asks_reaction(const char *text);

/* Whether a text asks that the session's own phone writes too: "my phone", in any case. */
extern bool sandbox_asks_phone(const char *text);

/*
 * Who answers in a chat: the other side of a direct chat, an invented member of a
 * group.  The result is chat_jid or static.
 */
extern const char *sandbox_answerer(const char *chat_jid);

#endif
