/*
 * main.c
 *		wa-sandbox: a connector without WhatsApp behind it.
 *
 * It does through the connector functions what every connector does: leases
 * sessions, pairs them, claims their messages and message actions, reports what became
 * of each and hands in what arrives.  The telephones at the other end are its own: they
 * scan every QR code, type in every pairing code, read every message, react to a text with
 * "react" in it and repeat every text.  Only the number 15550000000 is on no telephone, so
 * that failures can be tried.
 *
 * One loop: renew and claim at each poll, take what is due one step further, sleep
 * until the next of these.  SIGTERM or SIGINT: nothing new is claimed, what is on its
 * way is finished without its delays within DRAIN_MS, the leases are given back.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/actions.h"
#include "sandbox/messages.h"
#include "sandbox/sessions.h"
#include "sandbox/store.h"
#include "lib/clock.h"
#include "lib/config.h"
#include "lib/log.h"
#include "lib/process.h"

#define SANDBOX_VERSION "1.0"
#define LEASE_MIN_MS 15000
#define RENEW_MS 1000
#define DRAIN_MS 5000

typedef struct Sandbox
{
	Store store;
	SandboxSessions sessions;
	SandboxMessages messages;
	SandboxActions actions;
	int64_t poll_ms;
	int64_t next_poll_ms;
	int64_t next_renewal_ms;
} Sandbox;

typedef struct Settings
{
	const char *database;
	const char *owner;
	const char *log_level;
	int64_t step_ms;
	int64_t poll_ms;
} Settings;

static volatile sig_atomic_t stop_requested = 0;

static void
request_stop(int signal_number)
{
	(void) signal_number;
	stop_requested = 1;
}

/*
 * The two signals stay blocked but while the loop sleeps, so that none can arrive
 * between the look at stop_requested and the sleep.
 */
static void
catch_signals(sigset_t *while_asleep)
{
	struct sigaction action;
	sigset_t blocked;

	memset(&action, 0, sizeof(action));
	action.sa_handler = request_stop;
	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, while_asleep);
	sigdelset(while_asleep, SIGTERM);
	sigdelset(while_asleep, SIGINT);
}

static ConfigResult
read_settings(int argc, char **argv, Settings *settings)
{
	const ConfigOption options[] = {
		{.flag = "database",
		 .environment = "WA_SANDBOX_DATABASE",
		 .argument = "CONNINFO",
		 .fallback = "",
		 .kind = CONFIG_TEXT,
		 .target = &settings->database,
		 .help = "libpq connection string; PG* variables fill what it leaves out"},
		{.flag = "owner",
		 .environment = "WA_SANDBOX_OWNER",
		 .argument = "NAME",
		 .kind = CONFIG_TEXT,
		 .target = &settings->owner,
		 .help = "name under which leases are held (default: made up at each start)"},
		{.flag = "step-ms",
		 .environment = "WA_SANDBOX_STEP_MS",
		 .argument = "MS",
		 .fallback = "300",
		 .kind = CONFIG_INTEGER,
		 .target = &settings->step_ms,
		 .min = 0,
		 .max = 60000,
		 .help = "delay between two states of a session or message"},
		{.flag = "poll-ms",
		 .environment = "WA_SANDBOX_POLL_MS",
		 .argument = "MS",
		 .fallback = "250",
		 .kind = CONFIG_INTEGER,
		 .target = &settings->poll_ms,
		 .min = 10,
		 .max = 5000,
		 .help = "time between two looks for new messages"},
		{.flag = "log-level",
		 .environment = "WA_LOG_LEVEL",
		 .argument = "LEVEL",
		 .fallback = "info",
		 .kind = CONFIG_CHOICE,
		 .target = &settings->log_level,
		 .choices = log_level_names,
		 .help = "debug, info, warning or error"},
		{.flag = NULL}};
	const ConfigProgram program = {.name = "wa-sandbox",
								   .version = SANDBOX_VERSION,
								   .summary =
									   "A connector with invented telephones, for trying out.",
								   .options = options};

	return config_read(&program, argc, argv);
}

/* Two sandboxes must not share a name: they would take over each other's leases. */
static bool
make_owner(char *out, size_t size)
{
	unsigned char random[8];

	if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random))
		return false;
	snprintf(out, size, "sandbox-%02x%02x%02x%02x%02x%02x%02x%02x", random[0], random[1], random[2],
			 random[3], random[4], random[5], random[6], random[7]);
	return true;
}

/*
 * Sessions are asked for less often than messages, but while one waits to be paired,
 * when a pairing code may be asked for.  A poll that brought a full claim is followed by the next at once.
 */
static void
look_for_work(Sandbox *sandbox, int64_t now_ms)
{
	int messages;
	int actions;

	if (now_ms < sandbox->next_poll_ms)
		return;
	sandbox->next_poll_ms = now_ms + sandbox->poll_ms;
	if (now_ms >= sandbox->next_renewal_ms || sessions_waiting(&sandbox->sessions))
	{
		if (!sessions_renew(&sandbox->sessions, &sandbox->store, now_ms))
			return;
		sandbox->next_renewal_ms = now_ms + RENEW_MS;
	}
	messages = messages_claim(&sandbox->messages, &sandbox->store, now_ms);
	actions = actions_claim(&sandbox->actions, &sandbox->store, now_ms);
	if (messages == SANDBOX_CLAIM_MAX || actions == SANDBOX_CLAIM_MAX)
		sandbox->next_poll_ms = now_ms;
}

/* Sleeps until a time, a signal, or a word from the server that nobody asked for. */
static void
sleep_until(Sandbox *sandbox, int64_t until_ms, const sigset_t *while_asleep)
{
	int64_t left = until_ms - clock_monotonic_ms();
	struct timespec timeout;
	struct pollfd watched = {.fd = -1, .events = POLLIN};

	if (left < 0)
		left = 0;
	timeout.tv_sec = left / 1000;
	timeout.tv_nsec = (left % 1000) * 1000000;
	if (sandbox->store.connection != NULL)
		watched.fd = PQsocket(sandbox->store.connection);
	if (ppoll(&watched, 1, &timeout, while_asleep) > 0)
		store_check(&sandbox->store);
}

/* Does what is due; returns when there will be something again. */
static int64_t
work(Sandbox *sandbox, int64_t now_ms)
{
	int64_t until_ms;

	look_for_work(sandbox, now_ms);
	sessions_step(&sandbox->sessions, &sandbox->store, now_ms);
	messages_step(&sandbox->messages, &sandbox->store, now_ms);
	actions_step(&sandbox->actions, &sandbox->store, now_ms);
	until_ms = sessions_due(&sandbox->sessions, sandbox->next_poll_ms);
	until_ms = messages_due(&sandbox->messages, until_ms);
	return actions_due(&sandbox->actions, until_ms);
}

/* Runs until a stop is requested; false when the login cannot be a connector. */
static bool
serve(Sandbox *sandbox, const sigset_t *while_asleep)
{
	while (!stop_requested)
	{
		int64_t now_ms = clock_monotonic_ms();
		StoreConnect connected = store_connect(&sandbox->store, now_ms);
		int64_t until_ms;

		if (connected == STORE_UNUSABLE)
			return false;
		until_ms =
			connected == STORE_CONNECTED ? work(sandbox, now_ms) : sandbox->store.next_attempt_ms;
		sleep_until(sandbox, until_ms, while_asleep);
	}
	return true;
}

/* Messages and actions that are on their way. */
static int
count_begun(const Sandbox *sandbox)
{
	return sandbox->messages.count + sandbox->actions.count;
}

/* Ends what was begun: nobody else can, before the leases run out. */
static void
drain(Sandbox *sandbox, const sigset_t *while_asleep)
{
	int64_t end_ms = clock_monotonic_ms() + DRAIN_MS;
	int begun = count_begun(sandbox);

	messages_hurry(&sandbox->messages);
	actions_hurry(&sandbox->actions);
	while (count_begun(sandbox) > 0 && sandbox->store.connection != NULL &&
		   clock_monotonic_ms() < end_ms)
	{
		int64_t until_ms;

		messages_step(&sandbox->messages, &sandbox->store, clock_monotonic_ms());
		actions_step(&sandbox->actions, &sandbox->store, clock_monotonic_ms());
		until_ms = messages_due(&sandbox->messages, end_ms);
		until_ms = actions_due(&sandbox->actions, until_ms);
		if (count_begun(sandbox) > 0)
			sleep_until(sandbox, until_ms, while_asleep);
	}
	if (sandbox->store.connection != NULL)
		sessions_release(&sandbox->sessions, &sandbox->store);
	log_line(LOG_LEVEL_INFO, "stopped", log_int("finished", begun - count_begun(sandbox)),
			 log_int("left", count_begun(sandbox)));
}

static int
run(const Settings *settings)
{
	static Sandbox sandbox; /* too large for a stack */
	char made_up[32];
	const char *owner = settings->owner;
	int step_ms = (int) settings->step_ms;
	int lease_ms = 4 * step_ms > LEASE_MIN_MS ? 4 * step_ms : LEASE_MIN_MS;
	sigset_t while_asleep;
	bool served;

	if (owner == NULL || owner[0] == '\0')
	{
		if (!make_owner(made_up, sizeof(made_up)))
			return CONFIG_EXIT_FAILED;
		owner = made_up;
	}
	if (!log_start())
		return CONFIG_EXIT_FAILED;
	process_report();
	catch_signals(&while_asleep);
	store_init(&sandbox.store, settings->database);
	sessions_init(&sandbox.sessions, owner, step_ms, lease_ms);
	messages_init(&sandbox.messages, owner, step_ms, lease_ms);
	actions_init(&sandbox.actions, owner, step_ms, lease_ms);
	sandbox.poll_ms = settings->poll_ms;
	log_line(LOG_LEVEL_INFO, "started", log_text("owner", owner), log_int("step_ms", step_ms));

	served = serve(&sandbox, &while_asleep);
	if (served)
		drain(&sandbox, &while_asleep);
	else
		log_line(LOG_LEVEL_ERROR, "cannot_start",
				 log_text("error", "the login cannot run the connector's statements"));
	messages_free(&sandbox.messages);
	actions_free(&sandbox.actions);
	store_close(&sandbox.store);
	return served ? EXIT_SUCCESS : CONFIG_EXIT_FAILED;
}

int
main(int argc, char **argv)
{
	Settings settings = {0};
	LogLevel level;

	process_confine();
	process_close_ports();
	switch (read_settings(argc, argv, &settings))
	{
		case CONFIG_RUN:
			break;
		case CONFIG_CHECK_ONLY:
		case CONFIG_DONE:
			return EXIT_SUCCESS;
		case CONFIG_USAGE:
			return CONFIG_EXIT_USAGE;
	}
	if (log_level_from_text(settings.log_level, &level))
		log_set_level(level);
	return run(&settings);
}
