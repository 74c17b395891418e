/*
 * processes.c
 *		Several processes that serve, and one that watches them; see processes.h.
 *
 * Each process is a fork with its own loop and its own database connections.  They share the
 * port by SO_REUSEPORT.  The watcher serves nothing.  It keeps the address bound, so that
 * "port 0" means the same port for all processes, also for those that are started later.
 *
 * A process that dies is started again after a back-off.  A process that cannot start (for
 * example because another program has the port) is given up after PROCESS_STARTS_MAX tries.
 * When all are given up the watcher ends too, so that whatever started it notices.
 *
 * The watcher blocks its signals and waits for them with sigtimedwait(), so that it misses
 * none that comes between two waits.
 */
#include "serve/processes.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/config.h"
#include "lib/log.h"
#include "serve/service.h"
#include "serve/settings.h"

/* How often the watcher checks whether a process must be started again. */
#define LOOK_NS (500 * 1000 * 1000)

typedef struct Process
{
	pid_t pid; /* 0: not running */
	int64_t started_ms;
	int64_t next_start_ms;
	int early; /* how often in a row it has ended soon after its start */
	bool given_up;
} Process;

typedef struct Watcher
{
	const char *listen;
	Metrics *metrics;
	const volatile sig_atomic_t *stops;
	sigset_t signals; /* the ones it waits for */
	sigset_t before;  /* the signal mask for the processes */
	Process processes[SETTINGS_PROCESSES_MAX];
} Watcher;

int64_t
processes_restart_delay(int *early, int64_t ran_ms, bool could_not_start)
{
	int64_t delay = PROCESS_RESTART_FIRST_MS;

	*early = ran_ms < PROCESS_STEADY_MS ? *early + 1 : 0;
	if (could_not_start && *early >= PROCESS_STARTS_MAX)
		return -1;
	for (int i = 1; i < *early && delay < PROCESS_RESTART_LAST_MS; i++)
		delay *= 2;
	return delay < PROCESS_RESTART_LAST_MS ? delay : PROCESS_RESTART_LAST_MS;
}

/*
 * Serves, in the forked process.  It ends by _exit(), because the exit() handlers belong to
 * the watcher, and the handler of the leak check looks for a thread that only the watcher has.
 */
static _Noreturn void
serve(Watcher *watcher, const Process *process)
{
	int status = CONFIG_EXIT_FAILED;

	sigprocmask(SIG_SETMASK, &watcher->before, NULL);
	if (log_start())
	{
		metrics_enter(watcher->metrics, (int) (process - watcher->processes));
		status = service_run(watcher->listen, watcher->metrics, watcher->stops);
	}
	log_end();
	_exit(status);
}

static void
start_process(Watcher *watcher, Process *process)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0)
	{
		/* The process stops when its watcher ends.  The watcher may have ended already. */
		if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
			_exit(CONFIG_EXIT_FAILED);
		serve(watcher, process);
	}
	process->started_ms = clock_monotonic_ms();
	if (pid < 0)
	{
		process->next_start_ms = process->started_ms + PROCESS_RESTART_FIRST_MS;
		log_line(LOG_LEVEL_ERROR, "worker_not_started");
		return;
	}
	process->pid = pid;
	log_line(LOG_LEVEL_INFO, "worker_started", log_int("worker", pid));
}

static void
note_end(Process *process, int status)
{
	int64_t now = clock_monotonic_ms();
	bool could_not_start = WIFEXITED(status) && WEXITSTATUS(status) == CONFIG_EXIT_FAILED;
	int64_t delay =
		processes_restart_delay(&process->early, now - process->started_ms, could_not_start);

	log_line(LOG_LEVEL_INFO, "worker_ended", log_int("worker", process->pid),
			 log_int("exit", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
			 log_int("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	process->given_up = delay < 0;
	process->next_start_ms = now + delay;
	if (process->given_up)
	{
		log_line(LOG_LEVEL_ERROR, "worker_given_up", log_int("worker", process->pid),
				 log_int("starts", process->early));
	}
	process->pid = 0;
}

/* Collects all processes that have ended; returns how many still run. */
static int
reap_processes(Watcher *watcher)
{
	int running = 0;

	for (int i = 0; i < gateway_settings.workers; i++)
	{
		Process *process = &watcher->processes[i];
		int status;

		if (process->pid != 0 && waitpid(process->pid, &status, WNOHANG) == process->pid)
			note_end(process, status);
		running += process->pid != 0 ? 1 : 0;
	}
	return running;
}

/* Starts the processes that are due; false when all have been given up. */
static bool
start_processes(Watcher *watcher)
{
	int64_t now = clock_monotonic_ms();
	bool any = false;

	for (int i = 0; i < gateway_settings.workers; i++)
	{
		Process *process = &watcher->processes[i];

		if (process->pid == 0 && !process->given_up && now >= process->next_start_ms)
			start_process(watcher, process);
		any |= !process->given_up;
	}
	return any;
}

static void
signal_processes(const Watcher *watcher, int number)
{
	for (int i = 0; i < gateway_settings.workers; i++)
		if (watcher->processes[i].pid != 0)
			kill(watcher->processes[i].pid, number);
}

/*
 * Waits for a signal or until LOOK_NS are over; true when it was a signal to stop.  SIGHUP is
 * passed on to the processes.
 */
static bool
wait_for_stop(const Watcher *watcher)
{
	const struct timespec pause = {.tv_sec = 0, .tv_nsec = LOOK_NS};
	int number = sigtimedwait(&watcher->signals, NULL, &pause);

	if (number == SIGHUP)
		signal_processes(watcher, SIGHUP);
	return number == SIGTERM || number == SIGINT;
}

/* Keeps the processes running until a signal to stop, then waits until all have ended. */
static int
watch(Watcher *watcher)
{
	bool stopped = *watcher->stops > 0;
	bool alive = true;

	while (!stopped && alive)
	{
		reap_processes(watcher);
		alive = start_processes(watcher);
		stopped = alive && wait_for_stop(watcher);
	}
	signal_processes(watcher, SIGTERM);
	while (reap_processes(watcher) > 0)
		if (wait_for_stop(watcher))
			signal_processes(watcher, SIGTERM);
	log_line(alive ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "all_workers_stopped");
	return alive ? 0 : CONFIG_EXIT_FAILED;
}

int
processes_run(Metrics *metrics, const volatile sig_atomic_t *stops)
{
	static Watcher watcher;
	char bound[128];
	char error[256];
	int reserved =
		http_reserve_port(gateway_settings.listen, bound, sizeof(bound), error, sizeof(error));
	int status;

	if (reserved < 0)
	{
		log_line(LOG_LEVEL_ERROR, "cannot_start", log_text("reason", error));
		return CONFIG_EXIT_FAILED;
	}
	watcher = (Watcher){.listen = bound, .metrics = metrics, .stops = stops};
	sigemptyset(&watcher.signals);
	sigaddset(&watcher.signals, SIGTERM);
	sigaddset(&watcher.signals, SIGINT);
	sigaddset(&watcher.signals, SIGCHLD);
	sigaddset(&watcher.signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &watcher.signals, &watcher.before);
	status = watch(&watcher);
	close(reserved);
	return status;
}
