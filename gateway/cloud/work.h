/*
 * work.h
 *		What is known of a message or an action that was claimed.
 */
#ifndef CLOUD_WORK_H
#define CLOUD_WORK_H

#include "cloud/compose.h"
#include "connector/id.h"

typedef enum WorkKind
{
	WORK_MESSAGE,
	WORK_ACTION,
	WORK_KINDS
} WorkKind;

typedef enum WorkDeed
{
	WORK_SEND,      /* something new: a message, or the copy that a forward makes */
	WORK_REACT,     /* a reaction: sending it again changes nothing */
	WORK_READ,      /* marks messages as read */
	WORK_IMPOSSIBLE /* the Cloud API cannot do it */
} WorkDeed;

typedef struct Work
{
	WorkKind kind;
	WorkDeed deed;
	ConnectorId org;
	ConnectorId id;
	ConnectorId session;
	int64_t attempt;
	bool maybe_sent;
	Outgoing outgoing; /* its texts are owned */
	JsonValue *content;
	char opaque[UUID_TEXT_MAX + 1]; /* the message that is sent; "": none */
} Work;

/* Reads a row of claim.sql or actions.sql.  False: it is none, or memory is out; nothing is kept. */
extern bool work_read(Work *work, WorkKind kind, const DbResult *result, int row);

extern void work_free(Work *work);

#endif
