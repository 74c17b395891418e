/*
 * remote.c
 *		Runs a command over HTTP; see remote.h.
 *
 * What was changed is changed when its answer comes: unlike in a transaction, a secret that
 * cannot be written then is lost, and which key to revoke is said.
 */
#include "cli/remote.h"

#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/reply.h"
#include "cli/request.h"
#include "cli/token.h"
#include "client/exchange.h"
#include "program/version.h"
#include "src/common/memory.h"

#define TIMEOUT_MS 30000

/* The most bytes of one answer, and the most pages. */
#define ANSWER_MAX ((size_t) 16 * 1024 * 1024)
#define PAGES_MAX 10000

#define NEXT_MAX 2000

typedef struct Remote
{
	const Invocation *invocation;
	char token[TOKEN_FILE_MAX + 1];
} Remote;

static void
say_refusal(const ExchangeAnswer *answer)
{
	Buffer text;

	buffer_init(&text, ANSWER_MAX);
	reply_write_error(answer->status, answer->retry_after_s, &answer->body, &text);
	fprintf(stderr, "wa: %s", text.failed ? "out of memory\n" : text.data);
	buffer_free(&text);
}

/* Sends a request with this target, and says so if it has no answer, or one that refuses. */
static bool
ask(const Remote *remote, const Request *request, const Buffer *target, ExchangeAnswer *answer)
{
	const char *base = remote->invocation->url;
	size_t len = strlen(base);
	char url[EXCHANGE_URL_MAX + 1];
	ExchangeRequest exchange = {.method = request->method,
								.url = url,
								.token = remote->token,
								.body = request->has_body ? request->body.data : NULL,
								.body_len = request->body.len,
								.ca_file = remote->invocation->ca_file,
								.agent = "wa/" PROGRAM_VERSION,
								.timeout_ms = TIMEOUT_MS};
	const char *problem;

	while (len > 0 && base[len - 1] == '/')
		len--;
	if (target->failed || snprintf(url, sizeof(url), "%.*s" REQUEST_BASE "%s", (int) len, base,
								   target->data) >= (int) sizeof(url))
		problem = "its URL is too long";
	else
		problem = exchange_run(&exchange, answer);
	if (problem != NULL)
		fprintf(stderr, "wa: no answer from the server: %s\n", problem);
	else if (answer->status < 200 || answer->status > 299)
		say_refusal(answer);
	return problem == NULL && answer->status >= 200 && answer->status <= 299;
}

/* ---- pages ---- */

/* The target of a page; a place behind which rows are asked for takes the place of the first one. */
static void
make_page(const Request *request, const Command *command, const Answer *answer, const Buffer *next,
		  Buffer *target)
{
	const bool has_lines = command->http.form == ROWS_LINES;
	const char *query = strchr(request->target.data, '?');
	int64_t left = request->limit > 0 ? request->limit - answer->row_count : REQUEST_PAGE;
	char limit[24];

	buffer_clear(target);
	buffer_append(target, request->target.data,
				  has_lines && next->len > 0 && query != NULL
					  ? (size_t) (query - request->target.data)
					  : request->target.len);
	snprintf(limit, sizeof(limit), "%d", left < REQUEST_PAGE ? (int) left : REQUEST_PAGE);
	if (command->http.form == ROWS_PAGES)
		request_add_query(target, "limit", limit);
	if (next->len > 0)
		request_add_query(target, has_lines ? "after" : "cursor", next->data);
}

static bool
has_more(const Request *request, const Answer *answer, const Buffer *next)
{
	return next->len > 0 && (request->limit == 0 || answer->row_count < request->limit);
}

/* Asks for one page, and adds its rows. */
static bool
ask_page(const Remote *remote, const Request *request, const Buffer *target, Answer *answer,
		 Buffer *next)
{
	ExchangeAnswer reply = {.status = 0};
	bool ok;

	buffer_init(&reply.body, ANSWER_MAX);
	ok = ask(remote, request, target, &reply);
	if (ok && !reply_read(remote->invocation->command, request, &reply.body, answer, next))
	{
		fprintf(stderr, "wa: the server's answer is not one of this API\n");
		ok = false;
	}
	if (ok && answer->failed)
	{
		fprintf(stderr, "wa: out of memory\n");
		ok = false;
	}
	buffer_free(&reply.body);
	return ok;
}

static bool
ask_pages(const Remote *remote, const Request *request, Answer *answer)
{
	const Command *command = remote->invocation->command;
	Buffer next;
	Buffer target;
	bool ok = true;
	bool more = true;

	buffer_init(&next, NEXT_MAX);
	buffer_init(&target, EXCHANGE_URL_MAX);
	for (int page = 0; ok && more; page++)
	{
		make_page(request, command, answer, &next, &target);
		ok = ask_page(remote, request, &target, answer, &next);
		more = ok && has_more(request, answer, &next);
		if (more && page == PAGES_MAX)
		{
			fprintf(stderr, "wa: the server's answer has no end\n");
			ok = false;
		}
	}
	buffer_free(&next);
	buffer_free(&target);
	return ok;
}

/* ---- a command ---- */

/* Sends a request whose answer has no row, and asks for the row afterwards. */
static bool
ask_and_show(const Remote *remote, const Request *request, const Request *show, Answer *answer)
{
	ExchangeAnswer reply = {.status = 0};
	bool ok;

	buffer_init(&reply.body, ANSWER_MAX);
	ok = ask(remote, request, &request->target, &reply) && ask_pages(remote, show, answer);
	buffer_free(&reply.body);
	return ok;
}

static bool
write_answer(Answer *answer, const Invocation *invocation)
{
	const Command *command = invocation->command;
	const char *id = answer_latest_id(answer);

	if (command->http.newest_first)
		answer_reverse(answer);
	if (output_write_answer(answer, invocation) == OUTPUT_WRITTEN)
		return true;
	if (command->has_secret && id != NULL)
		fprintf(stderr, "wa: the secret of %s could not be written: revoke it\n", id);
	return false;
}

static RemoteResult
run(const Remote *remote, Invocation *invocation)
{
	const bool shows = invocation->command->http.show != NULL;
	Answer answer = {.values = NULL};
	Request request;
	Request show = {.limit = 0};
	RemoteResult result = REMOTE_WRONG;

	reply_add_columns(invocation->command, &answer);
	if (request_make(&request, invocation) && (!shows || request_make_show(&show, invocation)))
	{
		bool ok = shows ? ask_and_show(remote, &request, &show, &answer)
						: ask_pages(remote, &request, &answer);

		result = ok && write_answer(&answer, invocation) ? REMOTE_DONE : REMOTE_REFUSED;
	}
	request_free(&request);
	request_free(&show);
	answer_free(&answer);
	return result;
}

RemoteResult
remote_run(Invocation *invocation)
{
	Remote remote = {.invocation = invocation};
	const char *problem = exchange_problem(invocation->url);
	RemoteResult result = REMOTE_WRONG;

	if (problem != NULL)
		snprintf(invocation->problem, sizeof(invocation->problem), "--url cannot be used: %s",
				 problem);
	else if ((problem = token_read(invocation->token_file, remote.token)) != NULL)
		snprintf(invocation->problem, sizeof(invocation->problem),
				 "--token-file cannot be used: %s", problem);
	else
		result = run(&remote, invocation);
	wak_wipe(remote.token, sizeof(remote.token));
	return result;
}
