/*
 * log_output.c
 *		Writes log lines to standard error without making the caller wait; see log_output.h.
 *
 * The operator chooses what standard error is: a pipe, a socket, a terminal, a file on a
 * network disk.  A write to any of them may block forever, and there is no way to avoid that
 * for all of them.  O_NONBLOCK would also change the descriptor of other processes that share
 * the open file, such as a shell, and has no effect on files on disk.  A pipe of another user
 * cannot be opened again.  poll() is not enough, because another process may fill the pipe
 * before our write().  So a thread does the writing, and only that thread waits.
 *
 * The lock is held while bytes are copied, never during a write.  The thread allocates
 * nothing and takes no other lock, so that a fork() at any moment leaves nothing half done in
 * the child.  The thread blocks all signals: the program's other threads handle them, and a
 * closed pipe is an error of write() here instead of a SIGPIPE.
 */
#include "lib/log_output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/process.h"

#define STACK_BYTES (256 * 1024)

/* A pipe takes this many bytes in one piece, so that lines of several processes do not mix. */
#define PIECE_MAX PIPE_BUF

/* When this many bytes wait, the thread is woken without log_output_wake(). */
#define WAITING_ENOUGH PIPE_BUF

#define TOLD_MAX 512 /* bytes of the line that reports lost lines */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Used with the lock held. */
static pthread_cond_t wanted; /* there is something to write */
static pthread_cond_t hurry;  /* the thread shall not rest */
static pthread_cond_t ended;  /* everything is written */
static bool started;
static bool busy;
static Buffer waiting;

/* Used by the thread only. */
static Buffer writing; /* swapped with "waiting" */
static Buffer telling;
static LogOutputTell tell_of;
static uint64_t told; /* lost lines that were already reported */
static bool torn;     /* the last line was written only in part */

static _Atomic uint64_t lost;

uint64_t
log_output_lost(void)
{
	return atomic_load(&lost);
}

/* ---- writing ---- */

/* Needed when another process has made standard error non-blocking. */
static void
wait_for_room(void)
{
	struct pollfd output = {.fd = STDERR_FILENO, .events = POLLOUT};

	(void) poll(&output, 1, -1);
}

/* Writes the bytes; returns how many were written, which is fewer than len after an error. */
static size_t
write_bytes(const char *data, size_t len)
{
	size_t done = 0;

	while (done < len)
	{
		ssize_t written = write(STDERR_FILENO, data + done, len - done);

		if (written > 0)
			done += (size_t) written;
		else if (written < 0 && errno == EAGAIN)
			wait_for_room();
		else if (written == 0 || errno != EINTR)
			break;
	}
	return done;
}

static uint64_t
count_lines(const char *data, size_t len)
{
	uint64_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += data[i] == '\n' ? 1 : 0;
	return count;
}

/* Writes whole lines.  False: some of them could not be written and are lost. */
static bool
write_lines(const char *data, size_t len)
{
	size_t done;

	if (torn && write_bytes("\n", 1) == 1)
		torn = false;
	done = torn ? 0 : write_bytes(data, len);
	if (done == len)
		return true;
	atomic_fetch_add(&lost, count_lines(data + done, len - done));
	if (done > 0)
		torn = data[done - 1] != '\n';
	return false;
}

/* The length of the next piece: the whole lines that fit into PIECE_MAX, or one longer line. */
static size_t
next_piece(const char *data, size_t len)
{
	const char *end = len > PIECE_MAX ? memrchr(data, '\n', PIECE_MAX) : data + len - 1;

	if (end == NULL)
		end = memchr(data, '\n', len);
	return end == NULL ? len : (size_t) (end - data) + 1;
}

static void
tell(void)
{
	uint64_t lines = log_output_lost() - told;

	buffer_clear(&telling);
	tell_of(&telling, lines);
	if (write_bytes(telling.data, telling.len) == telling.len)
		told += lines;
	else
		torn = true;
}

static void
write_out(void)
{
	bool all = true;

	for (size_t at = 0; writing.data != NULL && at < writing.len;)
	{
		size_t len = next_piece(writing.data + at, writing.len - at);

		all = write_lines(writing.data + at, len);
		at += len;
	}
	buffer_clear(&writing);
	if (all && log_output_lost() > told)
		tell();
}

/* ---- the thread ---- */

/* The time on the clock of the conditions, in some milliseconds. */
static struct timespec
time_in(int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L)
	{
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	return until;
}

/* With the lock held.  Nobody has to wake the thread meanwhile, which would take a system call. */
static void
rest(void)
{
	struct timespec until = time_in(LOG_OUTPUT_REST_MS);

	if (waiting.len < LOG_OUTPUT_HURRY)
		pthread_cond_timedwait(&hurry, &lock, &until);
}

static void *
run(void *nothing)
{
	(void) nothing;
	process_confine_thread();
	pthread_mutex_lock(&lock);
	for (;;)
	{
		Buffer swapped;

		busy = waiting.len > 0;
		if (!busy)
		{
			pthread_cond_broadcast(&ended);
			pthread_cond_wait(&wanted, &lock);
			continue;
		}
		swapped = waiting;
		waiting = writing;
		writing = swapped;
		pthread_mutex_unlock(&lock);
		write_out();
		pthread_mutex_lock(&lock);
		rest();
	}
	return NULL;
}

void
log_output_end(void)
{
	struct timespec until = time_in(LOG_OUTPUT_END_MS);

	if (!started)
		return;
	pthread_mutex_lock(&lock);
	pthread_cond_signal(&wanted);
	pthread_cond_signal(&hurry);
	while ((busy || waiting.len > 0) && pthread_cond_timedwait(&ended, &lock, &until) == 0)
		;
	pthread_mutex_unlock(&lock);
}

static void
init_conditions(void)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&wanted, &monotonic);
	pthread_cond_init(&hurry, &monotonic);
	pthread_cond_init(&ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void
before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void
after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

/* The child has no thread, and the parent writes the lines that wait. */
static void
in_child(void)
{
	started = false;
	busy = false;
	torn = false;
	told = 0;
	atomic_store(&lost, 0);
	buffer_clear(&waiting);
	buffer_clear(&writing);
	pthread_mutex_unlock(&lock);
}

/* Allocates and registers what is needed; does so only once in a program. */
static bool
prepare(void)
{
	static bool prepared;

	if (prepared)
		return true;
	buffer_init(&waiting, LOG_OUTPUT_MAX);
	buffer_init(&writing, LOG_OUTPUT_MAX);
	buffer_init(&telling, TOLD_MAX);
	prepared = buffer_reserve(&waiting, LOG_OUTPUT_MAX) &&
			   buffer_reserve(&writing, LOG_OUTPUT_MAX) && buffer_reserve(&telling, TOLD_MAX) &&
			   pthread_atfork(before_fork, after_fork, in_child) == 0 &&
			   atexit(log_output_end) == 0;
	return prepared;
}

static bool
start_thread(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	bool ok;

	sigfillset(&all);
	if (pthread_attr_init(&attributes) != 0)
		return false;
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ok = pthread_create(&thread, &attributes, run, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return ok;
}

bool
log_output_start(LogOutputTell tell_function)
{
	if (started)
		return true;
	if (!prepare())
		return false;
	init_conditions();
	tell_of = tell_function;
	started = start_thread();
	return started;
}

/* ---- for log.c ---- */

void
log_output_wake(void)
{
	if (started)
		pthread_cond_signal(&wanted);
}

void
log_output_line(const char *line, size_t len)
{
	bool enough;
	bool much;

	if (!started)
	{
		write_lines(line, len);
		return;
	}
	pthread_mutex_lock(&lock);
	if (len > waiting.max - waiting.len || !buffer_append(&waiting, line, len))
		atomic_fetch_add(&lost, 1);
	enough = waiting.len >= WAITING_ENOUGH;
	much = waiting.len >= LOG_OUTPUT_HURRY;
	pthread_mutex_unlock(&lock);
	if (enough)
		log_output_wake();
	if (much)
		pthread_cond_signal(&hurry);
}
