/*
 * update_report.h
 *		Makes the report of an update, which the database takes (wa.connector_report()).
 *
 * Reports of one notification are sorted by their *turn*, whatever their order in it was: Meta
 * keeps none.  So reports of one kind follow each other, which the database takes at once, and a
 * reaction comes after the message that it is about.
 */
#ifndef CLOUD_UPDATE_REPORT_H
#define CLOUD_UPDATE_REPORT_H

#include "cloud/notification.h"
#include "lib/json_write.h"

typedef enum UpdateTurn
{
	UPDATE_TURN_SENT, /* WhatsApp has a message that we may not know it has */
	UPDATE_TURN_DELIVERED,
	UPDATE_TURN_READ,
	UPDATE_TURN_PLAYED,
	UPDATE_TURN_FAILED,
	UPDATE_TURN_RECEIVED,
	UPDATE_TURN_CHANGED /* reactions, edits and revocations */
} UpdateTurn;

/* How an update becomes a report. */
typedef struct UpdateReport
{
	UpdateTurn turn;
	/* Writes the members into an object that is open; the session is the text of its id. */
	void (*write)(const Update *update, const char *session, int64_t now_ms, JsonWriter *json);
} UpdateReport;

typedef enum UpdateOutcome
{
	UPDATE_REPORTED,
	UPDATE_DROPPED,       /* nothing has to be reported of it */
	UPDATE_NOT_UNDERSTOOD /* it lacks what a report needs */
} UpdateOutcome;

/* Sets the report if the update is reported. */
extern UpdateOutcome update_report(const Update *update, UpdateReport *report);

#endif
