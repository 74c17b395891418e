/*
 * test_webhooks_attempt.c
 *		One attempt to deliver: what arrives, and where none is made.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"
#include "tests/unit/webhooks_wire.h"

static WebhooksWire wire;

static void
start(void)
{
	webhooks_wire_start(&wire);
}

static void
stop(void)
{
	webhooks_wire_stop(&wire);
}

static void
allow(const char *range)
{
	ck_assert(egress_allow(&wire.rules, range));
}

static void
was_refused(const char *problem)
{
	ck_assert(!wire.result.delivered);
	ck_assert_int_eq(wire.result.status, 0);
	ck_assert_str_eq(wire.result.problem, problem);
	ck_assert_int_eq(wire.requests, 0);
}

START_TEST(the_request_is_as_documented)
{
	allow("127.0.0.1");
	webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/hook?x=1");
	ck_assert(wire.result.delivered);
	ck_assert_int_eq(wire.result.status, 200);
	ck_assert_ptr_null(wire.result.problem);
	ck_assert_str_eq(wire.body, "{}");
	ck_assert_str_eq(webhooks_wire_header(&wire, "Content-Type"), "application/json");
	ck_assert_str_eq(webhooks_wire_header(&wire, "X-Webhook-Request-Id"), "evt_1");
	ck_assert_str_eq(webhooks_wire_header(&wire, "webhook-id"), "evt_1");
	ck_assert_str_eq(webhooks_wire_header(&wire, "X-Webhook-Hmac-Algorithm"), "sha512");
	ck_assert_str_eq(webhooks_wire_header(&wire, "X-Webhook-Hmac"), "00ff");
	ck_assert_str_eq(webhooks_wire_header(&wire, "webhook-signature"), "v1,new v1,old");
	ck_assert_str_eq(webhooks_wire_header(&wire, "webhook-timestamp"), "1614265330");
	ck_assert_str_eq(webhooks_wire_header(&wire, "X-Webhook-Timestamp"), "1614265330999");
	ck_assert_str_eq(webhooks_wire_header(&wire, "X-Own"), "mine");
	ck_assert(strstr(wire.headers, "X-Empty: \n") != NULL);
	ck_assert(strstr(wire.headers, "Cookie") == NULL);
	ck_assert(strstr(wire.headers, "Expect") == NULL);
}
END_TEST

START_TEST(only_2xx_is_a_delivery)
{
	static const int good[] = {200, 201, 204, 299};
	static const int bad[] = {300, 304, 400, 404, 410, 429, 500, 503};

	allow("127.0.0.1");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		wire.status = good[i];
		webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
		ck_assert(wire.result.delivered);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		wire.status = bad[i];
		webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
		ck_assert(!wire.result.delivered);
		ck_assert_int_eq(wire.result.status, bad[i]);
		ck_assert_ptr_null(wire.result.problem);
	}
}
END_TEST

START_TEST(redirects_are_not_followed)
{
	allow("127.0.0.1");
	wire.script = WEBHOOKS_WIRE_REDIRECT;
	snprintf(wire.location, sizeof(wire.location), "http://127.0.0.1:%d/other", wire.port);
	webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
	ck_assert(!wire.result.delivered);
	ck_assert_int_eq(wire.result.status, 302);
	ck_assert_int_eq(wire.requests, 1);
}
END_TEST

START_TEST(a_silent_receiver_has_its_time_and_no_more)
{
	allow("127.0.0.1");
	wire.script = WEBHOOKS_WIRE_HANG;
	wire.setup.timeout_ms = 200;
	webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
	ck_assert(!wire.result.delivered);
	ck_assert_str_eq(wire.result.problem, "no answer in time");
	ck_assert_int_ge(wire.result.us, 190000);
	ck_assert_int_lt(wire.result.us, 20000000);
}
END_TEST

START_TEST(an_answer_has_a_largest_size)
{
	allow("127.0.0.1");
	wire.script = WEBHOOKS_WIRE_LARGE_BODY;
	webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
	ck_assert(wire.result.delivered);
	wire.script = WEBHOOKS_WIRE_LARGE_HEAD;
	webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
	ck_assert(!wire.result.delivered);
	ck_assert_str_eq(wire.result.problem, "the answer's head is too large");
}
END_TEST

START_TEST(a_connection_is_used_again)
{
	allow("127.0.0.1");
	for (int i = 1; i <= 3; i++)
	{
		webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
		ck_assert(wire.result.delivered);
		ck_assert_int_eq(wire.requests, i);
	}
	ck_assert_int_eq(wire.connections, 1);
}
END_TEST

/* Otherwise the time would tell one organization of another's deliveries. */
START_TEST(an_organization_does_not_use_the_connection_of_another)
{
	static const char *const here[] = {"127.0.0.1", NULL};
	static const char *const urls[] = {"http://127.0.0.1:%d/", "http://receiver.example:%d/"};

	allow("127.0.0.1");
	wire.answers = here;
	for (int url = 0; url < 2; url++)
	{
		wire.connections = 0;
		for (int turn = 0; turn < 3; turn++)
			for (int org = 1; org <= 2; org++)
			{
				memset(wire.asker, org, sizeof(wire.asker));
				webhooks_wire_attempt(&wire, urls[url]);
				ck_assert(wire.result.delivered);
				ck_assert_int_eq(wire.connections, turn > 0 ? 2 : org);
			}
	}
}
END_TEST

/* The receiver may have taken the request: whether it comes again is not for curl to say. */
START_TEST(a_request_is_sent_once_whatever_becomes_of_the_connection)
{
	allow("127.0.0.1");
	webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
	ck_assert(wire.result.delivered);
	wire.script = WEBHOOKS_WIRE_DROP;
	webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
	ck_assert(!wire.result.delivered);
	ck_assert_int_eq(wire.result.status, 0);
	ck_assert_str_eq(wire.result.problem, "the connection was closed before an answer");
	ck_assert_int_eq(wire.requests, 2);
	ck_assert_int_eq(wire.connections, 1);

	/* On a connection of its own, too. */
	webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
	ck_assert_str_eq(wire.result.problem, "the connection was closed before an answer");
	ck_assert_int_eq(wire.requests, 3);
	wire.script = WEBHOOKS_WIRE_STATUS;
	webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
	ck_assert(wire.result.delivered);
	ck_assert_int_eq(wire.requests, 4);
}
END_TEST

/* Nothing was sent by the old one, so that another is as good. */
START_TEST(a_connection_that_was_closed_while_idle_is_replaced)
{
	allow("127.0.0.1");
	wire.script = WEBHOOKS_WIRE_LEAVE;
	for (int i = 1; i <= 3; i++)
	{
		webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
		ck_assert(wire.result.delivered);
		ck_assert_int_eq(wire.requests, i);
		ck_assert_int_eq(wire.connections, i);
	}
}
END_TEST

START_TEST(a_receiver_may_say_when_to_come_again)
{
	static const struct
	{
		const char *value;
		int seconds;
	} cases[] = {
		{NULL, 0},
		{"120", 120},
		{"0", 0},
		{"-5", 0},
		{"soon", 0},
		{"999999999999", TRANSFER_RETRY_AFTER_MAX_S},
		{"Fri, 31 Dec 2100 23:59:59 GMT", TRANSFER_RETRY_AFTER_MAX_S},
		{"Sat, 01 Jan 2000 00:00:00 GMT", 0},
	};

	allow("127.0.0.1");
	wire.status = 503;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		wire.retry_after = cases[i].value;
		webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
		ck_assert_int_eq(wire.result.status, 503);
		ck_assert_int_eq(wire.result.retry_after_s, cases[i].seconds);
	}
}
END_TEST

START_TEST(nobody_listens)
{
	allow("127.0.0.1");
	webhooks_wire_attempt(&wire, "http://127.0.0.1:9999/");
	was_refused("could not connect");
}
END_TEST

START_TEST(an_address_that_is_not_allowed_gets_nothing)
{
	webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
	was_refused("the address is not allowed");
	webhooks_wire_attempt(&wire, "http://[::ffff:127.0.0.1]:%d/");
	was_refused("the address is not allowed");
	webhooks_wire_attempt(&wire, "http://0.0.0.0:%d/");
	was_refused("the address is not allowed");
	webhooks_wire_attempt(&wire, "http://2130706433:%d/");
	was_refused("the host is no dotted IPv4 address");
}
END_TEST

START_TEST(a_name_is_where_its_addresses_are)
{
	static const char *const here[] = {"127.0.0.1", NULL};

	wire.answers = here;
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	was_refused(RESOLVE_NOWHERE);
	allow("127.0.0.1");
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	ck_assert(wire.result.delivered);
	ck_assert(strncmp(webhooks_wire_header(&wire, "Host"), "receiver.example:", 17) == 0);
}
END_TEST

START_TEST(one_address_that_is_not_allowed_spoils_the_name)
{
	static const char *const both[] = {"127.0.0.1", "127.0.0.2", NULL};
	static const char *const families[] = {"127.0.0.1", "::1", NULL};

	allow("127.0.0.1");
	wire.all_at_once = true;
	wire.answers = both;
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	was_refused(RESOLVE_NOWHERE);
	wire.answers = families;
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	was_refused(RESOLVE_NOWHERE);
	allow("::1");
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	ck_assert(wire.result.delivered);
}
END_TEST

/* The machine itself has two addresses; who allows one of them has allowed the machine. */
START_TEST(localhost_is_where_it_is_allowed)
{
	static const char *const both[] = {"::1", "127.0.0.1", NULL};
	static const char *const mixed[] = {"127.0.0.1", "10.0.0.1", NULL};

	wire.all_at_once = true;
	wire.answers = both;
	webhooks_wire_attempt(&wire, "http://app.localhost:%d/");
	was_refused(RESOLVE_NOWHERE);
	allow("127.0.0.0/8");
	webhooks_wire_attempt(&wire, "http://app.localhost:%d/");
	ck_assert_ptr_null(wire.result.problem);
	ck_assert(wire.result.delivered);
	ck_assert_int_eq(wire.requests, 1);

	/* any other name, and any other address of this one, has to be allowed as a whole */
	wire.answers = mixed;
	webhooks_wire_attempt(&wire, "http://app.localhost:%d/");
	ck_assert_str_eq(wire.result.problem, RESOLVE_NOWHERE);
	wire.answers = both;
	webhooks_wire_attempt(&wire, "http://notlocalhost:%d/");
	ck_assert_str_eq(wire.result.problem, RESOLVE_NOWHERE);
	ck_assert_int_eq(wire.requests, 1);
}
END_TEST

/* Rebinding: what was looked up once for the check is what is connected to. */
START_TEST(a_name_that_changes_its_address_is_asked_once)
{
	static const char *const changing[] = {"127.0.0.1", "127.0.0.2", NULL};

	allow("127.0.0.1");
	wire.answers = changing;
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	ck_assert(wire.result.delivered);
	ck_assert_int_eq(wire.questions, 1);
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	ck_assert(!wire.result.delivered);
	ck_assert_str_eq(wire.result.problem, RESOLVE_NOWHERE);
	ck_assert_int_eq(wire.requests, 1);
}
END_TEST

START_TEST(a_name_that_is_not_there)
{
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	was_refused(RESOLVE_NOWHERE);
}
END_TEST

/* An answer of the name server that never comes. */
START_TEST(a_name_is_looked_up_within_the_time_too)
{
	wire.setup.timeout_ms = 300;
	resolver_close(wire.setup.destination.resolver);
	wire.setup.destination.resolver = resolver_open(wire.base, "192.0.2.1:53", 1);
	webhooks_wire_attempt(&wire, "http://receiver.example:%d/");
	was_refused("the name could not be resolved in time");
}
END_TEST

static void
on_transfer(void *arg, const TransferResult *result)
{
	const char **said = arg;

	ck_assert_int_eq(result->retry_after_s, 0);
	ck_assert_int_eq(result->status, 0);
	ck_assert(result->hopeless);
	*said = result->problem;
	wire.done = true;
}

/* As if the check of the addresses had let one through. */
START_TEST(the_last_wall_is_at_the_socket)
{
	static const char *const no_headers[] = {NULL};
	struct sockaddr_storage address = {0};
	struct sockaddr_in *v4 = (void *) &address;
	const char *problem = NULL;
	EgressTarget target;
	char url[64];
	TransferRequest request = {.url = url,
							   .target = &target,
							   .asker = wire.asker,
							   .addresses = &address,
							   .address_count = 1,
							   .headers = no_headers,
							   .body = "{}",
							   .body_len = 2,
							   .timeout_ms = 2000};

	v4->sin_family = AF_INET;
	v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	snprintf(url, sizeof(url), "http://receiver.example:%d/", wire.port);
	ck_assert_ptr_null(egress_parse(url, &target));
	ck_assert_ptr_nonnull(transfer_start(wire.setup.transfers, &request, on_transfer, &problem));
	webhooks_wire_run_until(&wire, &wire.done);
	ck_assert_str_eq(problem, "the address is not allowed");
	ck_assert_int_eq(wire.requests, 0);
}
END_TEST

/* The control: curl by itself would go where the environment says. */
START_TEST(proxies_of_the_environment_are_not_used)
{
	char proxy[64];

	allow("127.0.0.1");
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", 9999);
	setenv("http_proxy", proxy, 1);
	setenv("all_proxy", proxy, 1);
	setenv("ALL_PROXY", proxy, 1);
	webhooks_wire_attempt(&wire, "http://127.0.0.1:%d/");
	ck_assert(wire.result.delivered);
}
END_TEST

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void) fd;
	(void) what;
	(void) arg;
}

static void
must_not_come(void *arg, const AttemptResult *result)
{
	(void) arg;
	(void) result;
	ck_abort();
}

START_TEST(an_attempt_can_be_abandoned_at_any_time)
{
	static const char *const here[] = {"127.0.0.1", NULL};
	static const char *const no_headers[] = {NULL};
	char url[64];
	AttemptRequest request = {.url = url,
							  .headers = no_headers,
							  .event_id = "evt_1",
							  .body = "{}",
							  .body_len = 2,
							  .signatures = &webhooks_wire_signatures};

	const struct timeval soon = {.tv_usec = 2000};
	struct event *turn = event_new(wire.base, -1, EV_PERSIST, on_turn, NULL);

	event_add(turn, &soon);
	allow("127.0.0.1");
	wire.answers = here;
	wire.script = WEBHOOKS_WIRE_HANG;
	snprintf(url, sizeof(url), "http://receiver.example:%d/", wire.port);
	for (int turns = 0; turns < 12; turns++)
	{
		Attempt *attempt = attempt_start(&wire.setup, &request, must_not_come, NULL);

		ck_assert_ptr_nonnull(attempt);
		for (int i = 0; i < turns; i++)
			event_base_loop(wire.base, EVLOOP_ONCE);
		attempt_abandon(attempt);
	}
	for (int i = 0; i < 10; i++)
		event_base_loop(wire.base, EVLOOP_NONBLOCK);
	ck_assert_int_gt(wire.requests, 0);
	event_free(turn);
}
END_TEST

static void
add_tests(TCase *cases)
{
	const TTest *const tests[] = {the_request_is_as_documented,
								  only_2xx_is_a_delivery,
								  redirects_are_not_followed,
								  a_silent_receiver_has_its_time_and_no_more,
								  an_answer_has_a_largest_size,
								  a_connection_is_used_again,
								  an_organization_does_not_use_the_connection_of_another,
								  a_request_is_sent_once_whatever_becomes_of_the_connection,
								  a_connection_that_was_closed_while_idle_is_replaced,
								  a_receiver_may_say_when_to_come_again,
								  nobody_listens,
								  an_address_that_is_not_allowed_gets_nothing,
								  a_name_is_where_its_addresses_are,
								  one_address_that_is_not_allowed_spoils_the_name,
								  localhost_is_where_it_is_allowed,
								  a_name_that_changes_its_address_is_asked_once,
								  a_name_that_is_not_there,
								  a_name_is_looked_up_within_the_time_too,
								  the_last_wall_is_at_the_socket,
								  proxies_of_the_environment_are_not_used,
								  an_attempt_can_be_abandoned_at_any_time};

	tcase_add_checked_fixture(cases, start, stop);
	tcase_set_timeout(cases, 20);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
}

SUITE_WITH("webhooks_attempt", add_tests)
