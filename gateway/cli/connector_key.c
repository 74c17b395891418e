/*
 * connector_key.c
 *		Makes the key pair of a connector; see connector_key.h.
 */
#include "cli/connector_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sealed_box.h"
#include "src/common/memory.h"

/* Nothing is left in the file that others could read, whatever the umask is. */
#define MODE (S_IRUSR | S_IWUSR)

static bool
write_all(int fd, const char *text, size_t len)
{
	while (len > 0)
	{
		ssize_t written = write(fd, text, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		text += written;
		len -= (size_t) written;
	}
	return true;
}

/* False: errno says why, and the file is gone. */
static bool
write_file(const char *path, const char *line, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
	bool ok;
	int error;

	if (fd < 0)
		return false;
	ok = write_all(fd, line, len) && fsync(fd) == 0;
	error = errno;
	if (close(fd) != 0 && ok)
	{
		ok = false;
		error = errno;
	}
	if (!ok)
		unlink(path);
	errno = error;
	return ok;
}

static void
append_hex(Buffer *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buffer_printf(out, "%02x", bytes[i]);
}

static void
say(Buffer *out, const char *path, const uint8_t public_key[SEALED_BOX_KEY_SIZE])
{
	buffer_printf(out,
				  "The secret key is in %s. Give this file to the connector alone, and keep a "
				  "copy of it apart from\nthe database.\n\nThe public key:\n  ",
				  path);
	append_hex(out, public_key, SEALED_BOX_KEY_SIZE);
	buffer_append_text(out,
					   "\n\nCredentials are sealed to it after:\n  wa connector add-key NAME ");
	append_hex(out, public_key, SEALED_BOX_KEY_SIZE);
	buffer_append_text(out, "\nor in SQL:\n  SELECT wa.add_connector_key('NAME', '\\x");
	append_hex(out, public_key, SEALED_BOX_KEY_SIZE);
	buffer_append_text(out, "');\n");
}

bool
connector_key_make(const char *const values[], Buffer *out)
{
	const char *path = values[0];
	SealedBoxKey key;
	char line[SEALED_BOX_SECRET_TEXT + 2];
	bool ok = sealed_box_make_key(&key);

	if (ok)
	{
		sealed_box_write_secret(&key, line);
		line[SEALED_BOX_SECRET_TEXT] = '\n';
		ok = write_file(path, line, SEALED_BOX_SECRET_TEXT + 1);
		if (ok)
			say(out, path, key.public_key);
		else
			buffer_printf(out, "cannot write %s: %s", path, strerror(errno));
	}
	else
		buffer_append_text(out, "the library for keys cannot be used");
	wak_wipe(&key, sizeof(key));
	wak_wipe(line, sizeof(line));
	return ok;
}
