/*
 * batch.c
 *		The reports of a notification, sorted and cut into lists; see batch.h.
 */
#include "cloud/batch.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 16

/* No report is added to a list that is longer than this. */
#define LIST_BYTES_MAX (1024 * 1024)

void
batch_init(Batch *batch)
{
	*batch = (Batch){.reports = NULL};
	buffer_init(&batch->text, BATCH_BYTES_MAX);
}

void
batch_free(Batch *batch)
{
	buffer_free(&batch->text);
	free(batch->reports);
	batch_init(batch);
}

static bool
make_room(Batch *batch)
{
	int room = batch->room == 0 ? FIRST_ROOM : 2 * batch->room;
	BatchReport *reports;

	if (batch->count < batch->room)
		return true;
	reports = realloc(batch->reports, (size_t) room * sizeof(*reports));
	if (reports == NULL)
		return false;
	batch->reports = reports;
	batch->room = room;
	return true;
}

JsonWriter *
batch_begin(Batch *batch, const uint8_t org[DB_UUID_SIZE], UpdateTurn turn)
{
	BatchReport *report;

	if (batch->full || !make_room(batch))
		return NULL;
	report = &batch->reports[batch->count];
	*report = (BatchReport){.turn = turn, .place = batch->count, .begin = batch->text.len};
	memcpy(report->org, org, DB_UUID_SIZE);
	json_write_init(&batch->json, &batch->text);
	json_write_object_begin(&batch->json);
	return &batch->json;
}

/* One report is shorter than this. */
#define REPORT_BYTES_MAX (8 * 1024 * 1024)

bool
batch_end(Batch *batch)
{
	BatchReport *report = &batch->reports[batch->count];

	json_write_object_end(&batch->json);
	if (!json_write_done(&batch->json))
	{
		batch->full = report->begin > BATCH_BYTES_MAX - REPORT_BYTES_MAX;
		return false;
	}
	report->end = batch->text.len;
	batch->count++;
	return true;
}

bool
batch_is_full(const Batch *batch)
{
	return batch->full;
}

static int
compare(const void *one, const void *other)
{
	const BatchReport *a = one;
	const BatchReport *b = other;
	int by_org = memcmp(a->org, b->org, DB_UUID_SIZE);

	if (by_org != 0)
		return by_org;
	if (a->turn != b->turn)
		return a->turn < b->turn ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

void
batch_sort(Batch *batch)
{
	if (batch->count > 0)
		qsort(batch->reports, (size_t) batch->count, sizeof(*batch->reports), compare);
}

int
batch_next(Batch *batch, const uint8_t **org, Buffer *list)
{
	int count = 0;

	if (batch->given == batch->count)
		return 0;
	*org = batch->reports[batch->given].org;
	buffer_append_char(list, '[');
	while (batch->given < batch->count && count < BATCH_REPORTS_MAX && list->len <= LIST_BYTES_MAX)
	{
		const BatchReport *report = &batch->reports[batch->given];

		if (memcmp(report->org, *org, DB_UUID_SIZE) != 0)
			break;
		if (count > 0)
			buffer_append_char(list, ',');
		buffer_append(list, batch->text.data + report->begin, report->end - report->begin);
		batch->given++;
		count++;
	}
	return buffer_append_char(list, ']') ? count : -1;
}

void
batch_pass_over(Batch *batch)
{
	const uint8_t *org;

	if (batch->given == 0)
		return;
	org = batch->reports[batch->given - 1].org;
	while (batch->given < batch->count &&
		   memcmp(batch->reports[batch->given].org, org, DB_UUID_SIZE) == 0)
		batch->given++;
}
