/*
 * realtime_stage.c
 *		Sockets whose database and clients are the test's own.
 */
#include "tests/unit/realtime_stage.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "tests/unit/db_stage.h"

#define BATCH_COLUMNS 6
#define BATCH_ROWS_MAX 8

static Realtime realtime;
static uint8_t org[DB_UUID_SIZE];

/* ---- what the program's own would do ---- */

struct WebSocket
{
	StageSocket *noted;
};

bool
websocket_send(WebSocket *socket, const char *frames, size_t len)
{
	(void) frames;
	ck_assert_uint_gt(len, 0);
	socket->noted->sends++;
	return true;
}

size_t
websocket_queued(const WebSocket *socket)
{
	(void) socket;
	return 0;
}

void
websocket_close(WebSocket *socket, int code, const char *reason)
{
	(void) reason;
	ck_assert_int_eq(socket->noted->code, 0);
	socket->noted->code = code;
	socket->noted->member = NULL;
	free(socket);
}

/* ---- the whole ---- */

void
stage_start(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	realtime.base = event_base_new();
	realtime.reads_max = READS_PER_CONNECTION;
	realtime.statements.batch = db_statement_find("gateway", "realtime_batch");
	realtime.statements.close = db_statement_find("gateway", "realtime_close");
	realtime.statements.wait = db_statement_find("gateway", "event_wait");
	realtime.statements.knock = db_statement_find("gateway", "event_knock");
	for (int i = 0; i < HOLDER_LISTS; i++)
		TAILQ_INIT(&realtime.holders[i]);
	for (int i = 0; i < ORG_LISTS; i++)
		TAILQ_INIT(&realtime.orgs[i]);
	TAILQ_INIT(&realtime.unwatched);
	TAILQ_INIT(&realtime.due);
	TAILQ_INIT(&realtime.late);
	TAILQ_INIT(&realtime.forgets);
	buffer_init(&realtime.frames, FRAMES_MAX);
	realtime.late_tick = event_new(realtime.base, -1, EV_PERSIST, feeds_on_late_tick, &realtime);
	realtime.waiting = waiting_create(&realtime);
	stage_enter(1);
}

void
stage_stop(void)
{
	members_close_all(&realtime, WEBSOCKET_GOING_AWAY, "");
	forgets_free(&realtime);
	waiting_free(realtime.waiting);
	ck_assert_int_eq(realtime.sockets, 0);
	ck_assert_int_eq(realtime.reads, 0);
	ck_assert_int_eq(db_stage_count(), 0);
	event_free(realtime.late_tick);
	event_base_free(realtime.base);
	buffer_free(&realtime.frames);
}

/* ---- clients ---- */

void
stage_enter(uint8_t number)
{
	org[0] = number;
}

void
stage_open(StageSocket *socket, const char *credential, uint8_t holder, bool is_key,
		   const char *types, int64_t ends_ms)
{
	Identity identity = {
		.holder = {holder}, .is_key = is_key, .expires_ms = clock_wall_ms() + ends_ms};
	Filter filter = {.types = types == NULL ? NULL : strdup(types)};
	Place place = {.epoch = 1};

	memcpy(identity.org, org, sizeof(org));
	strcpy(identity.credential, credential);
	*socket = (StageSocket){.member = member_create(&realtime, &identity, &filter, &place)};
	ck_assert_ptr_nonnull(socket->member);
	socket->member->socket = malloc(sizeof(*socket->member->socket));
	socket->member->socket->noted = socket;
	member_join(socket->member);
}

void
stage_open_live(StageSocket *socket, const char *credential, const char *types)
{
	stage_open(socket, credential, 1, true, types, STAGE_FOR_LONG);
	stage_settle();
}

void
stage_leave(StageSocket *socket)
{
	Member *member = socket->member;

	free(member->socket);
	socket->member = NULL;
	member_events.closed(member, WEBSOCKET_NO_CODE, "");
}

void
stage_wake(void)
{
	org_wake(org_find(&realtime, org));
	feeds_run(&realtime);
}

/* ---- reads ---- */

const char *
stage_reader(void)
{
	static char credential[CREDENTIAL_SIZE];
	const DbRequest *request = db_stage_find("realtime_batch");

	if (request == NULL)
		return NULL;
	memcpy(credential, request->credential, request->credential_length);
	credential[request->credential_length] = '\0';
	return credential;
}

/* When the reader's credential ends, as the database would say it. */
static DbStageCell
reader_ends(void)
{
	static uint8_t bytes[8];
	const Feed *feed = db_stage_find("realtime_batch")->arg;
	int64_t us = feed->reader == NULL ? 0 : feed->reader->expires_ms * 1000;

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t) ((us - DB_EPOCH_DIFFERENCE_US) >> (56 - 8 * i));
	return (DbStageCell){bytes, sizeof(bytes)};
}

void
stage_answer_events(int count)
{
	static uint8_t ids[BATCH_ROWS_MAX][DB_UUID_SIZE];
	static const uint8_t epoch[4] = {0, 0, 0, 1};
	static const uint8_t ordinal[8] = {0};
	DbStageCell cells[BATCH_ROWS_MAX * BATCH_COLUMNS];

	ck_assert_int_lt(count, BATCH_ROWS_MAX);
	for (int i = 0; i <= count; i++)
	{
		DbStageCell *cell = &cells[i * BATCH_COLUMNS];

		ids[i][DB_UUID_SIZE - 1] = (uint8_t) i;
		cell[0] = (DbStageCell){ids[i], DB_UUID_SIZE};
		cell[1] = (DbStageCell){i == 0 ? NULL : "{}", 2};
		cell[2] = (DbStageCell){epoch, sizeof(epoch)};
		cell[3] = (DbStageCell){ordinal, sizeof(ordinal)};
		cell[4] = (DbStageCell){"\0", 1};
		cell[5] = (DbStageCell){NULL, 0};
	}
	cells[BATCH_COLUMNS - 1] = reader_ends();
	db_stage_answer_rows("realtime_batch", count + 1, BATCH_COLUMNS, cells);
}

void
stage_settle(void)
{
	while (stage_reader() != NULL)
		stage_answer_events(0);
}

void
stage_refuse(const char *sqlstate)
{
	db_stage_refuse("realtime_batch", DB_REFUSED, sqlstate);
}
