/*
 * ask.c
 *		Reads a line that is a secret; see ask.h.
 *
 * Bytes are read one by one with read(), so that no copy stays in a buffer of stdio and
 * nothing behind the line is taken.
 */
#include "cli/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "src/common/memory.h"

static bool
read_line(int input, char line[ASK_LINE_MAX + 1])
{
	size_t len = 0;
	char c = '\0';
	ssize_t got;

	while (len <= ASK_LINE_MAX)
	{
		got = read(input, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || c == '\n')
			break;
		line[len++] = c;
	}
	if (len > ASK_LINE_MAX || (got <= 0 && len == 0))
	{
		wak_wipe(line, ASK_LINE_MAX + 1);
		return false;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	line[len] = '\0';
	return memchr(line, '\0', len) == NULL;
}

static void
show(int terminal, const char *text)
{
	ssize_t written = write(terminal, text, strlen(text));

	(void) written;
}

/* A signal that ends the program leaves the terminal without echo, so signals wait meanwhile. */
static bool
read_hidden(int terminal, const char *prompt, char line[ASK_LINE_MAX + 1])
{
	struct termios before;
	struct termios hidden;
	bool ok;

	if (tcgetattr(terminal, &before) != 0)
		return false;
	hidden = before;
	hidden.c_lflag &= ~(tcflag_t) (ECHO | ISIG);
	hidden.c_lflag |= ECHONL;
	if (tcsetattr(terminal, TCSAFLUSH, &hidden) != 0)
		return false;
	show(terminal, prompt);
	ok = read_line(terminal, line);
	tcsetattr(terminal, TCSAFLUSH, &before);
	return ok;
}

bool
ask_terminal(const char *prompt, char line[ASK_LINE_MAX + 1])
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	bool ok;

	if (terminal < 0)
		return false;
	ok = read_hidden(terminal, prompt, line);
	close(terminal);
	return ok;
}

bool
ask_line(const char *prompt, char line[ASK_LINE_MAX + 1])
{
	return isatty(STDIN_FILENO) ? ask_terminal(prompt, line) : read_line(STDIN_FILENO, line);
}
