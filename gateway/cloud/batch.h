/*
 * batch.h
 *		The reports of a notification: sorted by organization and turn, and cut into lists.
 *
 * A list is of one organization, and is one statement of the database and one commit.
 */
#ifndef CLOUD_BATCH_H
#define CLOUD_BATCH_H

#include "cloud/update_report.h"
#include "db/db.h"

/* In one list; other organizations wait for its end. */
#define BATCH_REPORTS_MAX 100

/* Bytes of all reports of a notification. */
#define BATCH_BYTES_MAX (16 * 1024 * 1024)

typedef struct BatchReport
{
	uint8_t org[DB_UUID_SIZE];
	UpdateTurn turn;
	int place; /* among all reports */
	size_t begin;
	size_t end;
} BatchReport;

typedef struct Batch
{
	Buffer text;
	JsonWriter json;
	BatchReport *reports;
	int count;
	int room;
	int given; /* in lists, from batch_next() */
	bool full;
} Batch;

extern void batch_init(Batch *batch);

/* Wipes and frees all of it. */
extern void batch_free(Batch *batch);

/*
 * Begins a report, whose members the caller writes into the object that is open.  NULL: as
 * batch_end().
 */
extern JsonWriter *batch_begin(Batch *batch, const uint8_t org[DB_UUID_SIZE], UpdateTurn turn);

/*
 * Ends the report.  False: there is no memory, and the batch is to be freed; or batch_is_full(),
 * and the report is left out.
 */
extern bool batch_end(Batch *batch);

/* Whether a report was left out because BATCH_BYTES_MAX was reached; then all others are too. */
extern bool batch_is_full(const Batch *batch);

/* Sorts the reports, before the first batch_next(). */
extern void batch_sort(Batch *batch);

/*
 * Writes the next list, a JSON array, whose organization is *org (borrowed).  Returns how many
 * reports it has: 0 if none is left, or -1 if it does not fit into the buffer.
 */
extern int batch_next(Batch *batch, const uint8_t **org, Buffer *list);

/* Leaves out what is left of the organization of the last list. */
extern void batch_pass_over(Batch *batch);

#endif
