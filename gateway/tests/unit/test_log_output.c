/*
 * test_log_output.c
 *		Whoever logs never waits, whatever standard error is, and no line is lost in silence.
 *
 * Each case is a child whose standard error is what the test made it.  Nobody reads until
 * the child has logged all its lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/log_output.h"
#include "tests/unit/suite.h"

/* More than what waits in us and in any pipe. */
#define LINES 20000

/* What a child says of itself on a descriptor of its own. */
static int said[2];

/* ---- what standard error can be: ends[0] is read, ends[1] is written ---- */

static void
open_pipe(int ends[2])
{
	ck_assert_int_eq(pipe(ends), 0);
}

static void
open_nonblocking_pipe(int ends[2])
{
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
}

static void
open_socket(int ends[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
}

static void
open_terminal(int ends[2])
{
	struct termios raw;

	ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
	ck_assert_int_ge(ends[0], 0);
	ck_assert(grantpt(ends[0]) == 0 && unlockpt(ends[0]) == 0);
	ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(ends[1], 0);
	ck_assert_int_eq(tcgetattr(ends[1], &raw), 0);
	cfmakeraw(&raw);
	ck_assert_int_eq(tcsetattr(ends[1], TCSANOW, &raw), 0);
}

static void
open_full_disk(int ends[2])
{
	ends[0] = open("/dev/null", O_RDONLY);
	ends[1] = open("/dev/full", O_WRONLY);
	ck_assert_int_ge(ends[1], 0);
}

static void
open_pipe_without_reader(int ends[2])
{
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	ends[0] = open("/dev/null", O_RDONLY);
}

static void
open_socket_without_reader(int ends[2])
{
	open_socket(ends);
	close(ends[0]);
	ends[0] = open("/dev/null", O_RDONLY);
}

/* A descriptor that is no file. */
static void
open_nothing(int ends[2])
{
	ends[0] = open("/dev/null", O_RDONLY);
	ends[1] = -1;
}

/* ---- children ---- */

/* A child that runs with standard error = ends[1]; it ends as a program does. */
static pid_t
start(const int ends[2], void (*run)(void))
{
	pid_t child = fork();

	if (child != 0)
	{
		close(ends[1]);
		close(said[1]);
		return child;
	}
	if (ends[1] >= 0)
		dup2(ends[1], STDERR_FILENO);
	else
		close(STDERR_FILENO);
	close(ends[0]);
	close(ends[1]);
	close(said[0]);
	alarm(200);
	if (!log_start())
		_exit(2);
	run();
	exit(0);
}

static void
say(const char *word)
{
	if (write(said[1], word, 1) != 1)
		_exit(3);
}

static void
await(void)
{
	char word;

	ck_assert_int_eq(read(said[0], &word, 1), 1);
}

static void
await_end(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}

static void
log_lines(int first, int count)
{
	for (int i = first; i < first + count; i++)
		log_line(LOG_LEVEL_INFO, "line", log_int("i", i), log_text("end", "here"));
}

static void
log_all(void)
{
	log_lines(0, LINES);
	say("x");
}

/* Where somebody reads, if slowly: all is written before the child ends. */
static void
end_patiently(void)
{
	for (int i = 0; i < 10; i++)
		log_end();
}

static void
log_all_patiently(void)
{
	log_all();
	end_patiently();
}

/* In a child: waits, for as long as the alarm lets it, until so many lines are lost. */
static void
await_lost(uint64_t lines)
{
	while (log_lost() < lines)
		usleep(1000);
}

/* ---- what was written ---- */

typedef struct Written
{
	uint64_t lines; /* whole ones */
	uint64_t torn;
	uint64_t lost; /* those that are told of */
	int times[LINES];
} Written;

static void
take_line(Written *written, const char *line)
{
	const char *i = strstr(line, " event=line i=");
	const char *lost = strstr(line, " level=warning ");

	if (strncmp(line, "time=", 5) != 0)
		written->torn++;
	else if (i != NULL && strstr(line, " end=here\n") != NULL)
	{
		written->lines++;
		written->times[atoi(i + 14)]++;
	}
	else if (lost != NULL && strstr(line, " event=log_lines_lost lines=") != NULL)
		written->lost += strtoull(strstr(line, "lines=") + 6, NULL, 10);
	else
		written->torn++;
}

static Written *
read_all(int fd)
{
	static Written written;
	FILE *file = fdopen(fd, "r");
	char line[512];

	ck_assert_ptr_nonnull(file);
	memset(&written, 0, sizeof(written));
	while (fgets(line, sizeof(line), file) != NULL)
		take_line(&written, line);
	fclose(file);
	return &written;
}

/* ---- nobody reads ---- */

static void (*const unread[])(int[2]) = {open_pipe, open_nonblocking_pipe, open_socket,
										 open_terminal};

START_TEST(nobody_waits_for_a_reader_and_lines_that_are_lost_are_told_of)
{
	int ends[2];
	pid_t child;
	const Written *written;

	unread[_i](ends);
	ck_assert_int_eq(pipe(said), 0);
	child = start(ends, log_all_patiently);
	await();
	written = read_all(ends[0]);
	await_end(child);
	ck_assert_uint_gt(written->lines, 0);
	ck_assert_uint_gt(written->lost, 0);
	ck_assert_uint_eq(written->torn, 0);
	ck_assert_uint_eq(written->lines + written->lost, LINES);
}
END_TEST

static void
log_all_into_nothing(void)
{
	log_lines(0, LINES);
	await_lost(LINES);
	say("x");
}

static void (*const unwritable[])(int[2]) = {open_full_disk, open_pipe_without_reader,
											 open_socket_without_reader, open_nothing};

START_TEST(what_cannot_be_written_costs_nothing_but_the_lines)
{
	int ends[2];
	pid_t child;

	unwritable[_i](ends);
	ck_assert_int_eq(pipe(said), 0);
	child = start(ends, log_all_into_nothing);
	await();
	await_end(child);
}
END_TEST

/* The end of the program does not wait for ever, either. */
START_TEST(a_program_ends_though_nobody_reads)
{
	int ends[2];
	pid_t child;

	unread[_i](ends);
	ck_assert_int_eq(pipe(said), 0);
	child = start(ends, log_all);
	await();
	await_end(child);
	close(ends[0]);
}
END_TEST

START_TEST(whoever_shares_the_file_finds_it_as_it_was)
{
	int ends[2];
	int flags;
	pid_t child;

	open_pipe(ends);
	flags = fcntl(ends[1], F_GETFL);
	ck_assert_int_eq(pipe(said), 0);
	dup2(ends[1], 100);
	child = start(ends, log_all);
	await();
	ck_assert_int_eq(fcntl(100, F_GETFL), flags);
	close(100);
	read_all(ends[0]);
	await_end(child);
}
END_TEST

/* ---- it can be written again ---- */

static int later;

static void
lose_some_and_go_on(void)
{
	log_lines(0, 10);
	await_lost(10);
	dup2(later, STDERR_FILENO);
	close(later);
	log_lines(10, 1);
}

START_TEST(lost_lines_are_told_of_by_the_next_that_is_written)
{
	int full[2];
	int ends[2];
	pid_t child;
	const Written *written;

	open_full_disk(full);
	open_pipe(ends);
	later = ends[1];
	ck_assert_int_eq(pipe(said), 0);
	child = start(full, lose_some_and_go_on);
	close(ends[1]);
	written = read_all(ends[0]);
	await_end(child);
	ck_assert_uint_eq(written->lines, 1);
	ck_assert_uint_eq(written->lost, 10);
}
END_TEST

#define FEW_BYTES 1000

static void
fill_the_disk_and_empty_it(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = FEW_BYTES;
	setrlimit(RLIMIT_FSIZE, &limit);
	log_lines(0, 100);
	await_lost(1);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	log_lines(100, 1);
}

START_TEST(a_line_that_was_cut_by_a_full_disk_is_not_glued_to_the_next)
{
	char name[] = "/tmp/test_log_output.XXXXXX";
	int ends[2];
	const Written *written;

	ends[1] = mkstemp(name);
	ends[0] = open(name, O_RDONLY);
	ck_assert_int_ge(ends[0], 0);
	unlink(name);
	fcntl(ends[1], F_SETFL, O_APPEND);
	ck_assert_int_eq(pipe(said), 0);
	await_end(start(ends, fill_the_disk_and_empty_it));
	written = read_all(ends[0]);
	ck_assert_uint_eq(written->times[100], 1);
	ck_assert_uint_le(written->torn, 1);
	ck_assert_uint_eq(written->lines + written->lost, 101);
}
END_TEST

/* ---- a busy program ---- */

/* A shorter write is the last one of those for which the thread was woken. */
#define PIECE_SHORT 2048

#define BUSY_LINES 300

static int rests;
static int short_rests;

/* Measures the time between what the thread writes. */
ssize_t
write(int fd, const void *bytes, size_t len)
{
	static int64_t rests_since_us;
	ssize_t written;

	if (fd == STDERR_FILENO && rests_since_us > 0)
	{
		rests++;
		short_rests += clock_monotonic_us() - rests_since_us < LOG_OUTPUT_REST_MS * 1000 ? 1 : 0;
	}
	written = syscall(SYS_write, fd, bytes, len);
	if (fd == STDERR_FILENO)
		rests_since_us = len < PIECE_SHORT ? clock_monotonic_us() : 0;
	return written;
}

static void
log_one_line_after_the_other(void)
{
	for (int i = 0; i < BUSY_LINES; i++)
	{
		log_lines(i, 1);
		usleep(100);
	}
	if (short_rests > 0 || rests == 0)
		_exit(4);
	end_patiently();
}

START_TEST(a_busy_program_does_not_wake_the_thread_for_each_line)
{
	int ends[2];
	pid_t child;
	const Written *written;

	open_pipe(ends);
	ck_assert_int_eq(pipe(said), 0);
	child = start(ends, log_one_line_after_the_other);
	written = read_all(ends[0]);
	await_end(child);
	ck_assert_uint_eq(written->lines, BUSY_LINES);
}
END_TEST

/* ---- fork ---- */

static void
fork_while_lines_wait(void)
{
	pid_t child;

	log_lines(0, 4000);
	child = fork();
	if (child == 0)
	{
		if (!log_start())
			_exit(2);
		log_lines(4000, 1);
		end_patiently();
		_exit(0);
	}
	say("x");
	waitpid(child, NULL, 0);
	log_lines(4001, 1);
	end_patiently();
}

START_TEST(a_fork_has_its_own_thread_and_does_not_repeat_what_waited)
{
	int ends[2];
	pid_t child;
	const Written *written;

	open_pipe(ends);
	ck_assert_int_eq(pipe(said), 0);
	child = start(ends, fork_while_lines_wait);
	await();
	written = read_all(ends[0]);
	await_end(child);
	for (int i = 0; i <= 4001; i++)
		ck_assert_int_eq(written->times[i], 1);
	ck_assert_uint_eq(written->lost + written->torn, 0);
}
END_TEST

static void
add_tests(TCase *cases)
{
	const int unread_count = (int) (sizeof(unread) / sizeof(unread[0]));
	const int unwritable_count = (int) (sizeof(unwritable) / sizeof(unwritable[0]));

	tcase_set_timeout(cases, 30);
	tcase_add_loop_test(cases, nobody_waits_for_a_reader_and_lines_that_are_lost_are_told_of, 0,
						unread_count);
	tcase_add_loop_test(cases, what_cannot_be_written_costs_nothing_but_the_lines, 0,
						unwritable_count);
	tcase_add_loop_test(cases, a_program_ends_though_nobody_reads, 0, unread_count);
	tcase_add_test(cases, whoever_shares_the_file_finds_it_as_it_was);
	tcase_add_test(cases, lost_lines_are_told_of_by_the_next_that_is_written);
	tcase_add_test(cases, a_line_that_was_cut_by_a_full_disk_is_not_glued_to_the_next);
	tcase_add_test(cases, a_busy_program_does_not_wake_the_thread_for_each_line);
	tcase_add_test(cases, a_fork_has_its_own_thread_and_does_not_repeat_what_waited);
}

SUITE_WITH("log output", add_tests)
