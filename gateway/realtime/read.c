/*
 * read.c
 *		One read of a feed: sends the request, then sends its events on or closes sockets.
 *
 * A read runs under the credential of one of the feed's members, the reader.  If it is
 * refused, only this credential is known to be invalid: it may have expired, or its socket
 * may have closed and given it back during the read.  All credentials of the feed depend on
 * the same key, though.  If another one is refused as well, the key is no longer valid.
 */
#include <string.h>

#include "api/sqlstate.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "realtime/read.h"
#include "realtime/notices.h"
#include "realtime/position.h"
#include "realtime/state.h"
#include "realtime/wanted.h"

/* The clocks of gateway and database may differ by this much. */
#define CLOCK_DIFFERENCE_MS 5000

/*
 * A key counts as no longer valid when this many credentials of its sockets are refused in
 * a row.
 */
#define REFUSED_OF_KEY 2

/* The columns of realtime_batch, and its first row, which is not an event. */
enum
{
	BATCH_ID,
	BATCH_ENVELOPE,
	BATCH_EPOCH,
	BATCH_ORDINAL,
	BATCH_MORE,
	BATCH_ENDS
};

/* The column of realtime_credential. */
#define CREDENTIAL_ENDS 0

#define BATCH_LIMIT 0
#define BATCH_EVENTS 1

/* The events that were read.  Their frames are one after the other in realtime->frames. */
typedef struct Batch
{
	int count;
	size_t offsets[READ_EVENTS_MAX];
	Position positions[READ_EVENTS_MAX];
	Position next; /* where the next read begins */
	bool full;     /* there may be more events, which did not fit */
	bool pending;  /* there are more events, which cannot be read yet */
} Batch;

static void on_read(void *arg, const DbResult *result);

/* ---- asking ---- */

/*
 * Chooses the member whose credential expires first, if one expires soon; otherwise the
 * first member.
 */
static Member *
choose_reader(const Feed *feed)
{
	Member *first = TAILQ_FIRST(&feed->members);
	Member *member;

	if (timer_is_open(&feed->expiry))
	{
		TAILQ_FOREACH(member, &feed->members, link)
		{
			first = member->expires_ms < first->expires_ms ? member : first;
		}
	}
	return first;
}

static bool
add_params(const Feed *feed, ReadKind kind, DbRequest *request)
{
	switch (kind)
	{
		case READ_EVENTS:
			return position_add(request, &feed->position) &&
				   filter_add_types(request, &feed->filter) &&
				   (feed->filter.has_session ? db_param_uuid(request, feed->filter.session)
											 : db_param_null(request));
		case READ_POSITION:
			return db_param_null(request);
		case READ_CREDENTIAL:
			break;
	}
	return true;
}

static ReadKind
kind_of_next(const Feed *feed)
{
	return feed->waits ? READ_CREDENTIAL : feed->restarts ? READ_POSITION : READ_EVENTS;
}

bool
read_start(Feed *feed)
{
	const Realtime *realtime = feed->realtime;
	const int statements[] = {
		[READ_EVENTS] = realtime->statements.batch,
		[READ_CREDENTIAL] = realtime->statements.credential,
		[READ_POSITION] = realtime->statements.start,
	};
	Member *reader = choose_reader(feed);
	ReadKind kind = kind_of_next(feed);
	DbRequest *request =
		db_request_new(statements[kind], DB_LANE_FAST, realtime->config.timeout_ms, on_read, feed);

	if (request == NULL ||
		!db_request_credential(request, reader->credential, strlen(reader->credential), NEEDS) ||
		!add_params(feed, kind, request))
	{
		db_request_free(request);
		return false;
	}
	db_request_address(request, reader->client, strlen(reader->client));
	if (!db_submit(realtime->db, request))
		return false;
	feed->request = request;
	feed->kind = kind;
	feed->reader = reader;
	feed->again = false;
	return true;
}

void
read_abandon(Feed *feed)
{
	if (feed->request != NULL)
	{
		db_abandon(feed->request);
		feed->request = NULL;
	}
}

/* ---- sending the events ---- */

/*
 * Reads a row: an event and its frame, or only the position of the next read; then the
 * batch is full.
 */
static bool
take_event(const DbResult *result, int row, Buffer *frames, Batch *batch)
{
	Position position;
	const char *envelope;
	size_t len;

	if (!position_read(result, row, BATCH_EPOCH, BATCH_ORDINAL, BATCH_ID, &position) ||
		!db_bool(result, row, BATCH_MORE, &batch->full))
		return false;
	if (batch->full)
		batch->next = position;
	if (db_is_null(result, row, BATCH_ENVELOPE))
		return batch->full;
	batch->positions[batch->count] = position;
	batch->offsets[batch->count] = frames->len;
	batch->count++;
	return db_text(result, row, BATCH_ENVELOPE, &envelope, &len) &&
		   websocket_frame_text(frames, envelope, len);
}

static bool
take_batch(const DbResult *result, Buffer *frames, Batch *batch)
{
	buffer_clear(frames);
	batch->count = 0;
	batch->full = false;
	if (result->rows < BATCH_EVENTS || result->rows > BATCH_EVENTS + READ_EVENTS_MAX ||
		!position_read(result, BATCH_LIMIT, BATCH_EPOCH, BATCH_ORDINAL, BATCH_ID, &batch->next) ||
		!db_bool(result, BATCH_LIMIT, BATCH_MORE, &batch->pending))
		return false;
	for (int row = BATCH_EVENTS; row < result->rows; row++)
		if (!take_event(result, row, frames, batch))
			return false;
	return true;
}

/* The first event of the batch that the member has not received. */
static int
first_for(Member *member, const Batch *batch)
{
	int first = 0;

	if (!member->skips)
		return 0;
	while (first < batch->count && position_compare(&batch->positions[first], &member->after) <= 0)
		first++;
	member->skips = position_compare(&batch->next, &member->after) < 0;
	return first;
}

static void
send_batch(Feed *feed, const Batch *batch)
{
	const Buffer *frames = &feed->realtime->frames;
	Member *next;

	for (Member *member = TAILQ_FIRST(&feed->members); member != NULL; member = next)
	{
		int first = first_for(member, batch);

		next = TAILQ_NEXT(member, link);
		if (first < batch->count)
		{
			member_send(member, frames->data + batch->offsets[first],
						frames->len - batch->offsets[first]);
		}
	}
}

/* Feeds that are catching up are not measured: they ask for old events. */
static void
observe_delay(const Feed *feed, const Batch *batch)
{
	const RealtimeConfig *config = &feed->realtime->config;
	int64_t now = clock_wall_ms();

	if (config->observe == NULL || !feed->live)
		return;
	for (int i = 0; i < batch->count; i++)
	{
		int64_t delay_ms = now - position_written_ms(&batch->positions[i]);

		config->observe(delay_ms > 0 ? delay_ms * 1000 : 0, config->observe_context);
	}
}

/* Sends the frames to all members. */
static void
tell_all(Feed *feed, const char *frames, size_t len)
{
	Member *next;

	for (Member *member = TAILQ_FIRST(&feed->members); member != NULL; member = next)
	{
		next = TAILQ_NEXT(member, link);
		member_send(member, frames, len);
	}
}

static void
close_all(Feed *feed, int code, const char *error, const char *reason)
{
	Member *member;

	while ((member = TAILQ_FIRST(&feed->members)) != NULL)
		member_close(member, code, error, reason);
}

/*
 * A feed that has read to the horizon becomes live, or its members move to the live feed.
 * Otherwise it reads on.  While it is catching up it waits until its member's queue is
 * empty, so a slow client does not fill memory.
 */
static void
go_on(Feed *feed, const Batch *batch)
{
	const Member *only = TAILQ_FIRST(&feed->members);

	if (batch->full)
	{
		feed->waits = !feed->live && websocket_queued(only->socket) > 0;
		if (!feed->waits)
			feed_wake(feed);
		return;
	}
	if (batch->pending)
		feed_retry(feed, batch->count > 0);
	else
		feed->retry_ms = 0;
	feed_settle(feed);
}

/*
 * The database says when the reader's credential expires; that time may have changed since
 * the socket was opened.
 */
static void
note_end(Feed *feed, const DbResult *result, int column)
{
	int64_t ends_ms = INT64_MAX;

	db_time_ms(result, 0, column, &ends_ms);
	if (feed->reader != NULL && feed->reader->expires_ms != ends_ms)
	{
		feed->reader->expires_ms = ends_ms;
		feed_watch_expiry(feed);
	}
}

static void
take_events(Feed *feed, const DbResult *result)
{
	Batch batch;

	if (!take_batch(result, &feed->realtime->frames, &batch))
	{
		log_line(LOG_LEVEL_ERROR, "events_unreadable", log_int("rows", result->rows));
		close_all(feed, WEBSOCKET_INTERNAL, NULL, "internal error");
		return;
	}
	note_end(feed, result, BATCH_ENDS);
	send_batch(feed, &batch);
	observe_delay(feed, &batch);
	feed->position = batch.next;
	if (!TAILQ_EMPTY(&feed->members))
		go_on(feed, &batch);
}

static void
take_position(Feed *feed, const DbResult *result)
{
	if (result->rows != 1 ||
		!position_read(result, 0, POSITION_EPOCH, POSITION_ORDINAL, POSITION_ID, &feed->position))
	{
		close_all(feed, WEBSOCKET_INTERNAL, NULL, "internal error");
		return;
	}
	feed->restarts = false;
	feed_wake(feed);
}

/* ---- refusals ---- */

static void
require_resync(Feed *feed)
{
	Buffer frame;
	Member *member;

	buffer_init(&frame, FRAMES_MAX);
	if (notice_resync_required(&frame))
		tell_all(feed, frame.data, frame.len);
	buffer_free(&frame);
	TAILQ_FOREACH(member, &feed->members, link)
	{
		member->skips = false;
	}
	feed->restarts = true;
	feed_wake(feed);
}

/*
 * Closes the reader's socket if it still exists.  If the key must be invalid, closes the
 * others too.  Otherwise the database is asked about the next member's credential.
 */
static void
end_reader(Feed *feed, const char *error, const char *reason)
{
	Member *reader = feed->reader;

	feed_wake(feed);
	if (reader == NULL)
		return;
	if (reader->expires_ms > clock_wall_ms() + CLOCK_DIFFERENCE_MS)
		feed->refused++;
	if (feed->refused >= REFUSED_OF_KEY)
		close_all(feed, WEBSOCKET_UNAUTHORIZED, error, reason);
	else
		member_close(reader, WEBSOCKET_UNAUTHORIZED, error, reason);
}

static void
take_refusal(Feed *feed, const DbResult *result)
{
	HttpErrorKind kind = sqlstate_error(result);

	if (result->outcome == DB_REFUSED && strcmp(result->sqlstate, RESYNC_STATE) == 0)
	{
		require_resync(feed);
	}
	else if (kind == HTTP_ERROR_UNAUTHORIZED)
	{
		end_reader(feed, "key_revoked", "credential is not valid any more");
	}
	else if (kind == HTTP_ERROR_FORBIDDEN)
	{
		const char *text = sqlstate_forbidden_text(result);

		end_reader(feed, "forbidden", text != NULL ? text : "permission was taken away");
	}
	else if (kind == HTTP_ERROR_UNAVAILABLE || kind == HTTP_ERROR_TIMEOUT ||
			 result->outcome == DB_CROWDED)
	{
		feed_retry(feed, false);
	}
	else
	{
		log_line(LOG_LEVEL_ERROR, "events_refused", log_text("sqlstate", result->sqlstate),
				 log_text("message", result->message));
		close_all(feed, WEBSOCKET_INTERNAL, NULL, "internal error");
	}
}

static void
take_answer(Feed *feed, const DbResult *result)
{
	feed->refused = 0;
	switch (feed->kind)
	{
		case READ_EVENTS:
			take_events(feed, result);
			break;
		case READ_POSITION:
			take_position(feed, result);
			break;
		case READ_CREDENTIAL:
			note_end(feed, result, CREDENTIAL_ENDS);
			break;
	}
}

static void
on_read(void *arg, const DbResult *result)
{
	Feed *feed = arg;
	Realtime *realtime = feed->realtime;

	feed->request = NULL;
	feed->busy = true;
	feed_enter(feed, FEED_IDLE);
	if (feed->again)
		feed_wake(feed);
	if (result->outcome == DB_ROWS)
		take_answer(feed, result);
	else
		take_refusal(feed, result);
	feed->busy = false;
	feed_free_if_empty(feed);
	feeds_run(realtime);
}
