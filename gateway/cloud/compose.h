/*
 * compose.h
 *		Writes what is to be sent as the body of a request to the Graph API.
 */
#ifndef CLOUD_COMPOSE_H
#define CLOUD_COMPOSE_H

#include "lib/buffer.h"
#include "lib/json_read.h"

/* The most bytes of a body. */
#define COMPOSE_MAX (256 * 1024)

/* What is sent.  All texts are NUL-terminated; NULL: there is none. */
typedef struct Outgoing
{
	const char *id;   /* of the message, in the database; comes back in its statuses */
	const char *to;   /* a jid */
	const char *type; /* of a message, or "reaction" */
	const char *body; /* a text */
	const JsonValue *content;
	const char *quoted; /* Meta's id of the message that it answers */
	const char *target; /* Meta's id of the message that is reacted to */
	const char *emoji;  /* "": the reaction is taken back */
	bool has_mentions;
} Outgoing;

/* Appends the body.  NULL, or why it cannot be sent, a constant text. */
extern const char *compose_message(const Outgoing *outgoing, Buffer *out);

/* Appends the body that marks the message with Meta's id, and what came before, as read. */
extern bool compose_read(const char *message, Buffer *out);

#endif
