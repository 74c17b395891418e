/*
 * webhooks_wire.c
 *		A receiver of webhooks and a name server, for tests of the worker without a network.
 */
#include "tests/unit/webhooks_wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "webhooks/dispatch.h"

#define PATIENCE_SECONDS 8
#define LARGE (256 * 1024)

/* ---- the receiver ---- */

static void
keep_request(WebhooksWire *wire, struct evhttp_request *request)
{
	struct evkeyval *header;
	size_t at = 0;
	ev_ssize_t len;

	wire->requests++;
	len = evbuffer_copyout(evhttp_request_get_input_buffer(request), wire->body,
						   sizeof(wire->body) - 1);
	wire->body[len < 0 ? 0 : len] = '\0';
	TAILQ_FOREACH(header, evhttp_request_get_input_headers(request), next)
	{
		at += (size_t) snprintf(wire->headers + at, sizeof(wire->headers) - at, "%s: %s\n",
								header->key, header->value);
		ck_assert_uint_lt(at, sizeof(wire->headers));
	}
}

/* Both directions end; evhttp notices by itself. */
static void
end_connection(struct evhttp_request *request, void *arg)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);

	(void) arg;
	ck_assert_int_eq(
		shutdown(bufferevent_getfd(evhttp_connection_get_bufferevent(connection)), SHUT_RDWR), 0);
}

static struct bufferevent *
on_connection(struct event_base *base, void *arg)
{
	WebhooksWire *wire = arg;

	wire->connections++;
	return bufferevent_socket_new(base, -1, 0);
}

static void
on_request(struct evhttp_request *request, void *arg)
{
	WebhooksWire *wire = arg;
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct evbuffer *body = evbuffer_new();
	char *large = calloc(1, LARGE + 1);

	keep_request(wire, request);
	memset(large, 'x', LARGE);
	if (wire->script == WEBHOOKS_WIRE_REDIRECT)
		evhttp_add_header(headers, "Location", wire->location);
	else if (wire->script == WEBHOOKS_WIRE_LARGE_HEAD)
		evhttp_add_header(headers, "X-Large", large);
	else if (wire->script == WEBHOOKS_WIRE_LARGE_BODY)
		evbuffer_add(body, large, LARGE);
	else
		evbuffer_add(body, "ok", 2);
	if (wire->retry_after != NULL)
		evhttp_add_header(headers, "Retry-After", wire->retry_after);
	if (wire->script == WEBHOOKS_WIRE_LEAVE)
		evhttp_request_set_on_complete_cb(request, end_connection, NULL);
	if (wire->script == WEBHOOKS_WIRE_DROP)
		end_connection(request, NULL);
	if (wire->script == WEBHOOKS_WIRE_HANG || wire->script == WEBHOOKS_WIRE_DROP)
		wire->hanging = request;
	else
		evhttp_send_reply(request, wire->script == WEBHOOKS_WIRE_REDIRECT ? 302 : wire->status,
						  "Answer", body);
	free(large);
	evbuffer_free(body);
}

static void
start_receiver(WebhooksWire *wire)
{
	struct evhttp_bound_socket *bound;
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	wire->http = evhttp_new(wire->base);
	evhttp_set_bevcb(wire->http, on_connection, wire);
	evhttp_set_gencb(wire->http, on_request, wire);
	bound = evhttp_bind_socket_with_handle(wire->http, "127.0.0.1", 0);
	ck_assert_ptr_nonnull(bound);
	ck_assert_int_eq(
		getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *) &address, &size), 0);
	wire->port = ntohs(address.sin_port);
}

const char *
webhooks_wire_header(const WebhooksWire *wire, const char *name)
{
	static char value[512];
	char start[128];
	const char *at;

	snprintf(start, sizeof(start), "\n%s: ", name);
	value[0] = '\0';
	at = strstr(wire->headers, start + 1) == wire->headers ? wire->headers - 1
														   : strstr(wire->headers, start);
	if (at != NULL)
	{
		at += strlen(start);
		snprintf(value, sizeof(value), "%.*s", (int) strcspn(at, "\n"), at);
	}
	return value;
}

/* ---- the name server ---- */

static void
add_answer(struct evdns_server_request *request, const char *name, int type, const char *text)
{
	bool v6 = strchr(text, ':') != NULL;
	unsigned char bytes[16];

	if (v6 != (type == EVDNS_TYPE_AAAA))
		return;
	ck_assert_int_eq(inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes), 1);
	if (v6)
		evdns_server_request_add_aaaa_reply(request, name, 1, bytes, 0);
	else
		evdns_server_request_add_a_reply(request, name, 1, bytes, 0);
}

static void
on_question(struct evdns_server_request *request, void *arg)
{
	WebhooksWire *wire = arg;
	struct evdns_server_question *question = request->questions[0];
	int at = 0;

	/* libevent mixes capital letters into the names that it asks for. */
	if (evutil_ascii_strncasecmp(question->name, "silent", strlen("silent")) == 0)
	{
		wire->questions += question->type == EVDNS_TYPE_A ? 1 : 0;
		wire->unanswered += question->type == EVDNS_TYPE_A ? 1 : 0;
		evdns_server_request_drop(request);
		return;
	}
	while (!wire->all_at_once && at < wire->questions && wire->answers[at] != NULL &&
		   wire->answers[at + 1] != NULL)
		at++;
	for (; wire->answers[at] != NULL; at++)
	{
		add_answer(request, question->name, question->type, wire->answers[at]);
		if (!wire->all_at_once)
			break;
	}
	wire->questions += question->type == EVDNS_TYPE_A ? 1 : 0;
	evdns_server_request_respond(request, wire->answers[0] == NULL ? DNS_ERR_NOTEXIST : 0);
}

static void
start_names(WebhooksWire *wire)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
								  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, size), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &address, &size), 0);
	wire->name_port = ntohs(address.sin_port);
	wire->names = evdns_add_server_port_with_base(wire->base, fd, 0, on_question, wire);
}

/* ---- attempts ---- */

void
webhooks_wire_start(WebhooksWire *wire)
{
	static const char *const nowhere[] = {NULL};
	char server[32];

	memset(wire, 0, sizeof(*wire));
	wire->status = 200;
	wire->answers = nowhere;
	wire->base = event_base_new();
	start_receiver(wire);
	start_names(wire);
	snprintf(server, sizeof(server), "127.0.0.1:%d", wire->name_port);
	wire->setup = (AttemptSetup){
		.destination = {.base = wire->base,
						.resolver = resolver_open(wire->base, server, DISPATCH_SENDING_MAX),
						.rules = &wire->rules},
		.transfers = transfers_open(wire->base, &wire->rules, NULL, "wa-worker"),
		.timeout_ms = 20000};
	ck_assert_ptr_nonnull(wire->setup.destination.resolver);
	ck_assert_ptr_nonnull(wire->setup.transfers);
}

void
webhooks_wire_stop(WebhooksWire *wire)
{
	transfers_close(wire->setup.transfers);
	resolver_close(wire->setup.destination.resolver);
	evdns_close_server_port(wire->names);
	evhttp_free(wire->http);
	event_base_loop(wire->base, EVLOOP_NONBLOCK);
	event_base_free(wire->base);
}

static void
on_done(void *arg, const AttemptResult *result)
{
	WebhooksWire *wire = arg;

	wire->done = true;
	wire->result = *result;
}

static void
on_impatience(evutil_socket_t fd, short what, void *arg)
{
	(void) fd;
	(void) what;
	*(bool *) arg = true;
}

void
webhooks_wire_run_until(WebhooksWire *wire, const bool *done)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	bool late = false;
	struct event *timer = evtimer_new(wire->base, on_impatience, &late);

	event_add(timer, &patience);
	while (!*done && !late)
		event_base_loop(wire->base, EVLOOP_ONCE);
	event_free(timer);
	ck_assert(*done);
}

/* No more than texts to a worker. */
const AttemptSignatures webhooks_wire_signatures = {
	.signed_ms = 1614265330999, .hmac = "00ff", .standard = "v1,new v1,old"};

void
webhooks_wire_attempt(WebhooksWire *wire, const char *url)
{
	static const char *const headers[] = {"X-Own: mine", "X-Empty;", NULL};
	char real[256];
	AttemptRequest request = {.url = real,
							  .headers = headers,
							  .event_id = "evt_1",
							  .body = "{}",
							  .body_len = 2,
							  .signatures = &webhooks_wire_signatures};
	const char *mark = strstr(url, "%d");

	memcpy(request.asker, wire->asker, sizeof(request.asker));
	if (mark == NULL)
		snprintf(real, sizeof(real), "%s", url);
	else
		snprintf(real, sizeof(real), "%.*s%d%s", (int) (mark - url), url, wire->port, mark + 2);
	wire->done = false;
	ck_assert_ptr_nonnull(attempt_start(&wire->setup, &request, on_done, wire));
	ck_assert(!wire->done);
	webhooks_wire_run_until(wire, &wire->done);
}
