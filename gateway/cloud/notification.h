/*
 * notification.h
 *		Reads a notification: what Meta posts when something has happened.
 *
 *	{"object": "whatsapp_business_account",
 *	 "entry": [{"id": ACCOUNT, "changes": [{"field": "messages", "value": {
 *		"metadata": {"phone_number_id": NUMBER}, "contacts": […],
 *		"messages": […], "statuses": […], "errors": […]}}]}]}
 *
 * One notification may be about several accounts and numbers.  Each message, status and error is
 * an *update*.  What cannot be understood is an update too, and its neighbours are read all the
 * same.
 */
#ifndef CLOUD_NOTIFICATION_H
#define CLOUD_NOTIFICATION_H

#include "cloud/person.h"
#include "lib/json_read.h"

/* Meta writes at most 3 MB. */
#define NOTIFICATION_BYTES_MAX (4 * 1024 * 1024)

/* Values and names: those of 1,000 updates, and many more. */
#define NOTIFICATION_VALUES_MAX 400000

/* Characters of the id of a number, an account or an app, all of which are digits. */
#define NOTIFICATION_ID_MAX 20

typedef enum UpdateKind
{
	UPDATE_MESSAGE, /* somebody has written */
	UPDATE_ECHO,    /* the owner of the number has written, on a phone */
	UPDATE_STATUS,  /* of a message that was sent */
	UPDATE_ERROR,   /* about the number */
	UPDATE_ACCOUNT, /* the account or the number is in another state */
	UPDATE_UNUSED,  /* something of which nothing is kept */
	UPDATE_UNKNOWN  /* something that is not understood */
} UpdateKind;

/* All of it is borrowed from the notification. */
typedef struct Update
{
	UpdateKind kind;
	const char *field;                     /* of the change; "" if there is none */
	char account[NOTIFICATION_ID_MAX + 1]; /* empty: none is named */
	char number[NOTIFICATION_ID_MAX + 1];  /* phone_number_id; empty: none is named */
	const Contacts *contacts;              /* of the change; NULL: there are none */
	const JsonValue *element; /* the message, status or error; else the value of the change */
} Update;

typedef void (*NotificationTake)(void *context, const Update *update);

/*
 * Replaces what the JSON reader refuses in a text: \u0000, halves of surrogate pairs, and bytes that
 * are not UTF-8.  A message may have them, and the others are not to be lost for it.  The length
 * stays.
 */
extern void notification_repair(char *body, size_t len);

/* Calls take() for each id of a number that stands in the body, in the order of the text. */
extern void
notification_numbers(const char *body, size_t len,
					 void (*take)(void *context, const char *number, size_t len), void *context);

/* Calls take() for each update in its order.  False: the root is no notification. */
extern bool notification_walk(const JsonValue *root, NotificationTake take, void *context);

#endif
