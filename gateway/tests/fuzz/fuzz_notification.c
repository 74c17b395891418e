/*
 * fuzz_notification.c
 *		A notification is read without loss: the repair changes no length, makes valid UTF-8, and
 *		hides nothing from the reader; each report that is made of it is JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "cloud/batch.h"
#include "cloud/notification.h"
#include "cloud/signature.h"
#include "lib/utf8.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS INT64_C(1790000000000)

static void
note_number(void *context, const char *number, size_t len)
{
	(void) context;
	FUZZ_ASSERT(len > 0 && len <= NOTIFICATION_ID_MAX && number[0] >= '0' && number[0] <= '9');
}

static void
take(void *context, const Update *update)
{
	static const uint8_t org[DB_UUID_SIZE];
	UpdateReport report;
	Batch *batch = context;
	JsonWriter *json;

	if (batch->text.failed || update_report(update, &report) != UPDATE_REPORTED)
		return;
	json = batch_begin(batch, org, report.turn);
	FUZZ_ASSERT(json != NULL);
	report.write(update, "session", NOW_MS, json);
	batch_end(batch);
}

static void
read_lists(Batch *batch)
{
	const uint8_t *org;
	JsonReadError error;
	Buffer list;

	batch_sort(batch);
	buffer_init(&list, BATCH_BYTES_MAX);
	while (!batch->text.failed && batch_next(batch, &org, &list) > 0)
	{
		JsonValue *read = json_read_many(list.data, list.len, NOTIFICATION_VALUES_MAX, &error);

		FUZZ_ASSERT(read != NULL);
		json_read_free(read);
		buffer_clear(&list);
	}
	buffer_free(&list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *body = malloc(len + 1);
	uint8_t signature[SIGNATURE_SIZE];
	JsonReadError error;
	JsonValue *root;
	Batch batch;

	FUZZ_ASSERT(body != NULL);
	memcpy(body, data, len);
	body[len] = '\0';
	signature_read(body, len, signature);
	notification_numbers(body, len, note_number, NULL);
	notification_repair(body, len);
	FUZZ_ASSERT(utf8_valid(body, len));
	root = json_read(body, len, &error);
	batch_init(&batch);
	if (root != NULL && notification_walk(root, take, &batch))
		read_lists(&batch);
	batch_free(&batch);
	json_read_free(root);
	free(body);
	return 0;
}
