/*
 * server.c
 *		What the extension's functions call of the server; see server.h.
 *
 * Each does what the server's own does, as far as that can be seen from a caller.  Every
 * allocation is one of malloc()'s, of exactly the size that was asked for, so that the
 * sanitizers see each byte that is read or written beside it.
 */
#include "tests/fuzz/server.h"

#include <setjmp.h>

#include "access/xact.h"
#include "libpq/pqformat.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/elog.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "lib/utf8.h"

#define ALLOCATIONS_MAX 256

ServerError server_error;
int server_client_encoding = PG_UTF8;

static void *allocations[ALLOCATIONS_MAX];
static int allocation_count;
static sigjmp_buf raised;

/* ---- variables of the server ---- */

MemoryContext CurrentMemoryContext = NULL;
MemoryContext TopMemoryContext = NULL;
ErrorContextCallback *error_context_stack = NULL;
sigjmp_buf *PG_exception_stack = NULL;
emit_log_hook_type emit_log_hook = NULL;
const char *debug_query_string = NULL;
char *GUC_check_errdetail_string = NULL;

/* ---- memory ---- */

void *
palloc(Size size)
{
	void *block = malloc(size);

	FUZZ_ASSERT(block != NULL && allocation_count < ALLOCATIONS_MAX);
	allocations[allocation_count++] = block;
	memset(block, 0x7F, size);
	return block;
}

void *
palloc0(Size size)
{
	return memset(palloc(size), 0, size);
}

void
pfree(void *block)
{
	for (int i = 0; i < allocation_count; i++)
	{
		if (allocations[i] == block)
		{
			free(block);
			allocations[i] = allocations[--allocation_count];
			return;
		}
	}
	abort(); /* not ours, or freed before */
}

void *
repalloc(void *block, Size size)
{
	for (int i = 0; i < allocation_count; i++)
		if (allocations[i] == block)
			return allocations[i] = realloc(block, size);
	abort();
}

char *
pstrdup(const char *text)
{
	return server_cstring((const uint8_t *) text, strlen(text));
}

void
server_reset(void)
{
	while (allocation_count > 0)
		free(allocations[--allocation_count]);
	server_error.len = 0;
}

/* ---- errors ---- */

bool
errstart(int elevel, const char *domain)
{
	server_error.len = 0;
	return elevel >= ERROR;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return errstart(elevel, domain);
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	siglongjmp(raised, 1);
}

#if PG_VERSION_NUM >= 160000
bool
errsave_start(struct Node *context, const char *domain)
{
	return errstart(ERROR, domain);
}

void
errsave_finish(struct Node *context, const char *filename, int lineno, const char *funcname)
{
	errfinish(filename, lineno, funcname);
}
#endif

static int
say(const char *format, va_list arguments)
{
	size_t left = sizeof(server_error.text) - server_error.len;
	int len = vsnprintf(server_error.text + server_error.len, left, format, arguments);

	FUZZ_ASSERT(len >= 0 && (size_t) len < left);
	server_error.len += (size_t) len + 1;
	return 0;
}

#define SAYS(name)                    \
	int name(const char *format, ...) \
	{                                 \
		va_list arguments;            \
                                      \
		va_start(arguments, format);  \
		say(format, arguments);       \
		va_end(arguments);            \
		return 0;                     \
	}

SAYS(errmsg)
SAYS(errmsg_internal)
SAYS(errdetail)
SAYS(errdetail_internal)
SAYS(errhint)

int
errcode(int sqlerrcode)
{
	return 0;
}

int
errhidestmt(bool hide_stmt)
{
	return 0;
}

int
errhidecontext(bool hide_ctx)
{
	return 0;
}

int
err_generic_string(int field, const char *text)
{
	return 0;
}

void
pre_format_elog_string(int errnumber, const char *domain)
{
}

char *
format_elog_string(const char *format, ...)
{
	return unconstify(char *, format);
}

void
server_call(ServerCall *call, PGFunction function, int count,
			const Datum values[SERVER_ARGUMENTS_MAX])
{
	LOCAL_FCINFO(info, SERVER_ARGUMENTS_MAX);

	InitFunctionCallInfoData(*info, NULL, count, InvalidOid, NULL, NULL);
	for (int i = 0; i < count; i++)
		info->args[i] = (NullableDatum){.value = values[i], .isnull = false};
	call->failed = sigsetjmp(raised, 0) != 0;
	if (!call->failed)
		call->value = function(info);
	call->is_null = info->isnull;
}

/* ---- settings and transactions: what is registered is of no concern here ---- */

void
RegisterXactCallback(XactCallback callback, void *argument)
{
}

/* ---- messages ---- */

StringInfo
server_message(const uint8_t *data, size_t len)
{
	static StringInfoData message;

	message = (StringInfoData){.data = palloc(len), .len = (int) len, .maxlen = (int) len};
	if (len > 0)
		memcpy(message.data, data, len);
	return &message;
}

const char *
pq_getmsgbytes(StringInfo message, int len)
{
	const char *bytes = message->data + message->cursor;

	if (len < 0 || len > message->len - message->cursor)
		ereport(ERROR, (errmsg("insufficient data left in message")));
	message->cursor += len;
	return bytes;
}

unsigned int
pq_getmsgint(StringInfo message, int size)
{
	const unsigned char *bytes = (const unsigned char *) pq_getmsgbytes(message, size);
	unsigned int number = 0;

	for (int i = 0; i < size; i++)
		number = number << 8 | bytes[i];
	return number;
}

/* ---- text ---- */

/* The server has a printf family of its own, under these names. */
#undef vsnprintf

int
pg_vsnprintf(char *out, size_t size, const char *format, va_list arguments)
{
	return vsnprintf(out, size, format, arguments);
}

int
pg_snprintf(char *out, size_t size, const char *format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = pg_vsnprintf(out, size, format, arguments);
	va_end(arguments);
	return len;
}

char *
psprintf(const char *format, ...)
{
	char text[1024];
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	FUZZ_ASSERT(len >= 0 && len < (int) sizeof(text));
	return pstrdup(text);
}

void
initStringInfo(StringInfo text)
{
	*text = (StringInfoData){.data = palloc(1024), .maxlen = 1024};
	text->data[0] = '\0';
}

void
enlargeStringInfo(StringInfo text, int needed)
{
	text->maxlen += needed + 1;
	text->data = repalloc(text->data, (Size) text->maxlen);
}

#if PG_VERSION_NUM >= 160000
typedef void StringInfoBytes;
#else
typedef char StringInfoBytes;
#endif

void
appendBinaryStringInfo(StringInfo text, const StringInfoBytes *data, int len)
{
	enlargeStringInfo(text, len);
	memcpy(text->data + text->len, data, (size_t) len);
	text->len += len;
	text->data[text->len] = '\0';
}

void
appendStringInfoChar(StringInfo text, char c)
{
	appendBinaryStringInfo(text, &c, 1);
}

void
appendStringInfo(StringInfo text, const char *format, ...)
{
	char piece[256];
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(piece, sizeof(piece), format, arguments);
	va_end(arguments);
	FUZZ_ASSERT(len >= 0 && len < (int) sizeof(piece));
	appendBinaryStringInfo(text, piece, len);
}

text *
server_text(const void *data, size_t len)
{
	text *value = palloc(VARHDRSZ + len);

	SET_VARSIZE(value, VARHDRSZ + len);
	if (len > 0)
		memcpy(VARDATA(value), data, len);
	return value;
}

text *
cstring_to_text(const char *string)
{
	return server_text(string, strlen(string));
}

char *
text_to_cstring(const text *value)
{
	return server_cstring((const uint8_t *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

struct varlena *
pg_detoast_datum_packed(struct varlena *value)
{
	return value;
}

char *
server_cstring(const uint8_t *data, size_t len)
{
	char *string = palloc(len + 1);

	if (len > 0)
		memcpy(string, data, len);
	string[len] = '\0';
	return string;
}

/* ---- encodings ---- */

int
GetDatabaseEncoding(void)
{
	return PG_UTF8;
}

int
pg_get_client_encoding(void)
{
	return server_client_encoding;
}

bool
pg_verify_mbstr(int encoding, const char *text, int len, bool no_error)
{
	FUZZ_ASSERT(no_error); /* or the error shows the bytes */
	return memchr(text, '\0', (size_t) len) == NULL &&
		   (encoding != PG_UTF8 || utf8_valid(text, (size_t) len));
}

/* Of Latin-1, the one other encoding here, each byte is a character. */
char *
pg_client_to_server(const char *sent, int len)
{
	char *converted;
	size_t at = 0;

	if (server_client_encoding == PG_UTF8)
		return unconstify(char *, sent);
	converted = palloc(2 * (Size) len + 1);
	for (int i = 0; i < len; i++)
	{
		unsigned char byte = (unsigned char) sent[i];

		if (byte >= 0x80)
			converted[at++] = (char) (0xC0 | byte >> 6);
		converted[at++] = (char) (byte >= 0x80 ? 0x80 | (byte & 0x3F) : byte);
	}
	converted[at] = '\0';
	return converted;
}

/* The database is in UTF-8. */
char *
pg_server_to_any(const char *text, int len, int encoding)
{
	FUZZ_ASSERT(encoding == PG_UTF8);
	return unconstify(char *, text);
}

char *
pg_any_to_server(const char *text, int len, int encoding)
{
	return pg_server_to_any(text, len, encoding);
}

unsigned char
pg_ascii_tolower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char) (c - 'A' + 'a') : c;
}

static int
character_length(const char *text, int len)
{
	size_t character_len = utf8_character(text, (size_t) len);

	return character_len > 0 ? (int) character_len : 1;
}

int
pg_mbstrlen_with_len(const char *text, int len)
{
	int count = 0;

	for (int at = 0; at < len && text[at] != '\0'; at += character_length(text + at, len - at))
		count++;
	return count;
}

int
pg_mbstrlen(const char *text)
{
	return pg_mbstrlen_with_len(text, (int) strlen(text));
}

int
pg_mbcliplen(const char *text, int len, int limit)
{
	int at = 0;

	while (at < len && text[at] != '\0')
	{
		int next = at + character_length(text + at, len - at);

		if (next > limit)
			break;
		at = next;
	}
	return at;
}

/* ---- for promises ---- */

bool
server_shows(const void *area, size_t area_len, const void *secret, size_t secret_len, size_t run)
{
	for (size_t at = 0; at + run <= secret_len; at++)
		if (memmem(area, area_len, (const char *) secret + at, run) != NULL)
			return true;
	return false;
}
