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

Realtime *stage_realtime;
static uint8_t org[DB_UUID_SIZE];
static Position position;

/* ---- what the program's own would do ---- */

struct WebSocket
{
	StageSocket *noted;
};

static WebSocket *
make_socket(StageSocket *noted, Member *member)
{
	WebSocket *socket = malloc(sizeof(*socket));

	noted->member = member;
	socket->noted = noted;
	return socket;
}

/* It is not its owner's any more. */
static void
end_socket(WebSocket *socket, int code)
{
	ck_assert_int_eq(socket->noted->code, 0);
	socket->noted->code = code;
	socket->noted->member = NULL;
	free(socket);
}

WebSocket *
websocket_accept(HttpRequest *request, const WebSocketEvents *events, void *owner)
{
	StageRequest *asked = (StageRequest *) request;

	ck_assert_ptr_eq(events, &member_events);
	asked->answers++;
	return asked->is_refused ? NULL : make_socket(&asked->socket, owner);
}

/* What the frames carry; of a long one only that it is there. */
static void
note_texts(StageSocket *noted, const char *frames, size_t len)
{
	for (size_t at = 0; at < len;)
	{
		size_t size = (uint8_t) frames[at + 1];
		size_t head = size < 126 ? 2 : size == 126 ? 4 : 10;
		size_t room = sizeof(noted->got) - strlen(noted->got) - 1;

		if (size >= 126)
		{
			size = 0;
			for (size_t i = 2; i < head; i++)
				size = size << 8 | (uint8_t) frames[at + i];
		}
		strncat(noted->got, frames + at + head, size < room ? size : room);
		at += head + size;
	}
}

bool
websocket_send(WebSocket *socket, const char *frames, size_t len)
{
	ck_assert_uint_gt(len, 0);
	if (socket->noted->breaks)
	{
		end_socket(socket, WEBSOCKET_SLOW_READER);
		return false;
	}
	socket->noted->sends++;
	note_texts(socket->noted, frames, len);
	return true;
}

size_t
websocket_queued(const WebSocket *socket)
{
	return socket->noted->queued;
}

void
websocket_close(WebSocket *socket, int code, const char *reason)
{
	(void) reason;
	end_socket(socket, code);
}

void
http_respond_error(HttpRequest *request, const HttpError *error, const HttpDetail *details,
				   size_t n_details, const HttpHeader *headers, size_t n_headers)
{
	StageRequest *asked = (StageRequest *) request;

	(void) headers;
	(void) n_headers;
	asked->answers++;
	asked->status = error->status;
	snprintf(asked->detail, sizeof(asked->detail), "%s", n_details == 0 ? "" : details[0].name);
	if (n_details > 0)
		snprintf(asked->detail_text, sizeof(asked->detail_text), "%s", details[0].text);
}

void
http_request_on_gone(HttpRequest *request, HttpGone gone, void *context)
{
	StageRequest *asked = (StageRequest *) request;

	asked->gone = gone;
	asked->gone_context = context;
}

void
http_request_set_key(HttpRequest *request, const char *key_id)
{
	(void) request;
	ck_assert_int_gt(strlen(key_id), 4);
}

void
http_request_set_rate(HttpRequest *request, int per_minute, int left, int full_in)
{
	(void) request;
	(void) per_minute;
	(void) left;
	(void) full_in;
}

void
http_request_set_denied(HttpRequest *request, const char *reason)
{
	(void) request;
	(void) reason;
}

HttpText
http_request_client(const HttpRequest *request, char room[HTTP_CLIENT_MAX])
{
	(void) request;
	strcpy(room, "192.0.2.7");
	return (HttpText){room, strlen(room)};
}

const HttpText *
http_request_parameter(const HttpRequest *request, const char *name, size_t *count)
{
	const HttpText *found = NULL;

	*count = 0;
	for (size_t i = 0; i < request->n_parameters; i++)
	{
		if (strcmp(request->parameters[i].name.data, name) == 0)
		{
			found = &request->parameters[i].value;
			++*count;
		}
	}
	return found;
}

/* ---- the whole ---- */

void
stage_start(void)
{
	const RealtimeConfig config = {
		.db = {.role = "gateway", .connections = 1},
		.timeout_ms = 1000,
		.heartbeat_ms = 20000,
		.sockets_max = STAGE_SOCKETS_MAX,
		.key_sockets_max = STAGE_KEY_SOCKETS_MAX,
	};

	log_set_level(LOG_LEVEL_ERROR + 1);
	stage_realtime = realtime_open(event_base_new(), NULL, &config);
	ck_assert_ptr_nonnull(stage_realtime);
	stage_enter(1);
	stage_begin_behind(0);
}

void
stage_end(void)
{
	struct event_base *base = stage_realtime->base;

	realtime_free(stage_realtime);
	stage_realtime = NULL;
	ck_assert_int_eq(db_stage_count(), 0);
	event_base_free(base);
}

void
stage_stop(void)
{
	db_stage_is_full = false;
	members_close_all(stage_realtime, WEBSOCKET_GOING_AWAY, "");
	ck_assert_int_eq(stage_realtime->sockets, 0);
	ck_assert_int_eq(stage_realtime->reads, 0);
	stage_end();
}

/* ---- clients ---- */

void
stage_enter(uint8_t number)
{
	org[0] = number;
}

void
stage_begin_behind(char event)
{
	position = (Position){.epoch = 1, .ordinal = event, .id[DB_UUID_SIZE - 1] = event == 0 ? 0 : 1};
}

void
stage_open(StageSocket *socket, const char *credential, uint8_t holder, bool is_key,
		   const char *types, int64_t ends_ms)
{
	Identity identity = {
		.holder = {holder}, .is_key = is_key, .expires_ms = clock_wall_ms() + ends_ms};
	Filter filter = {.types = types == NULL ? NULL : strdup(types)};
	memcpy(identity.org, org, sizeof(org));
	strcpy(identity.credential, credential);
	*socket = (StageSocket){.member = member_create(stage_realtime, &identity, &filter, &position)};
	ck_assert_ptr_nonnull(socket->member);
	socket->member->socket = make_socket(socket, socket->member);
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
	org_wake(org_find(stage_realtime, org));
	feeds_run(stage_realtime);
}

/* ---- reads ---- */

const char *
stage_reader(void)
{
	static char credential[CREDENTIAL_SIZE];
	const DbRequest *request = db_stage_find("realtime_batch");

	if (request == NULL)
		return NULL;
	memcpy(credential, request->credential, request->credential_len);
	credential[request->credential_len] = '\0';
	return credential;
}

const char *
stage_param(const char *statement, int number, int *len)
{
	const DbRequest *request = db_stage_find(statement);
	const char *at;

	ck_assert_ptr_nonnull(request);
	ck_assert_int_lt(number, request->params);
	at = request->bytes.data;
	for (int i = 0; i < number; i++)
		at += request->lengths[i] < 0 ? 0 : request->lengths[i];
	*len = request->lengths[number];
	return *len < 0 ? NULL : at;
}

int
stage_read_from(void)
{
	int len;
	const char *ordinal = stage_param("realtime_batch", 1, &len);

	ck_assert_int_eq(len, 8);
	return (uint8_t) ordinal[7];
}

/* When the reader's credential ends, as the database would say it; null: never. */
static DbStageCell
reader_ends(void)
{
	static uint8_t bytes[8];
	const Feed *feed = db_stage_find("realtime_batch")->arg;
	int64_t ends_ms = feed->reader == NULL ? 0 : feed->reader->expires_ms;
	int64_t us;

	if (ends_ms == INT64_MAX)
		return (DbStageCell){NULL, 0};
	us = ends_ms * 1000 - DB_EPOCH_DIFFERENCE_US;
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t) (us >> (56 - 8 * i));
	return (DbStageCell){bytes, sizeof(bytes)};
}

/* A row of a page: an event, or with no envelope the position below which all can be read. */
static void
set_row(DbStageCell cells[BATCH_COLUMNS], int ordinal, DbStageCell envelope, bool more)
{
	static const uint8_t epoch[4] = {0, 0, 0, 1};
	static uint8_t ordinals[256][8];
	static const uint8_t no_event[DB_UUID_SIZE] = {0};
	static const uint8_t event[DB_UUID_SIZE] = {[DB_UUID_SIZE - 1] = 1};

	ordinals[ordinal][7] = (uint8_t) ordinal;
	cells[0] = (DbStageCell){envelope.bytes == NULL ? no_event : event, DB_UUID_SIZE};
	cells[1] = envelope;
	cells[2] = (DbStageCell){epoch, sizeof(epoch)};
	cells[3] = (DbStageCell){ordinals[ordinal], 8};
	cells[4] = (DbStageCell){more ? "\1" : "\0", 1};
	cells[5] = (DbStageCell){NULL, 0};
}

void
stage_answer_page(const StagePage *page)
{
	int count = page->events == NULL ? 0 : (int) strlen(page->events);
	int last = count == 0 ? stage_read_from() - 1 : page->events[count - 1];
	DbStageCell *cells = calloc((size_t) (count + 1) * BATCH_COLUMNS, sizeof(*cells));

	set_row(cells, last + 1, (DbStageCell){NULL, 0}, page->pending);
	if (count == 0)
		cells[0].bytes = stage_param("realtime_batch", 2, &cells[0].len);
	cells[BATCH_COLUMNS - 1] = reader_ends();
	for (int i = 0; i < count; i++)
		set_row(cells + (i + 1) * BATCH_COLUMNS, page->events[i],
				page->envelope.bytes == NULL ? (DbStageCell){&page->events[i], 1} : page->envelope,
				page->full && i == count - 1);
	db_stage_answer_rows("realtime_batch", count + 1, BATCH_COLUMNS, cells);
	free(cells);
}

void
stage_answer_events(int count)
{
	char events[8] = "";

	ck_assert_uint_lt((size_t) count, sizeof(events));
	memset(events, stage_read_from() + 1, (size_t) count);
	stage_answer_page(&(StagePage){.events = events});
}

void
stage_settle(void)
{
	while (stage_reader() != NULL)
		stage_answer_page(&(StagePage){.events = NULL});
}

void
stage_refuse(const char *sqlstate)
{
	db_stage_refuse("realtime_batch", DB_REFUSED, sqlstate);
}

void
stage_refuse_permission(const char *statement, const char *permission)
{
	const DbResult result = {.outcome = DB_REFUSED,
							 .sqlstate = "42501",
							 .message = "",
							 .detail = "",
							 .column = "",
							 .constraint = permission};

	db_stage_answer(statement, &result);
}
