/*
 * process.c
 *		Gives up the rights that a program never needs; see process.h.
 *
 * An attacker who runs code in one of our programs has the rights of that program.  Our
 * programs need a few sockets and nothing else of the system.
 *
 * PR_SET_DUMPABLE does more than a core size limit of 0.  The limit has no effect where the
 * kernel pipes cores to a program, and it does not prevent attaching a debugger.  Root can
 * still do both.
 *
 * We install no filter of system calls.  libpq, OpenSSL, curl and the name services load
 * modules whose system calls we do not know and which differ between releases, so that a
 * fixed list could kill programs of our users.  An operator can use systemd's
 * SystemCallFilter= (docs/operations.md).
 */
#include "lib/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/log.h"

/* Descriptors to close one by one where the kernel is too old for close_range(). */
#define DESCRIPTORS_MAX 1024

#define BIND_PORTS (UINT64_C(1) << CAP_NET_BIND_SERVICE)

/* For the log, the first right that could not be given up; NULL: there is none. */
static const char *not_given_up;

static void
note_unless(bool ok, const char *what)
{
	if (!ok && not_given_up == NULL)
		not_given_up = what;
}

/* ---- descriptors ---- */

int
process_fill_standard(int flags)
{
	int fd;

	do
	{
		fd = open("/dev/null", flags);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	return fd;
}

static void
empty_input(void)
{
	int fd = process_fill_standard(O_RDWR);

	note_unless(fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO, "standard input");
}

static void
close_inherited(void)
{
	if (close_range(STDERR_FILENO + 1, ~0U, 0) == 0)
		return;
	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS_MAX; fd++)
		close(fd);
}

/* ---- capabilities ---- */

static bool
read_capabilities(uint64_t *permitted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) != 0)
		return false;
	*permitted = data[0].permitted | (uint64_t) data[1].permitted << 32;
	return true;
}

static bool
set_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const uint32_t low = (uint32_t) kept;
	const uint32_t high = (uint32_t) (kept >> 32);
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{.effective = low, .permitted = low}, {.effective = high, .permitted = high}};

	return syscall(SYS_capset, &header, data) == 0;
}

/*
 * The bounding set is what executing a file could give back.  Only root may empty it, and
 * only for root is that necessary.
 */
static void
empty_bounding_set(void)
{
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		(void) prctl(PR_CAPBSET_DROP, capability);
}

/* Drops all capabilities except those in kept, of which it keeps the ones it has. */
static bool
keep_capabilities(uint64_t kept)
{
	uint64_t permitted;

	(void) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return read_capabilities(&permitted) && set_capabilities(permitted & kept);
}

/* ---- for main() ---- */

void
process_hide(void)
{
	const struct rlimit no_core = {.rlim_cur = 0, .rlim_max = 0};

	note_unless(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "new privileges");
	note_unless(setrlimit(RLIMIT_CORE, &no_core) == 0, "core dumps");
	note_unless(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "being dumpable");
}

void
process_confine(void)
{
	umask(S_IRWXG | S_IRWXO);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	empty_input();
	close_inherited();
	empty_bounding_set();
	note_unless(keep_capabilities(BIND_PORTS), "capabilities");
	/* This comes last: a change of capabilities may make the process dumpable again. */
	process_hide();
}

void
process_report(void)
{
	if (not_given_up != NULL)
		log_line(LOG_LEVEL_WARNING, "not_confined", log_text("kept", not_given_up));
	if (geteuid() == 0)
		log_line(LOG_LEVEL_WARNING, "runs_as_root",
				 log_text("hint", "no root is needed; run it as a user of its own"));
}

void
process_close_ports(void)
{
	if (!keep_capabilities(0))
		log_line(LOG_LEVEL_WARNING, "not_confined", log_text("kept", "capabilities"));
}

void
process_confine_thread(void)
{
	(void) keep_capabilities(0);
}
