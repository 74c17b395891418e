/*
 * open.c
 *		Turns a request into an open socket.
 *
 * These are the stages:
 *
 *	REDEEM   the ticket is exchanged for the socket's own credential, with its filter
 *	OPEN     or the caller's credential is, with the filter from the query
 *	POSITION under the new credential: where the socket's events begin
 *
 * After that the 101 and the first frame are sent.  Until then it is an ordinary request,
 * and can be refused like one.  If the client leaves meanwhile, the stage still runs to its
 * end: the credential that the database has made must be given back.
 */
#include <stdlib.h>
#include <string.h>

#include "api/rate.h"
#include "api/sqlstate.h"
#include "src/common/memory.h"
#include "src/common/typeid.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "realtime/open.h"
#include "realtime/notices.h"
#include "realtime/position.h"
#include "realtime/read.h"
#include "realtime/state.h"
#include "realtime/wanted.h"

/* Bytes of the first frames. */
#define FIRST_FRAMES_MAX (16 * 1024)

/* The columns that both realtime_redeem and realtime_open begin with. */
enum
{
	OPEN_CREDENTIAL,
	OPEN_ORG,
	OPEN_EXPIRES,
	OPEN_SOCKETS_MAX,
	OPEN_TYPES_PROBLEM, /* of realtime_open; the columns below are of realtime_redeem */
	REDEEM_SESSION = OPEN_TYPES_PROBLEM,
	REDEEM_TYPES,
	REDEEM_SINCE
};

typedef enum OpeningStage
{
	OPENING_REDEEM,
	OPENING_OPEN,
	OPENING_POSITION
} OpeningStage;

typedef struct Opening
{
	TAILQ_ENTRY(Opening) link; /* realtime->openings */
	Realtime *realtime;
	HttpRequest *http; /* NULL: the client has left */
	DbRequest *db;
	OpeningStage stage;
	Identity identity; /* its credential is "" until the database has made one */
	Wanted wanted;
	int64_t sockets_max; /* of the organization in this process */
	bool resync;         /* the event after which it wants to continue is no longer kept */
	bool has_start;
	uint8_t start[DB_UUID_SIZE]; /* the event after which it begins */
} Opening;

/* ---- ending ---- */

static void
free_opening(Opening *opening)
{
	Realtime *realtime = opening->realtime;

	TAILQ_REMOVE(&realtime->openings, opening, link);
	realtime->opening_count--;
	if (opening->identity.credential[0] != '\0')
		forget_credential(realtime, opening->identity.credential);
	free(opening->wanted.filter.types);
	wak_wipe(opening, sizeof(*opening));
	free(opening);
}

static void
refuse(Opening *opening, const HttpError *error, const HttpDetail *detail)
{
	if (opening->http != NULL)
		http_respond_error(opening->http, error, detail, detail == NULL ? 0 : 1, NULL, 0);
	free_opening(opening);
}

static void
refuse_kind(Opening *opening, HttpErrorKind kind, const char *message)
{
	HttpError error = *http_error(kind);

	error.message = message != NULL ? message : error.message;
	refuse(opening, &error, NULL);
}

static void
refuse_over_rate(Opening *opening, const DbResult *result)
{
	HttpError error = *http_error(HTTP_ERROR_RATE_LIMITED);
	char wait[RATE_WAIT_MAX];

	error.message = rate_message;
	if (rate_wait(result, wait))
		error.header_value = wait;
	refuse(opening, &error, &rate_detail);
}

static void
refuse_by_database(Opening *opening, const DbResult *result)
{
	HttpErrorKind kind = sqlstate_error(result);
	const char *text = sqlstate_forbidden_text(result);
	HttpDetail required = {.name = "required", .text = result->constraint};

	if (http_error(kind)->status >= 500)
	{
		log_line(LOG_LEVEL_ERROR, "socket_not_opened", log_int("outcome", result->outcome),
				 log_text("sqlstate", result->sqlstate), log_text("message", result->message));
	}
	if (opening->http != NULL)
		http_request_set_denied(opening->http, sqlstate_restriction(result));
	if (rate_is_over(result))
		refuse_over_rate(opening, result);
	else if (kind == HTTP_ERROR_FORBIDDEN && text != NULL)
		refuse_kind(opening, kind, text);
	else
		refuse(opening, http_error(kind), kind == HTTP_ERROR_FORBIDDEN ? &required : NULL);
}

/* Answering frees the request; nothing is sent. */
static void
on_gone(HttpRequest *request, void *context)
{
	Opening *opening = context;

	opening->http = NULL;
	http_respond_error(request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
}

void
openings_end(Realtime *realtime)
{
	Opening *opening;

	while ((opening = TAILQ_FIRST(&realtime->openings)) != NULL)
	{
		db_abandon(opening->db);
		free_opening(opening);
	}
}

/* ---- the socket ---- */

static bool
send_first(const Opening *opening, const Filter *filter, Member *member)
{
	Buffer frames;
	bool sent;

	buffer_init(&frames, FIRST_FRAMES_MAX);
	sent = notice_connected(&frames, opening->realtime->config.heartbeat_ms, &opening->identity,
							filter, opening->has_start ? opening->start : NULL) &&
		   (!opening->resync || notice_resync_required(&frames)) &&
		   member_send(member, frames.data, frames.len);
	buffer_free(&frames);
	return sent;
}

/* From here on the member owns the credential and gives it back. */
static void
become_socket(Opening *opening, const Position *position)
{
	HttpRequest *http = opening->http;
	Member *member =
		member_create(opening->realtime, &opening->identity, &opening->wanted.filter, position);
	WebSocket *socket;

	if (member == NULL)
	{
		refuse_kind(opening, HTTP_ERROR_UNAVAILABLE, NULL);
		return;
	}
	wak_wipe(opening->identity.credential, sizeof(opening->identity.credential));
	socket = websocket_accept(http, &member_events, member);
	if (socket == NULL)
	{
		member_abandon(member);
	}
	else
	{
		member->socket = socket;
		if (send_first(opening, member_filter(member), member))
			member_join(member);
	}
	free_opening(opening);
}

/* ---- the position ---- */

/*
 * An organization may have half of all sockets, however many keys and members it has, so that
 * it cannot leave none to others, and no more than its own limit.
 */
static bool
org_is_full(const Opening *opening)
{
	Realtime *realtime = opening->realtime;
	int share = (realtime->config.sockets_max + 1) / 2;
	int sockets = org_sockets(realtime, opening->identity.org);

	return sockets >= share || sockets >= opening->sockets_max;
}

static void
refuse_full_org(Opening *opening)
{
	HttpError error = *http_error(HTTP_ERROR_RATE_LIMITED);
	HttpDetail detail = {.name = "limit", .text = "sockets"};

	error.message = "too many sockets are open in this organization";
	refuse(opening, &error, &detail);
}

static void on_result(void *arg, const DbResult *result);

/* Submits the request.  Returns false when that fails; the request is freed. */
static bool
submit(Opening *opening, DbRequest *request, OpeningStage stage, bool complete)
{
	if (request == NULL || !complete)
	{
		db_request_free(request);
		return false;
	}
	opening->db = request;
	opening->stage = stage;
	return db_submit(opening->realtime->db, request);
}

static bool
ask_for_position(Opening *opening)
{
	const Realtime *realtime = opening->realtime;
	const char *credential = opening->identity.credential;
	DbRequest *request = db_request_new(realtime->statements.start, DB_LANE_FAST,
										realtime->config.timeout_ms, on_result, opening);
	bool complete = request != NULL &&
					db_request_credential(request, credential, strlen(credential), NEEDS) &&
					(opening->wanted.has_since ? db_param_uuid(request, opening->wanted.since)
											   : db_param_null(request));

	if (request != NULL)
		db_request_address(request, opening->identity.client, strlen(opening->identity.client));
	return submit(opening, request, OPENING_POSITION, complete);
}

/* Reads the holder that the database has bound: the key, or the person. */
static void
take_holder(Opening *opening, const DbResult *result)
{
	char id[WAK_TYPEID_MAX + 1];

	opening->identity.is_key = db_uuid(result, 0, POSITION_KEY, opening->identity.holder);
	if (!opening->identity.is_key)
		memcpy(opening->identity.holder, result->principal, DB_UUID_SIZE);
	if (opening->http != NULL)
	{
		wak_typeid_encode(opening->identity.is_key ? "key" : "usr", opening->identity.holder, id);
		http_request_set_key(opening->http, id);
	}
}

static void
take_position(Opening *opening, const DbResult *result)
{
	const Realtime *realtime = opening->realtime;
	Position position;

	if (result->rows != 1 || !result->has_principal ||
		!position_read(result, 0, POSITION_EPOCH, POSITION_ORDINAL, POSITION_ID, &position))
	{
		log_line(LOG_LEVEL_ERROR, "position_unreadable", log_int("rows", result->rows));
		refuse_kind(opening, HTTP_ERROR_INTERNAL, NULL);
		return;
	}
	take_holder(opening, result);
	opening->has_start = db_uuid(result, 0, POSITION_SINCE, opening->start);
	if (opening->http == NULL)
		free_opening(opening);
	else if (holder_sockets(realtime, opening->identity.holder) >= realtime->config.key_sockets_max)
		refuse_kind(opening, HTTP_ERROR_RATE_LIMITED, "too many sockets are open with this key");
	else if (org_is_full(opening))
		refuse_full_org(opening);
	else
		become_socket(opening, &position);
}

/* ---- the credential ---- */

static bool
take_identity(Opening *opening, const DbResult *result)
{
	Identity *identity = &opening->identity;

	if (result->rows != 1 ||
		!db_text_copy(result, 0, OPEN_CREDENTIAL, identity->credential,
					  sizeof(identity->credential)) ||
		!db_uuid(result, 0, OPEN_ORG, identity->org) ||
		!db_int(result, 0, OPEN_SOCKETS_MAX, &opening->sockets_max))
		return false;
	if (!db_time_ms(result, 0, OPEN_EXPIRES, &identity->expires_ms))
		identity->expires_ms = INT64_MAX;
	if (opening->stage == OPENING_OPEN)
	{
		wanted_check_types(&opening->wanted, result, OPEN_TYPES_PROBLEM);
		return true;
	}
	return wanted_read_row(&opening->wanted, result, REDEEM_SESSION, REDEEM_TYPES, REDEEM_SINCE);
}

static void
take_credential(Opening *opening, const DbResult *result)
{
	if (!take_identity(opening, result))
	{
		log_line(LOG_LEVEL_ERROR, "socket_credential_unreadable", log_int("rows", result->rows));
		refuse_kind(opening, HTTP_ERROR_INTERNAL, NULL);
	}
	else if (opening->wanted.problem[0] != '\0')
	{
		HttpDetail detail = {.name = opening->wanted.problem, .text = opening->wanted.problem_text};

		refuse(opening, http_error(HTTP_ERROR_VALIDATION), &detail);
	}
	else if (opening->http == NULL)
	{
		free_opening(opening);
	}
	else if (!ask_for_position(opening))
	{
		refuse_kind(opening, HTTP_ERROR_UNAVAILABLE, NULL);
	}
}

static void
on_result(void *arg, const DbResult *result)
{
	Opening *opening = arg;

	opening->db = NULL;
	/* Only the key itself is counted, and not the socket's credential, which comes after it. */
	if (opening->http != NULL && opening->stage == OPENING_OPEN)
		rate_note(opening->http, result);
	if (result->outcome == DB_REFUSED && strcmp(result->sqlstate, RESYNC_STATE) == 0 &&
		opening->wanted.has_since)
	{
		opening->wanted.has_since = false;
		opening->resync = true;
		if (!ask_for_position(opening))
			refuse_kind(opening, HTTP_ERROR_UNAVAILABLE, NULL);
	}
	else if (result->outcome != DB_ROWS)
	{
		refuse_by_database(opening, result);
	}
	else if (opening->stage == OPENING_POSITION)
	{
		take_position(opening, result);
	}
	else
	{
		take_credential(opening, result);
	}
}

/* ---- the request ---- */

/* An address that is longer than the database accepts is left out. */
static void
note_client(Opening *opening)
{
	char room[HTTP_CLIENT_MAX];
	HttpText client = http_request_client(opening->http, room);

	if (client.len < sizeof(opening->identity.client))
		memcpy(opening->identity.client, client.data, client.len + 1);
}

static bool
ask_for_credential(Opening *opening, const char *credential, size_t len, bool is_ticket)
{
	const Realtime *realtime = opening->realtime;
	int statement = is_ticket ? realtime->statements.redeem : realtime->statements.open;
	DbRequest *request =
		db_request_new(statement, DB_LANE_FAST, realtime->config.timeout_ms, on_result, opening);
	bool complete =
		request != NULL && (is_ticket ? db_param_text(request, credential, len)
									  : db_request_credential(request, credential, len, NEEDS) &&
											filter_add_types(request, &opening->wanted.filter));

	if (request != NULL)
		db_request_address(request, opening->identity.client, strlen(opening->identity.client));
	return submit(opening, request, is_ticket ? OPENING_REDEEM : OPENING_OPEN, complete);
}

static void
start(Realtime *realtime, HttpRequest *request, const char *credential, size_t len, bool is_ticket)
{
	Opening *opening = calloc(1, sizeof(*opening));

	if (opening == NULL)
	{
		http_respond_error(request, http_error(HTTP_ERROR_UNAVAILABLE), NULL, 0, NULL, 0);
		return;
	}
	opening->realtime = realtime;
	opening->http = request;
	note_client(opening);
	TAILQ_INSERT_TAIL(&realtime->openings, opening, link);
	realtime->opening_count++;
	wanted_read_query(&opening->wanted, request, is_ticket);
	if (!ask_for_credential(opening, credential, len, is_ticket))
	{
		refuse_kind(opening, HTTP_ERROR_UNAVAILABLE, NULL);
		return;
	}
	http_request_on_gone(request, on_gone, opening);
}

void
realtime_take(void *context, HttpRequest *request, const char *credential, size_t len,
			  bool is_ticket)
{
	Realtime *realtime = context;

	if (realtime->sockets + realtime->opening_count >= realtime->config.sockets_max)
	{
		HttpError error = *http_error(HTTP_ERROR_UNAVAILABLE);

		error.message = "too many sockets are open";
		http_respond_error(request, &error, NULL, 0, NULL, 0);
		return;
	}
	start(realtime, request, credential, len, is_ticket);
}
