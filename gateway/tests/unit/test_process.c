/*
 * test_process.c
 *		What a program gives up when it starts is gone, and what it needs is not.
 *
 * Each test looks at a child that was confined: Check itself needs what it would lose.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/process.h"
#include "tests/unit/suite.h"

/* The exit code of a child in which "look" runs after "give_up". */
static int
child_after(void (*give_up)(void), int (*look)(void))
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
	{
		give_up();
		_exit(look());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
confined(int (*look)(void))
{
	return child_after(process_confine, look);
}

/* A line of /proc/self/status that begins with a name; "" when there is none. */
static const char *
status_of(const char *name)
{
	static char line[256];
	FILE *file = fopen("/proc/self/status", "r");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
	{
		if (strncmp(line, name, strlen(name)) == 0)
		{
			fclose(file);
			return line + strlen(name);
		}
	}
	return "";
}

static int
look_at_memory(void)
{
	struct rlimit core;

	if (strcmp(status_of("NoNewPrivs:"), "\t1\n") != 0)
		return 1;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
		return 2;
	return prctl(PR_GET_DUMPABLE) == 0 ? 0 : 3;
}

static int
look_at_privileges(void)
{
	int found = look_at_memory();

	return found == 0 && umask(0) != 077 ? 4 : found;
}

START_TEST(no_new_privileges_no_core_and_no_files_for_others)
{
	ck_assert_int_eq(confined(look_at_privileges), 0);
}
END_TEST

static int
look_at_a_command(void)
{
	if (look_at_memory() != 0)
		return 1;
	return fcntl(200, F_GETFD) >= 0 ? 0 : 2;
}

START_TEST(a_command_hides_its_memory_and_keeps_its_descriptors)
{
	ck_assert_int_eq(dup2(STDOUT_FILENO, 200), 200);
	ck_assert_int_eq(child_after(process_hide, look_at_a_command), 0);
	close(200);
}
END_TEST

static int
look_at_capabilities(void)
{
	unsigned long long left = strtoull(status_of("CapPrm:"), NULL, 16);

	/* the one that binds ports, where it was there */
	if ((left & ~(1ULL << 10)) != 0 || strtoull(status_of("CapEff:"), NULL, 16) != left)
		return 1;
	process_close_ports();
	if (strtoull(status_of("CapPrm:"), NULL, 16) != 0)
		return 2;
	return geteuid() != 0 || strtoull(status_of("CapBnd:"), NULL, 16) == 0 ? 0 : 3;
}

START_TEST(capabilities_go_and_the_last_with_the_ports)
{
	ck_assert_int_eq(confined(look_at_capabilities), 0);
}
END_TEST

static int
look_at_descriptors(void)
{
	char byte;

	if (read(STDIN_FILENO, &byte, 1) != 0)
		return 1;
	for (int fd = STDERR_FILENO + 1; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 2;
	return fcntl(STDOUT_FILENO, F_GETFD) >= 0 && fcntl(STDERR_FILENO, F_GETFD) >= 0 ? 0 : 3;
}

START_TEST(input_is_empty_and_inherited_descriptors_are_closed)
{
	int inherited = dup2(STDOUT_FILENO, 200);

	ck_assert_int_eq(inherited, 200);
	ck_assert_int_eq(confined(look_at_descriptors), 0);
	close(inherited);
}
END_TEST

static int
look_at_output(void)
{
	struct stat out;
	struct stat null;

	if (look_at_descriptors() != 0)
		return 1;
	if (fstat(STDOUT_FILENO, &out) != 0 || stat("/dev/null", &null) != 0)
		return 2;
	return out.st_rdev == null.st_rdev ? 0 : 3;
}

START_TEST(output_that_was_closed_leads_nowhere_and_not_into_a_socket)
{
	int kept = dup(STDOUT_FILENO);

	close(STDOUT_FILENO);
	ck_assert_int_eq(confined(look_at_output), 0);
	dup2(kept, STDOUT_FILENO);
	close(kept);
}
END_TEST

SUITE("process", no_new_privileges_no_core_and_no_files_for_others,
	  a_command_hides_its_memory_and_keeps_its_descriptors,
	  capabilities_go_and_the_last_with_the_ports,
	  input_is_empty_and_inherited_descriptors_are_closed,
	  output_that_was_closed_leads_nowhere_and_not_into_a_socket)
