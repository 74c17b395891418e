/*
 * listener.c
 *		The listener for what Meta sends; see listener.h.
 */
#include "cloud/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "cloud/log_bound.h"
#include "cloud/receivers.h"
#include "lib/clock.h"
#include "lib/log.h"

#define FOLDER "webhook"
#define CHALLENGE_MAX 256 /* characters; Meta's has ten digits */

/* Anybody may ask, and for each question the credentials of an app's sessions are opened. */
static const WakRate question_rate = {.per_minute = 600, .burst = 60};

/* A request that asks whether the address is ours. */
typedef struct Question
{
	LIST_ENTRY(Question) link;
	Listener *listener;
	HttpRequest *request;
	DbRequest *asked;
} Question;

struct Listener
{
	const Cloud *cloud;
	HttpServer *server;
	Posts *posts;
	LIST_HEAD(, Question) questions;
	int question_count;
	WakBucket question_rate;
	LogBound verified;
};

/* ---- GET ---- */

/* The value of a parameter that is given once, or NULL. */
static const HttpText *
parameter(const HttpRequest *request, const char *name)
{
	size_t count;
	const HttpText *value = http_request_parameter(request, name, &count);

	return count == 1 ? value : NULL;
}

static void
refuse(HttpRequest *request, HttpErrorKind kind)
{
	http_respond_error(request, http_error(kind), NULL, 0, NULL, 0);
}

static HttpRequest *
free_question(Question *question)
{
	HttpRequest *request = question->request;

	LIST_REMOVE(question, link);
	question->listener->question_count--;
	statements_drop(&question->asked);
	free(question);
	return request;
}

static void
answer_challenge(HttpRequest *request)
{
	const HttpText *challenge = parameter(request, "hub.challenge");
	Buffer body;

	buffer_init(&body, CHALLENGE_MAX);
	if (challenge != NULL)
		buffer_append(&body, challenge->data, challenge->len);
	http_respond(request, 200, NULL, 0, "text/plain; charset=utf-8", &body);
}

static void
log_answer(Question *question, bool known)
{
	const HttpText *app = &question->request->segments[1];
	int64_t left_out;

	if (log_bound_take(&question->listener->verified, &left_out))
		log_line(LOG_LEVEL_INFO, "webhook_verified", log_bytes("app", app->data, app->len),
				 log_text("verified", known ? "yes" : "no"), log_int("left_out", left_out));
}

static void
on_receivers(void *context, const DbResult *result)
{
	Question *question = context;
	const Cloud *cloud = question->listener->cloud;
	const HttpText *token = parameter(question->request, "hub.verify_token");
	bool known = false;

	question->asked = NULL;
	if (result->outcome == DB_ROWS)
		known = token != NULL && receivers_have_token(result, cloud->keys, token->data, token->len);
	else
		statements_log_failure(&cloud_statements, CLOUD_RECEIVERS, result);
	log_answer(question, known);
	if (known)
		answer_challenge(free_question(question));
	else
		refuse(free_question(question),
			   result->outcome == DB_ROWS ? HTTP_ERROR_FORBIDDEN : HTTP_ERROR_UNAVAILABLE);
}

static void
ask(Listener *listener, HttpRequest *request, const char *app)
{
	bool may = listener->question_count < LISTENER_QUESTIONS_MAX &&
			   wak_bucket_take(&listener->question_rate, question_rate, clock_monotonic_us()).taken;
	Question *question = may ? calloc(1, sizeof(*question)) : NULL;

	if (question == NULL)
	{
		refuse(request, HTTP_ERROR_UNAVAILABLE);
		return;
	}
	question->listener = listener;
	question->request = request;
	LIST_INSERT_HEAD(&listener->questions, question, link);
	listener->question_count++;
	question->asked = statements_submit(
		listener->cloud->db, cloud_request(CLOUD_RECEIVERS, NULL, on_receivers, question, "sAs",
										   CLOUD_CONNECTOR, (const char *const *) NULL, 0, app));
	if (question->asked == NULL)
		refuse(free_question(question), HTTP_ERROR_UNAVAILABLE);
}

static void
take_question(Listener *listener, HttpRequest *request, const char *app)
{
	const HttpText *mode = parameter(request, "hub.mode");
	const HttpText *token = parameter(request, "hub.verify_token");
	const HttpText *challenge = parameter(request, "hub.challenge");

	if (mode == NULL || strcmp(mode->data, "subscribe") != 0 || token == NULL || token->len == 0 ||
		challenge == NULL || challenge->len > CHALLENGE_MAX)
		refuse(request, HTTP_ERROR_FORBIDDEN);
	else
		ask(listener, request, app);
}

/* ---- requests ---- */

/* The id of the app in the path, or NULL. */
static const char *
app_of(const HttpRequest *request)
{
	const HttpText *app = &request->segments[1];

	if (request->n_segments != 2 || strcmp(request->segments[0].data, FOLDER) != 0 ||
		app->len == 0 || app->len > NOTIFICATION_ID_MAX ||
		strspn(app->data, "0123456789") != app->len)
		return NULL;
	return app->data;
}

static void
handle(HttpRequest *request, void *context)
{
	static const HttpHeader allow = {"Allow", "GET, POST"};
	Listener *listener = context;
	const char *app = app_of(request);

	if (app != NULL)
		http_request_set_route(request, "/" FOLDER "/{app}");
	if (app == NULL)
		refuse(request, HTTP_ERROR_NOT_FOUND);
	else if (request->method == HTTP_METHOD_POST)
		posts_take(listener->posts, request, app);
	else if (request->method == HTTP_METHOD_GET)
		take_question(listener, request, app);
	else
		http_respond_error(request, http_error(HTTP_ERROR_METHOD_NOT_ALLOWED), NULL, 0, &allow, 1);
}

static size_t
limit_body(const HttpRequest *request, void *context)
{
	const Listener *listener = context;
	bool wanted = app_of(request) != NULL && request->method == HTTP_METHOD_POST &&
				  posts_want(listener->posts, request);

	return wanted ? HTTP_BODY_STREAMED : HTTP_BODY_UNWANTED;
}

/* ---- the server ---- */

static HttpServerConfig
server_config(const ListenerConfig *config, const HttpLimits *limits)
{
	return (HttpServerConfig){.listen = config->listen,
							  .tls_certificate = config->tls_certificate,
							  .tls_key = config->tls_key,
							  .limits = limits,
							  .handle = handle,
							  .body_limit = limit_body};
}

bool
listener_check(const ListenerConfig *config, char *error, size_t size)
{
	const HttpServerConfig server = server_config(config, NULL);

	return http_server_check(&server, error, size);
}

Listener *
listener_open(const Cloud *cloud, const ListenerConfig *config,
			  void (*changed)(void *context, const ConnectorId *session), void *context,
			  char *error, size_t size)
{
	HttpLimits limits = HTTP_LIMITS_DEFAULT;
	HttpServerConfig server = server_config(config, &limits);
	Listener *listener = calloc(1, sizeof(*listener));

	snprintf(error, size, "out of memory");
	if (listener == NULL)
		return NULL;
	limits.max_connections = LISTENER_CONNECTIONS_MAX;
	limits.max_connections_per_address = LISTENER_ADDRESS_CONNECTIONS_MAX;
	listener->cloud = cloud;
	LIST_INIT(&listener->questions);
	listener->posts = posts_open(cloud, changed, context);
	server.context = listener;
	if (listener->posts != NULL)
		listener->server = http_server_start(cloud->base, &server, error, size);
	if (listener->server == NULL)
	{
		listener_close(listener);
		return NULL;
	}
	log_line(LOG_LEVEL_INFO, "listening",
			 log_text("address", http_server_address(listener->server)),
			 log_int("port", http_server_port(listener->server)));
	return listener;
}

void
listener_reload(const Listener *listener)
{
	char error[256];

	if (http_server_reload_tls(listener->server, error, sizeof(error)))
		log_line(LOG_LEVEL_INFO, "tls_reloaded");
	else
		log_line(LOG_LEVEL_ERROR, "tls_not_reloaded", log_text("reason", error));
}

void
listener_drain(Listener *listener, int bound_ms, void (*done)(void *context), void *context)
{
	http_server_drain(listener->server, bound_ms, done, context);
}

static void
log_counts(const PostCounts *counts)
{
	log_line(LOG_LEVEL_INFO, "notifications", log_int("taken", (int64_t) counts->posts),
			 log_int("refused", (int64_t) counts->refused),
			 log_int("reported", (int64_t) counts->reported),
			 log_int("dropped", (int64_t) counts->dropped),
			 log_int("unknown", (int64_t) counts->unknown),
			 log_int("strange", (int64_t) counts->strange),
			 log_int("forged", (int64_t) counts->forged),
			 log_int("wrong", (int64_t) counts->wrong));
}

void
listener_close(Listener *listener)
{
	if (listener == NULL)
		return;
	if (listener->server != NULL)
	{
		http_server_free(listener->server);
		log_counts(posts_counts(listener->posts));
	}
	while (!LIST_EMPTY(&listener->questions))
		refuse(free_question(LIST_FIRST(&listener->questions)), HTTP_ERROR_UNAVAILABLE);
	posts_close(listener->posts);
	free(listener);
}
