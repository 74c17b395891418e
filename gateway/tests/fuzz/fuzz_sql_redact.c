/*
 * fuzz_sql_redact.c
 *		Whatever stands around a credential, the log does not show it.
 *
 * The input becomes the text before and behind a credential that is made of it, in every
 * part of a message and in the statement.  The text itself may be anything: nothing is read
 * or written beyond its end, and its length stays.
 */
#include "tests/fuzz/server.h"

#include "tcop/tcopprot.h"
#include "utils/elog.h"

#include "src/common/key_format.h"
#include "src/digest.h"
#include "src/redact.h"

/* So many characters of a credential in a row are a leak; the mask shows the first five. */
#define LEAK 8

#define PARTS 6

static void
start(void)
{
	static bool started = false;

	if (!started)
		wa_redact_init();
	started = true;
}

/* Runs the hook over a message whose every part, and whose statement, is this text. */
static void
emit(const uint8_t *text, size_t len, char *parts[PARTS], ErrorData *message)
{
	for (int i = 0; i < PARTS; i++)
		parts[i] = server_cstring(text, len);
	*message = (ErrorData){.elevel = ERROR,
						   .message = parts[0],
						   .detail = parts[1],
						   .detail_log = parts[2],
						   .hint = parts[3],
						   .context = parts[4],
						   .internalquery = parts[5]};
	debug_query_string = server_cstring(text, len);
	emit_log_hook(message);
}

/* The length of each part is what it was, up to the first NUL. */
static void
check_any(const uint8_t *data, size_t len)
{
	char *parts[PARTS];
	ErrorData message;
	size_t expected = strlen(server_cstring(data, len));

	emit(data, len, parts, &message);
	for (int i = 0; i < PARTS; i++)
		FUZZ_ASSERT(strlen(parts[i]) == expected);
}

/* A credential of some kind, as random as they are: a digest of the input. */
static size_t
make_credential(const uint8_t *data, size_t len, char made[WAK_CREDENTIAL_MAX + 1])
{
	uint8 random[WA_DIGEST_LENGTH];

	StaticAssertStmt(WA_DIGEST_LENGTH == WAK_RANDOM_LENGTH, "a digest is as long as random bytes");
	wa_sha256(data, len, random);
	return wak_make((WakKind) (random[0] % WAK_IMPORTED_KEY), random, made);
}

static void
check_credential(const uint8_t *data, size_t len)
{
	char made[WAK_CREDENTIAL_MAX + 1];
	size_t made_len = make_credential(data, len, made);
	size_t before = len > 0 ? data[0] % len : 0;
	size_t shown = (size_t) (strchr(made, '_') + 1 - made) + WAK_SHOWN_DIGITS;
	uint8_t *text = palloc(len + made_len);
	char *parts[PARTS];
	ErrorData message;

	if (len > 0 && memchr(data, '\0', len) != NULL)
		return;
	memcpy(text, data, before);
	memcpy(text + before, made, made_len);
	if (len > before)
		memcpy(text + before + made_len, data + before, len - before);
	emit(text, len + made_len, parts, &message);
	for (int i = 0; i < PARTS; i++)
		FUZZ_ASSERT(!server_shows(parts[i], len + made_len, made + shown, made_len - shown, LEAK));
	FUZZ_ASSERT(message.hide_stmt || !server_shows(debug_query_string, strlen(debug_query_string),
												   made + shown, made_len - shown, LEAK));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	start();
	check_any(data, len);
	server_reset();
	check_credential(data, len);
	server_reset();
	debug_query_string = NULL;
	return 0;
}
