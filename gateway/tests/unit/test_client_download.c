/*
 * test_client_download.c
 *		Files from URLs that are not trusted: what is given, and what is refused.
 */
#include <stdio.h>
#include <string.h>

#include "client/download.h"
#include "tests/unit/suite.h"
#include "tests/unit/webhooks_wire.h"

static WebhooksWire wire;
static DownloadSetup setup;
static char file[16];
static size_t file_len;
static bool has_room;
static bool done;
static char problem[DOWNLOAD_PROBLEM_MAX]; /* "": none */
static bool retry;
static const DownloadAccess *with; /* NULL: no credential is sent */

static bool
on_bytes(void *context, const void *bytes, size_t len)
{
	ck_assert_ptr_eq(context, &wire);
	if (file_len + len <= sizeof(file))
		memcpy(file + file_len, bytes, len);
	file_len += len;
	return has_room;
}

static void
on_done(void *context, const char *why, bool again)
{
	ck_assert_ptr_eq(context, &wire);
	ck_assert(!done);
	done = true;
	snprintf(problem, sizeof(problem), "%s", why == NULL ? "" : why);
	retry = again;
}

static const DownloadEvents events = {.bytes = on_bytes, .done = on_done};

static void
start(void)
{
	webhooks_wire_start(&wire);
	setup = (DownloadSetup){.destination = wire.setup.destination,
							.transfers = wire.setup.transfers,
							.timeout_ms = 20000,
							.bytes_max = sizeof(file)};
	file_len = 0;
	has_room = true;
	with = NULL;
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

static Download *
begin(const char *host)
{
	char url[128];

	snprintf(url, sizeof(url), "http://%s:%d/file", host, wire.port);
	done = false;
	return download_start(&setup, wire.asker, url, with, &events, &wire);
}

static void
run(const char *host)
{
	ck_assert_ptr_nonnull(begin(host));
	ck_assert(!done);
	webhooks_wire_run_until(&wire, &done);
}

static void
has_failed(const char *expected, bool again)
{
	ck_assert_str_eq(problem, expected);
	ck_assert(retry == again);
}

START_TEST(a_file_is_given_as_it_is)
{
	allow("127.0.0.1");
	run("127.0.0.1");
	has_failed("", false);
	ck_assert_uint_eq(file_len, 2);
	ck_assert_mem_eq(file, "ok", 2);
	ck_assert_str_eq(wire.body, "");
	ck_assert_str_eq(webhooks_wire_header(&wire, "Content-Type"), "");
}
END_TEST

START_TEST(who_has_no_room_is_not_given_more)
{
	Download *download;
	size_t before;

	allow("127.0.0.1");
	wire.script = WEBHOOKS_WIRE_LARGE_BODY;
	setup.bytes_max = 1024 * 1024;
	has_room = false;
	download = begin("127.0.0.1");
	ck_assert_ptr_nonnull(download);
	download_resume(download); /* nothing is under way yet */
	while (file_len == 0)
		event_base_loop(wire.base, EVLOOP_ONCE);
	before = file_len;
	for (int i = 0; i < 20; i++)
		event_base_loop(wire.base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(file_len, before);
	ck_assert(!done);
	has_room = true;
	download_resume(download);
	webhooks_wire_run_until(&wire, &done);
	has_failed("", false);
	ck_assert_uint_eq(file_len, 256 * 1024);
}
END_TEST

START_TEST(addresses_that_are_not_allowed_get_nothing)
{
	static const char *const answers[] = {"127.0.0.1", NULL};

	run("127.0.0.1");
	has_failed("the address is not allowed", false);
	wire.answers = answers;
	run("files.example");
	has_failed(RESOLVE_NOWHERE, true);
	ck_assert_int_eq(wire.requests, 0);
}
END_TEST

/* The second address is not allowed, whoever leads there. */
START_TEST(a_redirect_is_checked_again)
{
	allow("127.0.0.1");
	wire.script = WEBHOOKS_WIRE_REDIRECT;
	snprintf(wire.location, sizeof(wire.location), "http://127.0.0.2:%d/", wire.port);
	run("127.0.0.1");
	has_failed("the address is not allowed", false);
	ck_assert_int_eq(wire.requests, 1);
	snprintf(wire.location, sizeof(wire.location), "file:///etc/passwd");
	run("127.0.0.1");
	has_failed("it is neither http nor https", false);
	ck_assert_uint_eq(file_len, 0);
}
END_TEST

START_TEST(redirects_are_bounded)
{
	allow("127.0.0.1");
	wire.script = WEBHOOKS_WIRE_REDIRECT;
	snprintf(wire.location, sizeof(wire.location), "/again");
	run("127.0.0.1");
	has_failed("there are too many redirects", false);
	ck_assert_int_eq(wire.requests, DOWNLOAD_REDIRECTS_MAX + 1);
}
END_TEST

START_TEST(a_large_file_is_refused)
{
	allow("127.0.0.1");
	wire.script = WEBHOOKS_WIRE_LARGE_BODY;
	run("127.0.0.1");
	has_failed("the file is too large", false);
	ck_assert_uint_eq(file_len, 0);
}
END_TEST

START_TEST(a_slow_answer_is_not_waited_for)
{
	allow("127.0.0.1");
	setup.timeout_ms = 100;
	wire.script = WEBHOOKS_WIRE_HANG;
	run("127.0.0.1");
	has_failed("no answer in time", true);
}
END_TEST

START_TEST(a_status_says_whether_to_try_again)
{
	static const struct
	{
		int status;
		bool again;
	} cases[] = {{404, false}, {403, false}, {206, false}, {500, true},
				 {503, true},  {429, true},  {408, true}};
	char expected[64];

	allow("127.0.0.1");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		wire.status = cases[i].status;
		run("127.0.0.1");
		snprintf(expected, sizeof(expected), "the answer has the status %d", cases[i].status);
		has_failed(expected, cases[i].again);
	}
	ck_assert_uint_eq(file_len, 0);
}
END_TEST

/* In the clear it goes to the machine itself only. */
START_TEST(a_credential_is_sent_to_the_hosts_that_may_have_it)
{
	static const char *const answers[] = {"127.0.0.1", NULL};
	static const char *const hosts[] = {"127.0.0.1", "files.example", ".example", NULL};
	const DownloadAccess held = {.header = "Authorization: Bearer secret", .hosts = hosts};
	const DownloadAccess others = {.header = "Authorization: Bearer secret", .hosts = hosts + 1};

	allow("127.0.0.0/8");
	wire.answers = answers;
	with = &held;
	run("127.0.0.1");
	has_failed("", false);
	ck_assert_str_eq(webhooks_wire_header(&wire, "Authorization"), "Bearer secret");
	run("files.example");
	has_failed("the file is on a host that may not have the credential", false);
	with = &others;
	run("127.0.0.1");
	has_failed("the file is on a host that may not have the credential", false);
	ck_assert_int_eq(wire.requests, 1);
}
END_TEST

/* Nor by a redirect. */
START_TEST(a_credential_does_not_follow_to_another_host)
{
	static const char *const hosts[] = {"127.0.0.1", NULL};
	const DownloadAccess held = {.header = "Authorization: Bearer secret", .hosts = hosts};

	allow("127.0.0.0/8");
	with = &held;
	wire.script = WEBHOOKS_WIRE_REDIRECT;
	snprintf(wire.location, sizeof(wire.location), "http://127.0.0.2:%d/", wire.port);
	run("127.0.0.1");
	has_failed("the file is on a host that may not have the credential", false);
	ck_assert_int_eq(wire.requests, 1);
}
END_TEST

/* The URL lives for a short time, and the next one may be right. */
START_TEST(a_credential_that_is_refused_may_have_come_too_late)
{
	static const char *const hosts[] = {"127.0.0.1", NULL};
	const DownloadAccess held = {.header = "Authorization: Bearer secret", .hosts = hosts};

	allow("127.0.0.1");
	with = &held;
	wire.status = 404;
	run("127.0.0.1");
	has_failed("the answer has the status 404", true);
	wire.status = 410;
	run("127.0.0.1");
	has_failed("the answer has the status 410", false);
}
END_TEST

START_TEST(an_abandoned_one_tells_nothing)
{
	Download *download;

	allow("127.0.0.1");
	wire.script = WEBHOOKS_WIRE_HANG;
	download = begin("127.0.0.1");
	download_abandon(download);
	download = begin("127.0.0.1");
	while (wire.requests == 0)
		event_base_loop(wire.base, EVLOOP_ONCE);
	download_abandon(download);
	ck_assert(!done);
}
END_TEST

static void
add_tests(TCase *cases)
{
	const TTest *const tests[] = {a_file_is_given_as_it_is,
								  who_has_no_room_is_not_given_more,
								  addresses_that_are_not_allowed_get_nothing,
								  a_redirect_is_checked_again,
								  redirects_are_bounded,
								  a_large_file_is_refused,
								  a_slow_answer_is_not_waited_for,
								  a_status_says_whether_to_try_again,
								  a_credential_is_sent_to_the_hosts_that_may_have_it,
								  a_credential_does_not_follow_to_another_host,
								  a_credential_that_is_refused_may_have_come_too_late,
								  an_abandoned_one_tells_nothing};

	tcase_add_checked_fixture(cases, start, stop);
	tcase_set_timeout(cases, 20);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
}

SUITE_WITH("client_download", add_tests)
