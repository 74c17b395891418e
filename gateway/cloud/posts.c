/*
 * posts.c
 *		Takes the notifications that Meta posts, and stores what they say; see posts.h.
 *
 * Until the signature is checked, nothing is read in a body but the ids of numbers.
 */
#include "cloud/posts.h"

#include <event2/util.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "cloud/batch.h"
#include "cloud/log_bound.h"
#include "cloud/receivers.h"
#include "db/result.h"
#include "http/peers.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/timer.h"

/* Numbers in a body that are looked for; fewer before it is known who has signed it. */
#define NUMBERS_UNSIGNED_MAX 16
#define NUMBERS_MAX STATEMENTS_TEXTS_MAX

/* Bytes that a post costs whose body comes yet, beside those of its body. */
#define BODY_PLACE (16 * 1024)

/* Bytes of a list of reports. */
#define LIST_BYTES_MAX DB_PARAM_BYTES_MAX

/* Bytes of an update that are logged when it is not understood. */
#define UNKNOWN_BYTES_MAX LOG_VALUE_MAX

#define TRIES_MAX 3 /* of a list, while others change the same rows */

/* The columns of report.sql. */
enum
{
	COLUMN_CHANGED,
	COLUMN_MESSAGE,
	COLUMN_ERROR_CODE,
	COLUMN_ERROR
};

typedef enum PostState
{
	POST_READING,  /* the body comes */
	POST_ASKING,   /* the database is asked for the sessions */
	POST_REPORTING /* lists of reports are sent, one after another */
} PostState;

typedef struct Post
{
	LIST_ENTRY(Post) link;
	TAILQ_ENTRY(Post) turn; /* while is_waiting */
	Posts *posts;
	HttpRequest *request;
	PostState state;
	HttpPeerKey address;
	Timer deadline; /* READING */
	char app[NOTIFICATION_ID_MAX + 1];
	uint8_t signature[SIGNATURE_SIZE];
	Buffer body;
	DbRequest *asked; /* ASKING, REPORTING */

	char numbers[NUMBERS_MAX][NOTIFICATION_ID_MAX + 1]; /* sorted */
	int number_count;
	int number_max;
	bool has_more; /* numbers than that */
	Receivers receivers;
	char account[NOTIFICATION_ID_MAX + 1]; /* that was looked at last */
	Batch batch;
	size_t report_bytes; /* REPORTING */
	Buffer list;         /* of reports, on its way */
	const uint8_t *org;
	int tries;
	bool is_waiting; /* REPORTING: the list waits for its turn */
	bool early;      /* a session has no number yet: Meta has to try again */
	bool held;       /* the reports of an organization were refused: as above */
	bool failed;     /* out of memory */
	int64_t now_ms;
} Post;

struct Posts
{
	const Cloud *cloud;
	LIST_HEAD(, Post) list; /* the newest first */
	int reading;            /* of them */
	int whole;              /* the others */
	size_t bytes;           /* of all bodies */
	TAILQ_HEAD(PostTurns, Post) turns;
	int lists;        /* on their way */
	LogBound unknown; /* of the log, by event */
	LogBound wrong;
	LogBound account;
	LogBound number;
	LogBound strange;
	LogBound unreadable;
	PostCounts counts;
	void (*changed)(void *context, const ConnectorId *session);
	void *context;
};

/* ---- the end ---- */

static void
free_post(Post *post)
{
	Posts *posts = post->posts;

	LIST_REMOVE(post, link);
	*(post->state == POST_READING ? &posts->reading : &posts->whole) -= 1;
	posts->bytes -= post->body.len + post->report_bytes;
	if (post->is_waiting)
		TAILQ_REMOVE(&posts->turns, post, turn);
	if (post->state == POST_REPORTING && post->asked != NULL)
		posts->lists--;
	timer_close(&post->deadline);
	statements_drop(&post->asked);
	receivers_free(&post->receivers);
	batch_free(&post->batch);
	buffer_free(&post->list);
	buffer_free(&post->body);
	free(post);
}

static void
refuse(Post *post, HttpErrorKind kind, const char *reason)
{
	HttpRequest *request = post->request;
	HttpError error = *http_error(kind);

	post->posts->counts.refused++;
	if (reason != NULL)
		error.message = reason;
	free_post(post);
	http_respond_error(request, &error, NULL, 0, NULL, 0);
}

static void
accept_post(Post *post)
{
	HttpRequest *request = post->request;

	post->posts->counts.posts++;
	free_post(post);
	http_respond(request, 200, NULL, 0, NULL, NULL);
}

/* All lists are committed. */
static void
end(Post *post)
{
	if (post->early)
		refuse(post, HTTP_ERROR_UNAVAILABLE, "a session has no number yet");
	else if (post->held)
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
	else
		accept_post(post);
}

/* ---- REPORTING ---- */

static void wait_for_turn(Post *post);

static void
log_wrong(Posts *posts, const DbResult *result, int row)
{
	char sqlstate[6] = "";
	char message[200] = "";
	int64_t left_out;

	posts->counts.wrong++;
	if (!log_bound_take(&posts->wrong, &left_out))
		return;
	db_text_copy(result, row, COLUMN_ERROR_CODE, sqlstate, sizeof(sqlstate));
	db_text_copy(result, row, COLUMN_ERROR, message, sizeof(message));
	log_line(LOG_LEVEL_WARNING, "report_refused", log_text("sqlstate", sqlstate),
			 log_text("message", message), log_int("left_out", left_out));
}

/* What is wrong is so whenever it comes, and costs the others nothing. */
static void
count_answers(Post *post, const DbResult *result)
{
	for (int row = 0; row < result->rows; row++)
		if (db_is_null(result, row, COLUMN_CHANGED))
			log_wrong(post->posts, result, row);
		else
			post->posts->counts.reported++;
}

/* The next list, or the end. */
static void
report_next(Post *post)
{
	int count;

	buffer_clear(&post->list);
	post->tries = 0;
	count = batch_next(&post->batch, &post->org, &post->list);
	if (count < 0)
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
	else if (count == 0)
		end(post);
	else
		wait_for_turn(post);
}

/* The other organizations do not wait for the one whose reports were refused. */
static void
pass_over(Post *post)
{
	post->held = true;
	batch_pass_over(&post->batch);
	report_next(post);
}

static void
take_answer(Post *post, const DbResult *result)
{
	if (result->outcome == DB_ROWS)
	{
		count_answers(post, result);
		report_next(post);
		return;
	}
	statements_log_failure(&cloud_statements, CLOUD_REPORT, result);
	if (result->outcome != DB_REFUSED)
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
	else if (db_may_pass(result->sqlstate) && post->tries < TRIES_MAX)
		wait_for_turn(post);
	else
		pass_over(post);
}

static void give_turns(Posts *posts);

static void
on_reported(void *context, const DbResult *result)
{
	Post *post = context;
	Posts *posts = post->posts;

	post->asked = NULL;
	posts->lists--;
	take_answer(post, result);
	give_turns(posts);
}

static void
send_list(Post *post)
{
	Posts *posts = post->posts;

	TAILQ_REMOVE(&posts->turns, post, turn);
	post->is_waiting = false;
	post->tries++;
	post->asked =
		statements_submit(posts->cloud->db, cloud_request(CLOUD_REPORT, post->org, on_reported,
														  post, "s", post->list.data));
	if (post->asked == NULL)
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
	else
		posts->lists++;
}

/* Whether a list of this organization is on its way, so that the next one would wait for its rows. */
static bool
is_under_way(const Posts *posts, const uint8_t *org)
{
	const Post *post;

	LIST_FOREACH(post, &posts->list, link)
	if (post->state == POST_REPORTING && post->asked != NULL &&
		memcmp(post->org, org, DB_UUID_SIZE) == 0)
		return true;
	return false;
}

/* Sends the lists whose turn it is.  Organizations take turns; claims and renewals come between. */
static void
give_turns(Posts *posts)
{
	Post *post;
	Post *next;

	for (post = TAILQ_FIRST(&posts->turns); post != NULL && posts->lists < POSTS_LISTS_MAX;
		 post = next)
	{
		next = TAILQ_NEXT(post, turn);
		if (!is_under_way(posts, post->org))
			send_list(post);
	}
}

static void
wait_for_turn(Post *post)
{
	post->is_waiting = true;
	TAILQ_INSERT_TAIL(&post->posts->turns, post, turn);
}

/* How many posts with reports of the same organization there are, also this one. */
static int
count_of_org(const Post *post)
{
	const Post *other;
	int count = 0;

	LIST_FOREACH(other, &post->posts->list, link)
	if (other->org != NULL && memcmp(other->org, post->org, DB_UUID_SIZE) == 0)
		count++;
	return count;
}

/* The reports are kept in the body's place. */
static void
keep_reports(Post *post)
{
	Posts *posts = post->posts;

	posts->bytes -= post->body.len;
	buffer_free(&post->body);
	post->report_bytes = post->batch.text.len;
	posts->bytes += post->report_bytes;
}

/* The body was read: its lists wait for their turns. */
static void
report(Post *post)
{
	Posts *posts = post->posts;

	batch_sort(&post->batch);
	keep_reports(post);
	post->state = POST_REPORTING;
	if (post->batch.count > 0)
	{
		post->org = post->batch.reports[0].org;
		if (count_of_org(post) > POSTS_ORG_MAX)
		{
			refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
			return;
		}
	}
	report_next(post);
	give_turns(posts);
}

/* ---- updates ---- */

/* It is kept in the log, cut and not too often, so that a person can see what is new. */
static void
log_unknown(Post *post, const Update *update)
{
	Posts *posts = post->posts;
	int64_t left_out;
	Buffer text;

	posts->counts.unknown++;
	if (!log_bound_take(&posts->unknown, &left_out))
		return;
	buffer_init(&text, NOTIFICATION_BYTES_MAX);
	if (json_read_print(update->element, &text))
		log_line(LOG_LEVEL_WARNING, "update_unknown", log_text("field", update->field),
				 log_text("account", update->account), log_text("number", update->number),
				 log_bytes("update", text.data,
						   text.len < UNKNOWN_BYTES_MAX ? text.len : UNKNOWN_BYTES_MAX),
				 log_int("left_out", left_out));
	buffer_free(&text);
}

/* Something has happened to an account as a whole: each of its sessions is looked at. */
static void
take_account(Post *post, const Update *update)
{
	const Receivers *receivers = &post->receivers;
	Posts *posts = post->posts;
	int64_t left_out;

	if (strcmp(post->account, update->account) == 0)
		return;
	memcpy(post->account, update->account, sizeof(post->account));
	for (int i = 0; i < receivers->count; i++)
	{
		const Receiver *receiver = &receivers->list[i];

		if (receiver->trusts && strcmp(receiver->account, update->account) == 0)
			posts->changed(posts->context, &receiver->session);
	}
	if (log_bound_take(&posts->account, &left_out))
		log_line(LOG_LEVEL_INFO, "account_update", log_text("field", update->field),
				 log_text("account", update->account), log_int("left_out", left_out));
}

/* Errors about a number say that it needs a look. */
static void
take_error(Post *post, const Update *update, const Receiver *receiver)
{
	const JsonValue *code = json_read_member(update->element, "code");
	Posts *posts = post->posts;
	int64_t number = -1;
	int64_t left_out;

	json_read_int64(code, &number);
	if (log_bound_take(&posts->number, &left_out))
		log_line(LOG_LEVEL_WARNING, "number_error", log_text("org", receiver->org.text),
				 log_text("session", receiver->session.text), log_int("code", number),
				 log_int("left_out", left_out));
	posts->changed(posts->context, &receiver->session);
}

/* A report has not found its place. */
static void
take_loss(Post *post)
{
	if (batch_is_full(&post->batch))
		post->posts->counts.wrong++;
	else
		post->failed = true;
}

static void
add_report(Post *post, const Update *update, const Receiver *receiver)
{
	UpdateReport report;
	UpdateOutcome outcome = update_report(update, &report);
	JsonWriter *json;

	if (outcome == UPDATE_NOT_UNDERSTOOD)
		log_unknown(post, update);
	else if (outcome == UPDATE_DROPPED)
		post->posts->counts.dropped++;
	else
	{
		json = batch_begin(&post->batch, receiver->org.bytes, report.turn);
		if (json != NULL)
			report.write(update, receiver->session.text, post->now_ms, json);
		if (json == NULL || !batch_end(&post->batch))
			take_loss(post);
	}
}

static void
take_update(void *context, const Update *update)
{
	Post *post = context;
	const Receiver *receiver = receivers_find(&post->receivers, update->number);
	PostCounts *counts = &post->posts->counts;

	if (post->failed)
		return;
	if (update->kind == UPDATE_ACCOUNT)
		take_account(post, update);
	else if (update->kind == UPDATE_UNUSED)
		counts->dropped++;
	else if (update->kind == UPDATE_UNKNOWN && update->number[0] == '\0')
		log_unknown(post, update);
	else if (receiver == NULL)
		counts->strange++;
	else if (!receiver->trusts)
		counts->forged++;
	else if (!receiver->has_number)
		post->early = true;
	else if (update->kind == UPDATE_ERROR)
		take_error(post, update, receiver);
	else
		add_report(post, update, receiver);
}

static void
log_unreadable(Posts *posts, const char *reason)
{
	int64_t left_out;

	if (log_bound_take(&posts->unreadable, &left_out))
		log_line(LOG_LEVEL_ERROR, "notification_unreadable", log_text("reason", reason),
				 log_int("left_out", left_out));
}

/* The signature is right: now the body is read. */
static void
read_body(Post *post)
{
	JsonReadError error;
	JsonValue *root;
	bool is_notification = false;

	notification_repair(post->body.data, post->body.len);
	root = json_read_many(post->body.data, post->body.len, NOTIFICATION_VALUES_MAX, &error);
	if (root != NULL)
		is_notification = notification_walk(root, take_update, post);
	json_read_free(root);
	if (!is_notification)
	{
		log_unreadable(post->posts, root == NULL ? error.message : "it has no entries");
		refuse(post, HTTP_ERROR_VALIDATION, "the body is no notification");
		return;
	}
	if (post->failed)
	{
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
		return;
	}
	report(post);
}

/* ---- ASKING ---- */

/* How many of the numbers come before this one. */
static int
place_of(const Post *post, const char *number)
{
	int low = 0;
	int high = post->number_count;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (strcmp(post->numbers[middle], number) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
note_number(void *context, const char *digits, size_t len)
{
	Post *post = context;
	char number[NOTIFICATION_ID_MAX + 1] = "";
	int place;

	memcpy(number, digits, len);
	place = place_of(post, number);
	if (place < post->number_count && strcmp(post->numbers[place], number) == 0)
		return;
	if (post->number_count == post->number_max)
	{
		post->has_more = true;
		return;
	}
	memmove(post->numbers[place + 1], post->numbers[place],
			(size_t) (post->number_count - place) * sizeof(post->numbers[0]));
	memcpy(post->numbers[place], number, sizeof(number));
	post->number_count++;
}

static void on_receivers(void *context, const DbResult *result);

/*
 * Asks for the sessions of at most so many numbers.  What is about an account as a whole names no
 * number: then it is for the sessions of the app.  Their secrets are tried too if there are more
 * numbers: those that are asked for may be nobody's.
 */
static void
ask(Post *post, int number_max)
{
	const Cloud *cloud = post->posts->cloud;
	const char *numbers[NUMBERS_MAX];
	int count;

	post->number_count = 0;
	post->number_max = number_max;
	post->has_more = false;
	notification_numbers(post->body.data, post->body.len, note_number, post);
	count = post->number_count;
	for (int i = 0; i < count; i++)
		numbers[i] = post->numbers[i];
	post->now_ms = clock_wall_ms();
	post->asked = statements_submit(
		cloud->db, cloud_request(CLOUD_RECEIVERS, NULL, on_receivers, post, "sAs", CLOUD_CONNECTOR,
								 count == 0 ? NULL : (const char *const *) numbers, count,
								 count == 0 || post->has_more ? post->app : STATEMENTS_NULL));
	if (post->asked == NULL)
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
}

/* The signature is right: now all numbers may be asked for. */
static void
trust(Post *post)
{
	if (!post->has_more || post->number_max == NUMBERS_MAX)
	{
		read_body(post);
		return;
	}
	receivers_free(&post->receivers);
	ask(post, NUMBERS_MAX);
}

/* Nobody has to do with it. */
static void
log_strange(Post *post)
{
	Posts *posts = post->posts;
	int64_t left_out;

	posts->counts.strange++;
	if (log_bound_take(&posts->strange, &left_out))
		log_line(LOG_LEVEL_INFO, "notification_for_nobody", log_text("app", post->app),
				 log_text("number", post->numbers[0]), log_int("left_out", left_out));
}

static void
on_receivers(void *context, const DbResult *result)
{
	Post *post = context;
	SignedBody body = {.bytes = post->body.data, .len = post->body.len};

	post->asked = NULL;
	if (result->outcome != DB_ROWS)
	{
		statements_log_failure(&cloud_statements, CLOUD_RECEIVERS, result);
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
		return;
	}
	memcpy(body.signature, post->signature, SIGNATURE_SIZE);
	if (!receivers_read(&post->receivers, result, post->posts->cloud->keys, &body))
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
	else if (receivers_trust(&post->receivers))
		trust(post);
	else if (result->rows > 0)
	{
		post->posts->counts.forged++;
		refuse(post, HTTP_ERROR_UNAUTHORIZED, "the signature is not that of the app");
	}
	else
	{
		log_strange(post);
		accept_post(post);
	}
}

/* ---- READING ---- */

/* The key of a client's address, as the server counts its connections. */
static HttpPeerKey
address_of(const HttpRequest *request)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (evutil_inet_pton(AF_INET, request->peer.data, &v4.sin_addr) == 1)
		return http_peers_key((const struct sockaddr *) &v4);
	evutil_inet_pton(AF_INET6, request->peer.data, &v6.sin6_addr);
	return http_peers_key((const struct sockaddr *) &v6);
}

/* What the posts of an address whose bodies come yet hold: a place is as much as BODY_PLACE bytes. */
static size_t
held_by(const Posts *posts, HttpPeerKey address)
{
	const Post *post;
	size_t held = 0;

	LIST_FOREACH(post, &posts->list, link)
	if (post->state == POST_READING && http_peers_same(post->address, address))
		held += BODY_PLACE + post->body.len;
	return held;
}

/* The oldest post of the address that holds most, of those whose bodies come yet; or NULL. */
static Post *
who_gives_way(const Posts *posts)
{
	Post *found = NULL;
	size_t most = 0;
	Post *post;

	LIST_FOREACH(post, &posts->list, link)
	{
		bool same;

		if (post->state != POST_READING)
			continue;
		same = found != NULL && http_peers_same(post->address, found->address);
		if (!same && held_by(posts, post->address) <= most)
			continue;
		if (!same)
			most = held_by(posts, post->address);
		found = post;
	}
	return found;
}

static void
on_deadline(void *context)
{
	refuse(context, HTTP_ERROR_REQUEST_TIMEOUT, NULL);
}

/* Makes room for the next bytes of a body.  False: it was this one that had to give way. */
static bool
make_room(Post *post, size_t len)
{
	Posts *posts = post->posts;

	while (posts->bytes + len > POSTS_BYTES_MAX)
	{
		Post *other = who_gives_way(posts);
		bool is_own = other == NULL || other == post;

		refuse(is_own ? post : other, HTTP_ERROR_UNAVAILABLE, NULL);
		if (is_own)
			return false;
	}
	return true;
}

static bool
on_part(void *context, const char *bytes, size_t len)
{
	Post *post = context;

	if (!make_room(post, len))
		return false;
	if (!buffer_append(&post->body, bytes, len))
	{
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
		return false;
	}
	post->posts->bytes += len;
	return true;
}

static void
on_end(void *context)
{
	Post *post = context;
	Posts *posts = post->posts;

	if (post->body.len == 0)
		refuse(post, HTTP_ERROR_VALIDATION, "the body is no notification");
	else if (posts->whole == POSTS_MAX)
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
	else
	{
		timer_close(&post->deadline);
		post->state = POST_ASKING;
		posts->reading--;
		posts->whole++;
		ask(post, NUMBERS_UNSIGNED_MAX);
	}
}

/* What has come as a whole is stored, whether its sender waits for the answer or not. */
static void
on_gone(HttpRequest *request, void *context)
{
	Post *post = context;

	(void) request;
	if (post->state == POST_READING)
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
}

static bool
read_signature(const HttpRequest *request, uint8_t signature[SIGNATURE_SIZE])
{
	size_t count;
	const HttpText *value = http_request_header(request, "x-hub-signature-256", &count);

	return value != NULL && count == 1 && signature_read(value->data, value->len, signature);
}

/* ---- from outside ---- */

bool
posts_want(const Posts *posts, const HttpRequest *request)
{
	uint8_t signature[SIGNATURE_SIZE];

	(void) posts;
	return read_signature(request, signature);
}

static void
refuse_at_once(Posts *posts, HttpRequest *request, HttpErrorKind kind)
{
	posts->counts.refused++;
	http_respond_error(request, http_error(kind), NULL, 0, NULL, 0);
}

void
posts_take(Posts *posts, HttpRequest *request, const char *app)
{
	static const HttpBodySink sink = {
		.max = NOTIFICATION_BYTES_MAX, .part = on_part, .end = on_end};
	uint8_t signature[SIGNATURE_SIZE];
	Post *post;

	if (!read_signature(request, signature))
	{
		posts->counts.forged++;
		refuse_at_once(posts, request, HTTP_ERROR_UNAUTHORIZED);
		return;
	}
	post = posts->reading == POSTS_READING_MAX ? who_gives_way(posts) : NULL;
	if (post != NULL)
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
	post = calloc(1, sizeof(*post));
	if (post == NULL)
	{
		refuse_at_once(posts, request, HTTP_ERROR_UNAVAILABLE);
		return;
	}
	post->posts = posts;
	post->request = request;
	snprintf(post->app, sizeof(post->app), "%s", app);
	memcpy(post->signature, signature, SIGNATURE_SIZE);
	buffer_init(&post->body, NOTIFICATION_BYTES_MAX);
	buffer_init(&post->list, LIST_BYTES_MAX);
	batch_init(&post->batch);
	post->address = address_of(request);
	LIST_INSERT_HEAD(&posts->list, post, link);
	posts->reading++;
	if (!timer_open(&post->deadline, posts->cloud->base, on_deadline, post) ||
		!timer_start(&post->deadline, POSTS_READING_MS))
	{
		refuse(post, HTTP_ERROR_UNAVAILABLE, NULL);
		return;
	}
	http_request_on_gone(request, on_gone, post);
	http_body_take(request, &sink, post);
}

Posts *
posts_open(const Cloud *cloud, void (*changed)(void *context, const ConnectorId *session),
		   void *context)
{
	Posts *posts = calloc(1, sizeof(*posts));

	if (posts == NULL)
		return NULL;
	posts->cloud = cloud;
	posts->changed = changed;
	posts->context = context;
	LIST_INIT(&posts->list);
	TAILQ_INIT(&posts->turns);
	return posts;
}

/* The server has told that all clients are gone; what is on its way was not answered. */
void
posts_close(Posts *posts)
{
	if (posts == NULL)
		return;
	while (!LIST_EMPTY(&posts->list))
		refuse(LIST_FIRST(&posts->list), HTTP_ERROR_UNAVAILABLE, NULL);
	free(posts);
}

const PostCounts *
posts_counts(const Posts *posts)
{
	return &posts->counts;
}
