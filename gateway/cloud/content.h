/*
 * content.h
 *		What a received message carries, as our messages name it.
 *
 * The type, the text and the file of a message are members of its report.  All else is in its
 * `content`:
 *
 *	location		latitude, longitude, name, address, url
 *	contact			contact {displayName, vcard}: the first card; contacts: all, as Meta writes them
 *	text			choice {type, id, title, …}: a button, a row of a list or a form was the answer
 *	audio, sticker	voice, animated: true
 *	order			order, as Meta writes it
 *	system			system, as Meta writes it
 *	unsupported		unsupported: the type that it is; errors; message: all of it, if the type is unknown
 *	any				referral: the advertisement that led to it; referredProduct; frequentlyForwarded
 */
#ifndef CLOUD_CONTENT_H
#define CLOUD_CONTENT_H

#include "lib/json_read.h"
#include "lib/json_write.h"

typedef struct Content
{
	const char *type;       /* of ours; a constant */
	const char *body;       /* NULL: there is no text; borrowed */
	const JsonValue *media; /* the object of a file, NULL: there is none */
	const struct ContentKind *kind;
} Content;

/* Reads a message.  What is not understood becomes `unsupported`. */
extern void content_read(const JsonValue *message, Content *content);

/* Writes the member `content`, if there is any, and `media`, if there is a file. */
extern void content_write(const Content *content, const JsonValue *message, JsonWriter *json);

#endif
